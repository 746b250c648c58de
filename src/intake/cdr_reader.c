/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_reader.h"

#include <stdlib.h>

#include "intake/cdr_freeswitch.h"
#include "intake/cdr_kamailio.h"

struct cdr_reader {
    struct cdr_csv csv;
    enum cdr_format format;
    union {
        struct cdr_asterisk asterisk;
        struct cdr_freeswitch freeswitch;
        struct cdr_mapped mapped;
        struct {
            struct cdr_kamailio *calls;
            bool known;
            signed char columns[CDR_ACC_FIELDS]; /* where each field stands, -1 nowhere */
        } kamailio;
    };
    struct cdr_figures figures;
    struct cdr_row row;
    void *mark; /* what stands before `row`, as it was */
};

#define STATE offsetof(struct cdr_reader, row)

static const char *const formats[] = {"asterisk", "freeswitch", "mapping", "kamailio"};

bool cdr_format_named(struct span name, enum cdr_format *out)
{
    int which = span_among(name, formats, sizeof(formats) / sizeof(*formats));

    if (which < 0)
        return false;
    *out = (enum cdr_format)which;
    return true;
}

int cdr_reader_new(struct cdr_reader **out, const struct cdr_options *options, struct fault *f)
{
    struct cdr_reader *r = calloc(1, sizeof(*r));
    int err = 0;

    if (r)
        r->mark = malloc(STATE);
    if (!r || !r->mark) {
        free(r);
        return fault_nomem(f);
    }
    r->format = options->format;
    r->csv.delimiter = ',';
    switch (r->format) {
    case CDR_FORMAT_ASTERISK:
        cdr_zone_begin(&r->asterisk.zone, options->tz);
        r->asterisk.is = options->asterisk_17th;
        break;
    case CDR_FORMAT_FREESWITCH:
        cdr_zone_begin(&r->freeswitch.zone, options->tz);
        r->csv.loose = true;
        break;
    case CDR_FORMAT_MAPPING:
        cdr_zone_begin(&r->mapped.zone, options->tz);
        r->mapped.mapping = options->mapping;
        r->csv.delimiter = cdr_mapping_delimiter(options->mapping);
        break;
    case CDR_FORMAT_KAMAILIO:
        err = cdr_kamailio_new(&r->kamailio.calls, CDR_OPEN_CALLS, options->tz, options->key, f);
        break;
    }
    if (err) {
        free(r->mark);
        free(r);
        return err;
    }
    *out = r;
    return 0;
}

void cdr_reader_free(struct cdr_reader *r)
{
    if (!r)
        return;
    if (r->format == CDR_FORMAT_KAMAILIO)
        cdr_kamailio_free(r->kamailio.calls);
    free(r->mark);
    free(r);
}

void cdr_reader_mark(struct cdr_reader *r)
{
    memcpy(r->mark, r, STATE);
}

bool cdr_reader_back(struct cdr_reader *r)
{
    if (r->format == CDR_FORMAT_KAMAILIO)
        return false;
    memcpy(r, r->mark, STATE);
    return true;
}

static int find_columns(struct cdr_reader *r, struct fault *f)
{
    bool there[CDR_ACC_FIELDS] = {false};
    signed char columns[CDR_ACC_FIELDS];
    int err;

    memset(columns, -1, sizeof(columns));
    for (size_t i = 0; i < r->row.n; i++) {
        int field = cdr_acc_field_named(cdr_row_cell(&r->row, i));

        if (field >= 0 && !there[field]) {
            there[field] = true;
            columns[field] = (signed char)i;
        }
    }
    if ((err = cdr_acc_complete(there, f)))
        return err;
    memcpy(r->kamailio.columns, columns, sizeof(columns));
    r->kamailio.known = true;
    return 0;
}

static int read_acc(struct cdr_reader *r, struct cdr *out, struct fault *f)
{
    struct span fields[CDR_ACC_FIELDS] = {{NULL, 0}};

    if (!r->kamailio.known)
        return find_columns(r, f);
    for (size_t i = 0; i < CDR_ACC_FIELDS; i++) {
        signed char column = r->kamailio.columns[i];

        if (column >= 0 && (size_t)column >= r->row.n)
            return fault(f, ERR_SYNTAX, "%zu columns, which are fewer than the header has",
                         r->row.n);
        if (column >= 0)
            fields[i] = cdr_row_cell(&r->row, (size_t)column);
    }
    return cdr_kamailio_row(r->kamailio.calls, fields, r->row.line, out, f);
}

static int read_row(struct cdr_reader *r, struct cdr *out, struct fault *f)
{
    switch (r->format) {
    case CDR_FORMAT_ASTERISK: return cdr_asterisk_read(&r->asterisk, &r->row, out, f);
    case CDR_FORMAT_FREESWITCH: return cdr_freeswitch_read(&r->freeswitch, &r->row, out, f);
    case CDR_FORMAT_MAPPING: return cdr_mapping_read(&r->mapped, &r->row, out, f);
    case CDR_FORMAT_KAMAILIO: return read_acc(r, out, f);
    }
    return ERR_CORRUPT;
}

enum cdr_step cdr_reader_next(struct cdr_reader *r, const char *p, size_t n, bool last,
                              size_t *used, struct cdr *out, struct fault *f)
{
    size_t at = 0, taken;

    for (;;) {
        enum cdr_csv_found found = cdr_csv_next(&r->csv, p + at, n - at, last, &r->row, &taken, f);
        int read;

        at += taken;
        *used = at;
        if (found == CDR_CSV_MORE && last && r->format == CDR_FORMAT_KAMAILIO &&
            cdr_kamailio_drain(r->kamailio.calls, out)) {
            r->figures.records++;
            return CDR_STEP_RECORD;
        }
        if (found == CDR_CSV_MORE)
            return CDR_STEP_MORE;
        read = found == CDR_CSV_ROW ? read_row(r, out, f) : ERR_SYNTAX;
        if (read < 0) {
            r->figures.bad++;
            return read == ERR_MISSING ? CDR_STEP_FORMAT : CDR_STEP_BAD;
        }
        if (read > 0) {
            r->figures.records++;
            r->figures.doubtful += cdr_clock_doubtful(out);
            return CDR_STEP_RECORD;
        }
        r->figures.passed++;
    }
}

uint64_t cdr_reader_line(const struct cdr_reader *r)
{
    return r->row.line;
}

uint64_t cdr_reader_next_line(const struct cdr_reader *r)
{
    return r->csv.line + 1;
}

int cdr_reader_header(struct cdr_reader *r, const char *p, size_t n, struct fault *f)
{
    struct cdr_csv csv = {.delimiter = r->csv.delimiter};
    struct cdr none;
    size_t used;
    enum cdr_csv_found found = cdr_csv_next(&csv, p, n, true, &r->row, &used, f);

    if (found == CDR_CSV_MORE)
        return fault(f, ERR_SYNTAX, "there is no header");
    return found == CDR_CSV_ROW ? cdr_mapping_read(&r->mapped, &r->row, &none, f) : ERR_SYNTAX;
}

void cdr_reader_resume(struct cdr_reader *r, uint64_t line)
{
    r->csv.begun = true;
    r->csv.line = line - 1;
}

struct cdr_figures cdr_reader_figures(const struct cdr_reader *r)
{
    return r->figures;
}
