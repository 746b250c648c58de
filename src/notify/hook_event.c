/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/hook_event.h"

#include <inttypes.h>
#include <time.h>

bool hook_event_counts(const struct guard_event *event)
{
    switch (event->kind) {
    case GUARD_BAN:
    case GUARD_LOCKOUT:
    case GUARD_INTERNATIONAL:
    case GUARD_TAKEOVER: return true;
    case GUARD_QUENCH:
    case GUARD_UNBAN:
    case GUARD_UNLOCK:
    case GUARD_GOOD:
    case GUARD_NOT_GOOD:
    case GUARD_PAIR_REFUSED:
    case GUARD_WRONG_PASSWORD:
    case GUARD_ENUMERATION:
    case GUARD_EXEMPT_ATTACKS:
    case GUARD_CANARY:
    case GUARD_STILL_ANSWERED:
    case GUARD_PRESSURE: return false;
    }
    return false;
}

/* As escape() writes it, which leaves nothing that JSON minds but quotes and backslashes. */
static void add_text(struct buf *out, const char *name, struct span text)
{
    char escaped[512];

    buf_printf(out, "\"%s\":", name);
    if (!text.n) {
        buf_puts(out, "null,");
        return;
    }
    escape(text, escaped, sizeof(escaped));
    buf_putc(out, '"');
    for (const char *c = escaped; *c; c++) {
        if (*c == '\\' || *c == '"')
            buf_putc(out, '\\');
        buf_putc(out, *c);
    }
    buf_puts(out, "\",");
}

static void add_word(struct buf *out, const char *name, const char *word)
{
    add_text(out, name, span_of(word));
}

static void add_time(struct buf *out, const char *name, int64_t wall_s)
{
    time_t t = (time_t)wall_s;
    char text[32] = "";
    struct tm tm;

    if (gmtime_r(&t, &tm))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    add_word(out, name, text);
}

static void add_good(struct buf *out, const struct guard_event *event)
{
    char text[ADDRESS_TEXT_MAX];

    buf_puts(out, "\"good\":[");
    for (size_t i = 0; i < event->n_good; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", network_text(&event->good[i], text));
    buf_puts(out, "],");
}

void hook_event_json(struct buf *out, const struct guard_event *event, struct span switch_name)
{
    char network[ADDRESS_TEXT_MAX] = "";

    if (event->network.family)
        network_text(&event->network, network);
    buf_putc(out, '{');
    add_word(out, "event", guard_event_name(event->kind));
    add_time(out, "time", instant_wall_s(event->at));
    if (event->seconds)
        add_time(out, "until", instant_wall_s(event->at) + event->seconds);
    else
        buf_puts(out, "\"until\":null,");
    buf_printf(out, "\"seconds\":%" PRIu32 ",\"observed\":%s,", event->seconds,
               event->observed ? "true" : "false");
    add_text(out, "switch", switch_name);
    add_word(out, "network", network);
    add_text(out, "account", event->account);
    add_word(out, "attack", guard_attack_name(event->attack));
    add_word(out, "witness", witness_name(event->witness));
    add_word(out, "proof", proof_name(event->proof));
    add_good(out, event);
    buf_printf(out,
               "\"count\":%" PRIu32 ",\"threshold\":%" PRIu32 ",\"window\":%" PRIu32
               ",\"level\":%" PRIu32 "}\n",
               event->count, event->threshold, event->window, event->level);
}
