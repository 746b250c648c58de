/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_asterisk.h"

#include "intake/cdr_channel.h"
#include "intake/cdr_word.h"

#define LEAST_COLUMNS 16
#define SAME_DAY_S (26 * 3600) /* no two zones are farther apart */

static const char *const names[CDR_AST_FIELDS] = {
    "accountcode", "src",      "dst",      "dcontext",  "clid",        "channel",  "dstchannel",
    "lastapp",     "lastdata", "start",    "answer",    "end",         "duration", "billsec",
    "disposition", "amaflags", "uniqueid", "userfield", "peeraccount", "linkedid", "sequence",
};

int cdr_asterisk_field_named(struct span name)
{
    for (int i = 0; i < CDR_AST_FIELDS; i++)
        if (span_eq_nocase(name, span_of(names[i])))
            return i;
    return span_eq_nocase(name, SPAN("calldate")) ? CDR_AST_START : -1;
}

int64_t cdr_asterisk_id_time(struct span id)
{
    struct span rest, seconds;
    int64_t time, count;
    size_t at = id.n;

    /* A system's name in front ends in a dash, and may have some. */
    while (at > 0 && id.p[at - 1] != '-')
        at--;
    seconds = span_cut(span_skip(id, at), '.', &rest);
    if (seconds.n < 9 || seconds.n > 11 || !cdr_number(seconds, INT64_MAX, &time) ||
        !cdr_number(rest, INT64_MAX, &count))
        return 0;
    return time;
}

static int outcome(const struct span fields[CDR_AST_FIELDS], enum cdr_outcome *out, struct fault *f)
{
    static const struct {
        const char *disposition;
        enum cdr_outcome outcome;
    } words[] = {
        {"ANSWERED", CDR_ANSWERED}, {"NO ANSWER", CDR_NO_ANSWER}, {"BUSY", CDR_BUSY},
        {"FAILED", CDR_FAILED},     {"CONGESTION", CDR_FAILED},   {"NOANSWER", CDR_NO_ANSWER},
        {"UNKNOWN", CDR_UNKNOWN},
    };
    struct span said = fields[CDR_AST_DISPOSITION];

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!span_is(said, words[i].disposition))
            continue;
        *out = words[i].outcome;
        if (span_is(fields[CDR_AST_LASTAPP], "Hangup") && span_is(fields[CDR_AST_LASTDATA], "21") &&
            fields[CDR_AST_DSTCHANNEL].n == 0)
            *out = CDR_REFUSED;
        return 0;
    }
    return fault(f, ERR_SYNTAX, "\"%s\" is no disposition of Asterisk's", ESCAPED(said));
}

static int times(struct cdr_asterisk *a, const struct span fields[CDR_AST_FIELDS], struct cdr *c,
                 struct fault *f)
{
    int64_t local;
    int err;

    if (!cdr_time_read(fields[CDR_AST_START], &local))
        return fault(f, ERR_SYNTAX, "start \"%s\" is no time such as 2026-11-24 02:33:02",
                     ESCAPED(fields[CDR_AST_START]));
    if ((err = cdr_zone_start(&a->zone, local, c->id_s, c, f)))
        return err;
    err = cdr_seconds(fields[CDR_AST_DURATION], "duration", &c->total_s, f);
    return err ? err : cdr_seconds(fields[CDR_AST_BILLSEC], "billsec", &c->billed_s, f);
}

int cdr_asterisk_fields(struct cdr_asterisk *a, const struct span fields[CDR_AST_FIELDS],
                        struct cdr *out, struct fault *f)
{
    struct cdr_channel near = cdr_channel_read(fields[CDR_AST_CHANNEL]);
    struct cdr c = {
        .account = fields[CDR_AST_ACCOUNTCODE],
        .channel = fields[CDR_AST_CHANNEL],
        .endpoint = near.endpoint,
        .src = fields[CDR_AST_SRC],
        .dialled = fields[CDR_AST_DST],
        .trunk = cdr_channel_read(fields[CDR_AST_DSTCHANNEL]).endpoint,
        .id = fields[CDR_AST_UNIQUEID],
        .linked = fields[CDR_AST_LINKEDID],
        .sequence = -1,
        .id_s = cdr_asterisk_id_time(fields[CDR_AST_UNIQUEID]),
        .near_half = near.near_half,
    };
    int err;

    if (span_is(fields[CDR_AST_LASTAPP], "Dial"))
        c.sent = cdr_dialled_number(fields[CDR_AST_LASTDATA]);
    if (fields[CDR_AST_SEQUENCE].n && !cdr_number(fields[CDR_AST_SEQUENCE], INT64_MAX, &c.sequence))
        return fault(f, ERR_SYNTAX, "sequence \"%s\" is no number",
                     ESCAPED(fields[CDR_AST_SEQUENCE]));
    if ((err = times(a, fields, &c, f)) || (err = outcome(fields, &c.outcome, f)))
        return err;
    if (c.dialled.n == 0 && c.sent.n == 0)
        return 0;
    *out = c;
    return 1;
}

/* The 17th of 17 or 20 columns. A uniqueid is never empty and says when its channel began. */
static int find_17th(struct cdr_asterisk *a, struct span cell, struct span start, struct fault *f)
{
    int64_t time = cdr_asterisk_id_time(cell), local;

    if (a->is == CDR_17TH_USERFIELD)
        return 0;
    if (a->is == CDR_17TH_UNIQUEID)
        return time ? 0
                    : fault(f, ERR_SYNTAX,
                            "column 17 is \"%s\", which is no uniqueid as those before it were",
                            ESCAPED(cell));
    if (!time) {
        a->is = CDR_17TH_USERFIELD;
        return 0;
    }
    if (!cdr_time_read(start, &local) || local / 1000 - time > SAME_DAY_S ||
        time - local / 1000 > SAME_DAY_S)
        return fault(f, ERR_SYNTAX,
                     "column 17 is \"%s\", which may be the uniqueid or the userfield: say which "
                     "of loguniqueid and loguserfield is on",
                     ESCAPED(cell));
    a->is = CDR_17TH_UNIQUEID;
    return 0;
}

int cdr_asterisk_read(struct cdr_asterisk *a, struct cdr_row *row, struct cdr *out, struct fault *f)
{
    struct span fields[CDR_AST_FIELDS] = {{NULL, 0}};
    size_t behind = row->n == 19 || row->n == 20 || row->n == 21 ? 3 : 0, more;

    if (row->n < LEAST_COLUMNS || row->n > CDR_AST_FIELDS)
        return fault(f, ERR_SYNTAX, "%zu columns; Master.csv has 16 to 21", row->n);
    for (size_t i = 0; i < LEAST_COLUMNS; i++)
        if (i != CDR_AST_CLID && i != CDR_AST_DCONTEXT)
            fields[i] = cdr_row_cell(row, i);
    more = row->n - behind - LEAST_COLUMNS;
    if (more == 1) {
        struct span cell = cdr_row_cell(row, LEAST_COLUMNS);
        int err = find_17th(a, cell, fields[CDR_AST_START], f);

        if (err)
            return err;
        fields[a->is == CDR_17TH_UNIQUEID ? CDR_AST_UNIQUEID : CDR_AST_USERFIELD] = cell;
    } else if (more == 2) {
        fields[CDR_AST_UNIQUEID] = cdr_row_cell(row, CDR_AST_UNIQUEID);
    }
    for (size_t i = 0; i < behind; i++)
        fields[CDR_AST_PEERACCOUNT + i] = cdr_row_cell(row, row->n - behind + i);
    return cdr_asterisk_fields(a, fields, out, f);
}
