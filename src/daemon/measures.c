/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/measures.h"

static void add_agi(const struct fastagi *agi, struct metrics *m)
{
    struct fastagi_figures f = fastagi_figures(agi);

    metrics_one(m, METRICS_COUNTER, "fastagi_connections_total", "Connections that were accepted.",
                f.accepted);
    metrics_one(m, METRICS_COUNTER, "fastagi_answered_total", "Of those: answered.", f.answered);
    metrics_one(m, METRICS_COUNTER, "fastagi_malformed_total", "Answered, and no question.",
                f.malformed);
    metrics_family(m, METRICS_COUNTER, "fastagi_unanswered_total",
                   "Connections without an answer.");
    metrics_word(m, "why", "stranger", f.strangers);
    metrics_word(m, "why", "garbage", f.garbage);
    metrics_word(m, "why", "late", f.late);
    metrics_word(m, "why", "crowded", f.crowded);
    metrics_word(m, "why", "broken", f.broken);
}

static void add_http(const struct http *http, struct metrics *m)
{
    struct http_figures f = http_figures(http);

    metrics_one(m, METRICS_COUNTER, "http_connections_total", "Connections that were accepted.",
                f.accepted);
    metrics_one(m, METRICS_COUNTER, "http_requests_total", "Requests that were answered.",
                f.requests);
    metrics_one(m, METRICS_COUNTER, "http_wrong_tokens_total",
                "Requests with a wrong token or none.", f.wrong_tokens);
    metrics_family(m, METRICS_COUNTER, "http_cut_total", "Connections that were cut.");
    metrics_word(m, "why", "crowded", f.crowded);
    metrics_word(m, "why", "late", f.late);
}

static void add_records(struct records *records, struct metrics *m)
{
    struct records_figures f = records_figures(records);

    metrics_one(m, METRICS_COUNTER, "refusals_recorded_total", "Refusals that were recorded.",
                f.refusals);
    metrics_one(m, METRICS_COUNTER, "refusals_dropped_total", "Refusals that were not.",
                f.dropped_refusals);
    metrics_one(m, METRICS_COUNTER, "adoptions_total", "Unknown accounts that were adopted.",
                f.adopted);
    metrics_family(m, METRICS_COUNTER, "adoptions_missed_total",
                   "Unknown accounts that were not adopted at once.");
    metrics_word(m, "why", "dropped", f.dropped_adoptions);
    metrics_word(m, "why", "refused", f.failed_adoptions);
}

/* One family, over UDP and TCP. */
static void add_sip_results(const struct sip_figures *f, const char *transport, struct metrics *m)
{
    static const char *const results[SIP_COUNTS] = {
        [SIP_COUNT_ALLOWED] = "allowed",   [SIP_COUNT_DENIED] = "denied",
        [SIP_COUNT_REPEATED] = "repeated", [SIP_COUNT_OPTIONS] = "options",
        [SIP_COUNT_REFUSED] = "refused",   [SIP_COUNT_MALFORMED] = "malformed",
        [SIP_COUNT_ABSORBED] = "absorbed", [SIP_COUNT_STRANGERS] = "stranger",
        [SIP_COUNT_GARBAGE] = "garbage",   [SIP_COUNT_UNSENT] = "unsent",
    };

    for (size_t i = SIP_COUNT_RECEIVED + 1; i < SIP_COUNTS; i++) {
        const struct metrics_label labels[] = {{"transport", span_of(transport)},
                                               {"result", span_of(results[i])}};

        metrics_sample(m, labels, 2, f->n[i]);
    }
}

static void add_sip(const struct measures *measures, struct metrics *m)
{
    struct sip_figures udp = {0}, tcp = {0};
    struct sip_tcp_figures connections = {0};

    if (!measures->sip || !sip_udp_workers(measures->sip))
        return;
    sip_udp_figures(measures->sip, &udp);
    if (measures->sip_tcp)
        sip_tcp_figures(measures->sip_tcp, &tcp, &connections);
    metrics_family(m, METRICS_COUNTER, "sip_requests_total",
                   "Requests over SIP by what became of them.");
    add_sip_results(&udp, "udp", m);
    add_sip_results(&tcp, "tcp", m);
    metrics_one(m, METRICS_COUNTER, "sip_connections_total",
                "Connections of switches over SIP that were accepted.", connections.accepted);
    metrics_family(m, METRICS_COUNTER, "sip_connections_cut_total",
                   "Connections that were closed from here.");
    metrics_word(m, "why", "stranger", connections.strangers);
    metrics_word(m, "why", "lost", connections.lost);
    metrics_word(m, "why", "late", connections.late);
    metrics_word(m, "why", "crowded", connections.crowded);
    metrics_word(m, "why", "unread", connections.unread);
}

static void add_hook(const struct guard_hook *hook, struct metrics *m)
{
    struct hook_figures f = guard_hook_figures(hook);

    metrics_one(m, METRICS_COUNTER, "hook_events_total", "Events for the operator's program.",
                f.told);
    metrics_one(m, METRICS_COUNTER, "hook_events_dropped_total", "Of those: too many waited.",
                f.dropped);
    metrics_one(m, METRICS_COUNTER, "hook_runs_total", "Times that the program was started.",
                f.started);
    metrics_family(m, METRICS_COUNTER, "hook_failures_total", "Runs that came to nothing.");
    metrics_word(m, "why", "not-started", f.unstarted);
    metrics_word(m, "why", "status", f.failed);
    metrics_word(m, "why", "late", f.killed);
    metrics_one(m, METRICS_GAUGE, "hook_waiting", "Events that wait for the program.", f.waiting);
}

void measures_add(const struct measures *measures, struct metrics *m)
{
    if (measures->agi)
        add_agi(measures->agi, m);
    add_sip(measures, m);
    if (measures->http)
        add_http(measures->http, m);
    if (measures->records)
        add_records(measures->records, m);
    if (measures->hook)
        add_hook(measures->hook, m);
}
