/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

__attribute__((format(printf, 4, 5))) static void
tell(health_say_fn *say, void *arg, enum health_kind kind, const char *format, ...)
{
    char sentence[FAULT_MAX + 100];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    say(arg, kind, sentence);
}

static void tell_store(struct store *store, health_say_fn *say, void *arg)
{
    struct store_stats stats;

    store_stats(store, &stats);
    if (stats.failing)
        tell(say, arg, HEALTH_PROBLEM, "store: changes fail: %s", stats.trouble);
    if (stats.failing_evidence)
        tell(say, arg, HEALTH_WARNING, "store: refusals and attacks are not recorded: %s",
             stats.trouble_evidence);
    if (stats.refused_jobs)
        tell(say, arg, HEALTH_WARNING,
             "store: %" PRIu64 " jobs were refused since the start because too many waited",
             stats.refused_jobs);
}

static void tell_records(struct records *records, health_say_fn *say, void *arg)
{
    struct records_figures figures = records_figures(records);

    if (figures.dropped_refusals)
        tell(say, arg, HEALTH_WARNING, "%" PRIu64 " refusals were not recorded since the start",
             figures.dropped_refusals);
    if (figures.dropped_adoptions)
        tell(say, arg, HEALTH_WARNING,
             "%" PRIu64 " unknown accounts were not adopted at once since the start",
             figures.dropped_adoptions);
    if (figures.failed_adoptions)
        tell(say, arg, HEALTH_WARNING,
             "%" PRIu64 " unknown accounts were refused adoption since the start: the bound on "
             "adopted accounts, or a switch that has changed",
             figures.failed_adoptions);
}

static void tell_calls(struct calls_room *calls, health_say_fn *say, void *arg)
{
    char words[FAULT_MAX];

    if (calls_room_state(calls, words) == CALLS_BROKEN)
        tell(say, arg, HEALTH_WARNING, "call records are not in the history: %s", words);
}

static void tell_agi(const struct fastagi *agi, health_say_fn *say, void *arg)
{
    struct fastagi_figures figures = fastagi_figures(agi);

    if (figures.strangers)
        tell(say, arg, HEALTH_WARNING,
             "FastAGI: %" PRIu64 " connections since the start came from addresses of no switch",
             figures.strangers);
    if (figures.malformed)
        tell(say, arg, HEALTH_WARNING,
             "FastAGI: %" PRIu64
             " questions since the start were malformed: does the dialplan encode "
             "each part with URIENCODE?",
             figures.malformed);
    if (figures.late || figures.crowded || figures.garbage || figures.broken)
        tell(say, arg, HEALTH_WARNING,
             "FastAGI: connections without an answer since the start: %" PRIu64
             " too slow, %" PRIu64 " dropped to make room, %" PRIu64 " not FastAGI, %" PRIu64
             " broken",
             figures.late, figures.crowded, figures.garbage, figures.broken);
}

static void tell_sip(const struct health *health, health_say_fn *say, void *arg)
{
    struct sip_figures sip = {0};

    if (health->sip)
        sip_udp_figures(health->sip, &sip);
    if (health->sip_tcp)
        sip_tcp_figures(health->sip_tcp, &sip, NULL);
    if (sip.n[SIP_COUNT_STRANGERS])
        tell(say, arg, HEALTH_WARNING,
             "SIP: %" PRIu64 " requests since the start came from addresses of no switch",
             sip.n[SIP_COUNT_STRANGERS]);
    if (sip.n[SIP_COUNT_MALFORMED] || sip.n[SIP_COUNT_GARBAGE])
        tell(say, arg, HEALTH_WARNING,
             "SIP: %" PRIu64 " requests of switches since the start were malformed, %" PRIu64
             " of them so that no answer was possible",
             sip.n[SIP_COUNT_MALFORMED] + sip.n[SIP_COUNT_GARBAGE], sip.n[SIP_COUNT_GARBAGE]);
    if (sip.n[SIP_COUNT_UNSENT])
        tell(say, arg, HEALTH_WARNING, "SIP: %" PRIu64 " answers since the start were not sent",
             sip.n[SIP_COUNT_UNSENT]);
}

void health_tell(const struct health *health, health_say_fn *say, void *arg)
{
    uint64_t dropped = log_dropped();

    if (health->store)
        tell_store(health->store, say, arg);
    if (health->records)
        tell_records(health->records, say, arg);
    if (health->calls)
        tell_calls(health->calls, say, arg);
    if (health->agi)
        tell_agi(health->agi, say, arg);
    tell_sip(health, say, arg);
    if (health->descriptors && health->descriptors < health->wanted_descriptors)
        tell(say, arg, HEALTH_WARNING,
             "the process may have %lu descriptors, its limits on connections need %lu: raise "
             "LimitNOFILE or lower the limits",
             health->descriptors, health->wanted_descriptors);
    if (health->as_root)
        tell(say, arg, HEALTH_WARNING,
             "sekishod runs as root: name a system account in [daemon] user, which it then becomes "
             "after the start");
    if (dropped)
        tell(say, arg, HEALTH_WARNING, "%" PRIu64 " log lines were dropped since the start",
             dropped);
}
