/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_mapping.h"

#include <stdlib.h>

#include "intake/cdr_channel.h"
#include "intake/cdr_strptime.h"
#include "intake/cdr_word.h"

enum field {
    ACCOUNT,
    ENDPOINT,
    CHANNEL,
    SRC,
    DIALLED,
    SENT,
    TRUNK,
    ID,
    LINKED,
    SEQUENCE,
    START,
    TOTAL,
    BILLED,
    OUTCOME,
};
#define FIELDS (OUTCOME + 1)

static const char *const field_names[FIELDS] = {
    "account", "endpoint", "channel",  "src",   "dialled", "sent",   "trunk",
    "id",      "linked",   "sequence", "start", "total",   "billed", "outcome",
};

struct cdr_mapping {
    char *text; /* that the spans are of */
    char delimiter;
    bool header;
    struct span columns[FIELDS]; /* p == NULL: not said */
    struct span time;
    struct span words[CDR_REFUSED + 1]; /* of each outcome */
};

static int set_delimiter(struct cdr_mapping *m, struct span value, struct fault *f)
{
    if (span_is(value, "tab"))
        m->delimiter = '\t';
    else if (value.n == 1 && value.p[0] != '"' && value.p[0] != '\r')
        m->delimiter = value.p[0];
    else
        return fault(f, ERR_SYNTAX, "delimiter \"%s\": it is one byte, or \"tab\"", ESCAPED(value));
    return 0;
}

static int set(struct cdr_mapping *m, struct span key, struct span value, struct fault *f)
{
    int field = span_among(key, field_names, FIELDS);
    enum cdr_outcome outcome;

    if (span_is(key, "delimiter"))
        return set_delimiter(m, value, f);
    if (value.n == 0)
        return fault(f, ERR_SYNTAX, "\"%s\" has no value", ESCAPED(key));
    if (span_is(key, "header")) {
        m->header = span_is(value, "yes");
        return m->header || span_is(value, "no")
                   ? 0
                   : fault(f, ERR_SYNTAX, "header \"%s\": it is yes or no", ESCAPED(value));
    }
    if (span_is(key, "time")) {
        m->time = value;
        return cdr_strptime_valid(value)
                   ? 0
                   : fault(f, ERR_SYNTAX,
                           "time \"%s\": it says year, month and day, with %%Y %%m %%d %%H %%M %%S "
                           "%%y %%b %%e %%I %%p %%F %%T %%f %%z, or is unix or unix-ms",
                           ESCAPED(value));
    }
    if (field >= 0 && !m->columns[field].p) {
        m->columns[field] = value;
        return 0;
    }
    if (cdr_outcome_named(key, &outcome) && outcome != CDR_UNKNOWN && !m->words[outcome].p) {
        m->words[outcome] = value;
        return 0;
    }
    return fault(f, ERR_SYNTAX, "\"%s\" is no key of a mapping, or stands twice", ESCAPED(key));
}

static int parse(struct cdr_mapping *m, struct span text, struct fault *f)
{
    unsigned n = 0;

    for (struct span rest = text; rest.p;) {
        struct span value, line = span_cut(rest, '\n', &rest), key;
        int err;

        n++;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        line = span_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        key = span_trim(span_cut(line, '=', &value));
        if (!value.p)
            return fault(f, ERR_SYNTAX, "line %u: \"%s\" is no \"key = value\"", n, ESCAPED(line));
        if ((err = set(m, key, span_trim(value), f))) {
            fault_in(f, "line %u", n);
            return err;
        }
    }
    if (!m->columns[DIALLED].p || !m->columns[START].p)
        return fault(f, ERR_MISSING, "a mapping says at least where dialled and start stand");
    if (m->columns[OUTCOME].p && !m->words[CDR_ANSWERED].p)
        return fault(f, ERR_MISSING, "a mapping with an outcome says which words are \"answered\"");
    return 0;
}

/* Without a header a column is called by its number. */
static int check_numbers(const struct cdr_mapping *m, struct fault *f)
{
    int64_t number;

    for (size_t i = 0; i < FIELDS && !m->header; i++)
        if (m->columns[i].p &&
            (!cdr_number(m->columns[i], CDR_COLUMNS_MAX, &number) || number == 0))
            return fault(f, ERR_SYNTAX,
                         "%s = \"%s\": without \"header = yes\" a column is a number from 1 to %d",
                         field_names[i], ESCAPED(m->columns[i]), CDR_COLUMNS_MAX);
    return 0;
}

int cdr_mapping_new(struct cdr_mapping **out, struct span text, struct fault *f)
{
    struct cdr_mapping *m;
    int err;

    if (text.n > CDR_MAPPING_BYTES_MAX)
        return fault(f, ERR_RANGE, "a mapping has at most %d bytes", CDR_MAPPING_BYTES_MAX);
    m = calloc(1, sizeof(*m));
    if (!m || !(m->text = malloc(text.n + 1))) {
        cdr_mapping_free(m);
        return fault_nomem(f);
    }
    if (text.n)
        memcpy(m->text, text.p, text.n);
    m->delimiter = ',';
    err = parse(m, (struct span){m->text, text.n}, f);
    if (!err)
        err = check_numbers(m, f);
    if (err) {
        cdr_mapping_free(m);
        return err;
    }
    *out = m;
    return 0;
}

void cdr_mapping_free(struct cdr_mapping *m)
{
    if (!m)
        return;
    free(m->text);
    free(m);
}

char cdr_mapping_delimiter(const struct cdr_mapping *m)
{
    return m->delimiter;
}

bool cdr_mapping_header(const struct cdr_mapping *m)
{
    return m->header;
}

static int find_column(struct cdr_row *row, struct span name, signed char *out, const char *field,
                       struct fault *f)
{
    int64_t number;

    for (size_t i = 0; i < row->n; i++) {
        if (span_eq_nocase(span_trim(cdr_row_cell(row, i)), name)) {
            *out = (signed char)i;
            return 0;
        }
    }
    if (cdr_number(name, CDR_COLUMNS_MAX, &number) && number > 0) {
        *out = (signed char)(number - 1);
        return 0;
    }
    return fault(f, ERR_MISSING, "%s = %s: the header has no column \"%s\"", field, ESCAPED(name),
                 ESCAPED(name));
}

static int find_columns(struct cdr_mapped *m, struct cdr_row *row, struct fault *f)
{
    signed char columns[FIELDS];

    for (size_t i = 0; i < FIELDS; i++) {
        struct span name = m->mapping->columns[i];
        int64_t number;
        int err;

        columns[i] = -1;
        if (!name.p)
            continue;
        if (!m->mapping->header && cdr_number(name, CDR_COLUMNS_MAX, &number))
            columns[i] = (signed char)(number - 1);
        else if ((err = find_column(row, name, &columns[i], field_names[i], f)))
            return err;
    }
    memcpy(m->columns, columns, sizeof(columns));
    m->known = true;
    return 0;
}

static bool stands_in(struct span word, struct span words)
{
    for (struct span rest = words; rest.p;)
        if (span_eq_nocase(word, span_trim(span_cut(rest, ',', &rest))))
            return true;
    return false;
}

static int outcome(const struct cdr_mapping *m, struct span word, uint32_t billed,
                   enum cdr_outcome *out, struct fault *f)
{
    word = span_trim(word);
    if (!m->columns[OUTCOME].p) {
        *out = billed ? CDR_ANSWERED : CDR_UNKNOWN;
        return 0;
    }
    for (int any = 0; any < 2; any++) {
        for (int o = CDR_ANSWERED; o <= CDR_REFUSED; o++) {
            if (m->words[o].p && stands_in(any ? SPAN("*") : word, m->words[o])) {
                *out = (enum cdr_outcome)o;
                return 0;
            }
        }
    }
    return fault(f, ERR_SYNTAX, "outcome \"%s\" stands nowhere in the mapping", ESCAPED(word));
}

static int start(struct cdr_mapped *m, struct span text, struct cdr *c, struct fault *f)
{
    bool local = true, read;
    int64_t ms;

    text = span_trim(text);
    read = m->mapping->time.p ? cdr_strptime(m->mapping->time, text, &ms, &local)
                              : cdr_time_read(text, &ms);
    if (!read)
        return fault(f, ERR_SYNTAX, "start \"%s\" is no time such as %.100s", ESCAPED(text),
                     m->mapping->time.p ? ESCAPED(m->mapping->time) : "2026-11-24 02:33:02");
    if (local)
        return cdr_zone_start(&m->zone, ms, 0, c, f);
    c->start_ms = ms;
    return cdr_time_check(ms, f);
}

static struct span cell(const struct cdr_mapped *m, struct cdr_row *row, enum field field)
{
    signed char column = m->columns[field];

    return column < 0 ? (struct span){NULL, 0} : cdr_row_cell(row, (size_t)column);
}

static int numbers(const struct cdr_mapped *m, struct cdr_row *row, struct cdr *c, struct fault *f)
{
    struct span total = span_trim(cell(m, row, TOTAL)), billed = span_trim(cell(m, row, BILLED));
    struct span sequence = cell(m, row, SEQUENCE);
    int err;

    if (total.n && (err = cdr_seconds(total, "total", &c->total_s, f)))
        return err;
    if (billed.n && (err = cdr_seconds(billed, "billed", &c->billed_s, f)))
        return err;
    if (!total.n)
        c->total_s = c->billed_s;
    if (sequence.n && !cdr_number(sequence, INT64_MAX, &c->sequence))
        return fault(f, ERR_SYNTAX, "sequence \"%s\" is no number", ESCAPED(sequence));
    return 0;
}

int cdr_mapping_read(struct cdr_mapped *m, struct cdr_row *row, struct cdr *out, struct fault *f)
{
    struct cdr c = {.sequence = -1};
    struct cdr_channel channel;
    int err;

    if (!m->known) {
        err = find_columns(m, row, f);
        if (err || m->mapping->header)
            return err;
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (m->columns[i] >= 0 && (size_t)m->columns[i] >= row->n)
            return fault(f, ERR_SYNTAX, "%zu columns; %s is the %dth", row->n, field_names[i],
                         m->columns[i] + 1);
    if ((err = start(m, cell(m, row, START), &c, f)) || (err = numbers(m, row, &c, f)) ||
        (err = outcome(m->mapping, cell(m, row, OUTCOME), c.billed_s, &c.outcome, f)))
        return err;
    c.account = cell(m, row, ACCOUNT);
    c.channel = cell(m, row, CHANNEL);
    channel = cdr_channel_read(c.channel);
    c.endpoint = m->columns[ENDPOINT] >= 0 ? cell(m, row, ENDPOINT) : channel.endpoint;
    c.near_half = channel.near_half;
    c.src = cell(m, row, SRC);
    c.dialled = cell(m, row, DIALLED);
    c.sent = cell(m, row, SENT);
    c.trunk = cell(m, row, TRUNK);
    c.id = cell(m, row, ID);
    c.linked = cell(m, row, LINKED);
    if (c.dialled.n == 0 && c.sent.n == 0)
        return 0;
    *out = c;
    return 1;
}
