/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_freeswitch.h"

#include "intake/cdr_channel.h"
#include "intake/cdr_word.h"

bool cdr_freeswitch_cause(struct span cause, enum cdr_outcome *out)
{
    static const struct {
        const char *cause;
        enum cdr_outcome outcome;
    } causes[] = {
        {"USER_BUSY", CDR_BUSY},
        {"ORIGINATOR_CANCEL", CDR_CANCELLED},
        {"NO_ANSWER", CDR_NO_ANSWER},
        {"NO_USER_RESPONSE", CDR_NO_ANSWER},
        {"SUBSCRIBER_ABSENT", CDR_NO_ANSWER},
        {"ALLOTTED_TIMEOUT", CDR_NO_ANSWER},
        {"PICKED_OFF", CDR_NO_ANSWER},
        {"LOSE_RACE", CDR_NO_ANSWER},
        /* The caller hung up what nobody had answered. */
        {"NORMAL_CLEARING", CDR_CANCELLED},
    };

    for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
        if (span_is(cause, causes[i].cause)) {
            *out = causes[i].outcome;
            return true;
        }
    }
    if (cause.n == 0)
        return false;
    /* All others are failures; they are written in capitals. */
    for (size_t i = 0; i < cause.n; i++)
        if ((cause.p[i] < 'A' || cause.p[i] > 'Z') && cause.p[i] != '_' &&
            (cause.p[i] < '0' || cause.p[i] > '9'))
            return false;
    *out = CDR_FAILED;
    return true;
}

/* Where a template has what; -1: nowhere. */
struct layout {
    signed char account, src, dialled, channel, far, app, argument, start, answer, seconds, billed,
        cause, id, linked;
};

static const struct layout plain = {12, 1, 2, -1, -1, -1, -1, 4, 5, 7, 8, 9, 10, 11};
static const struct layout like_asterisk = {0, 1, 2, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, -1};

static const struct layout *layout_of(size_t columns)
{
    switch (columns) {
    case 13:
    case 15:
    case 17:
    case 20: return &plain;
    case 18: return &like_asterisk;
    default: return NULL;
    }
}

static struct span cell(struct cdr_row *row, signed char column)
{
    return column < 0 ? (struct span){NULL, 0} : cdr_row_cell(row, (size_t)column);
}

/* sofia/internal/1001@192.0.2.7: who was authenticated, or claims to be. */
static struct span endpoint(struct span channel)
{
    struct span rest, part = span_cut(channel, '/', &rest);

    if (!span_is(part, "sofia") || !rest.p)
        return (struct span){NULL, 0};
    span_cut(rest, '/', &rest);
    return span_cut(rest, '@', &rest);
}

/* bridge's "{options}sofia/gateway/carrier/0312345678,..." */
static void read_bridge(struct span data, struct cdr *c)
{
    static const char way[] = "sofia/gateway/";
    const char *at = data.n ? memmem(data.p, data.n, way, sizeof(way) - 1) : NULL;
    struct span rest, number;

    if (!at)
        return;
    c->trunk = span_cut(span_skip(data, (size_t)(at - data.p) + sizeof(way) - 1), '/', &rest);
    number = span_cut(rest, ',', &rest);
    number = span_cut(number, '|', &rest);
    c->sent = span_cut(number, '@', &rest);
}

/* Older ones wrote the beginning of time for what never was. */
static bool was_answered(struct span answer)
{
    return answer.n && !span_starts(answer, SPAN("1970-01-01")) &&
           !span_starts(answer, SPAN("1969-12-31")) && !span_starts(answer, SPAN("0000-"));
}

static int times(struct cdr_freeswitch *fs, const struct layout *l, struct cdr_row *row,
                 struct cdr *c, struct fault *f)
{
    struct span start = cell(row, l->start);
    int64_t local;
    int err;

    if (!cdr_time_read(start, &local))
        return fault(f, ERR_SYNTAX,
                     "column %d is \"%s\" and no time such as 2026-11-24 02:33:02: not a template "
                     "that FreeSWITCH brings",
                     l->start + 1, ESCAPED(start));
    if ((err = cdr_zone_start(&fs->zone, local, 0, c, f)))
        return err;
    err = cdr_seconds(cell(row, l->seconds), "duration", &c->total_s, f);
    return err ? err : cdr_seconds(cell(row, l->billed), "billsec", &c->billed_s, f);
}

int cdr_freeswitch_read(struct cdr_freeswitch *fs, struct cdr_row *row, struct cdr *out,
                        struct fault *f)
{
    const struct layout *l = layout_of(row->n);
    struct cdr c = {.sequence = -1};
    struct span cause;
    int err;

    if (!l)
        return fault(f, ERR_SYNTAX,
                     "%zu columns; the templates that FreeSWITCH brings have 13, 15, 17, 18 or 20",
                     row->n);
    if ((err = times(fs, l, row, &c, f)))
        return err;
    cause = cell(row, l->cause);
    if (!cdr_freeswitch_cause(cause, &c.outcome))
        return fault(f, ERR_SYNTAX, "\"%s\" is no hangup cause of FreeSWITCH's", ESCAPED(cause));
    if (was_answered(cell(row, l->answer)))
        c.outcome = CDR_ANSWERED;
    c.account = cell(row, l->account);
    c.src = cell(row, l->src);
    c.dialled = cell(row, l->dialled);
    c.channel = cell(row, l->channel);
    c.endpoint = endpoint(c.channel);
    c.trunk = endpoint(cell(row, l->far));
    if (span_is(cell(row, l->app), "bridge"))
        read_bridge(cell(row, l->argument), &c);
    c.id = cell(row, l->id);
    c.linked = cell(row, l->linked);
    if (c.dialled.n == 0 && c.sent.n == 0)
        return 0;
    *out = c;
    return 1;
}
