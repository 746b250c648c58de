/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/lines.h"

/* Behind a line that cannot be read, the next one is tried. */
static void skip_line(struct lines *l)
{
    struct span rest;

    span_cut((struct span){l->at, l->left}, '\n', &rest);
    l->at += l->left - rest.n;
    l->left = rest.n;
    l->line++;
}

/* ---- CSV ---- */

/* Unquotes the cell that begins at `p` with a quote, onto itself. Returns what stands behind it, NULL
 * where it does not end. */
static char *unquote(char *p, char *end, struct span *out, uint64_t *newlines)
{
    char *from = p;
    char *to = p;

    for (p++; p < end; p++) {
        if (*p == '"' && !(p + 1 < end && p[1] == '"'))
            break;
        p += *p == '"';
        *newlines += *p == '\n';
        *to++ = *p;
    }
    *out = (struct span){from, (size_t)(to - from)};
    return p < end ? p + 1 : NULL;
}

/* Cuts one cell off. `*last`: a line's end stood behind it. */
static int cell(struct lines *l, struct span *out, bool *last, struct fault *f)
{
    char *end = l->at + l->left;
    char *p = l->at;
    uint64_t newlines = 0;

    if (p < end && *p == '"') {
        p = unquote(p, end, out, &newlines);
        if (!p)
            return fault(f, ERR_SYNTAX, "a quoted cell does not end");
    } else {
        while (p < end && !strchr(",\n\r\"", *p))
            p++;
        *out = (struct span){l->at, (size_t)(p - l->at)};
    }
    if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
        p++;
    if (p < end && *p != ',' && *p != '\n')
        return fault(f, ERR_SYNTAX, "a cell must be followed by a comma or the line's end");
    *last = p == end || *p == '\n';
    l->line += newlines + (p < end && *p == '\n');
    p += p < end;
    l->at = p;
    l->left = (size_t)(end - p);
    return 0;
}

static int cells(struct lines *l, struct span *out, size_t *n, struct fault *f)
{
    bool last = false;

    *n = 0;
    while (!last) {
        int rc;

        if (*n == LINES_COLUMNS_MAX)
            rc = fault(f, ERR_RANGE, "more than %d cells", LINES_COLUMNS_MAX);
        else
            rc = cell(l, &out[*n], &last, f);
        if (rc) {
            skip_line(l);
            return rc;
        }
        (*n)++;
    }
    return 0;
}

static int check_column(const struct lines *l, size_t i, const char *const *columns,
                        struct fault *f)
{
    size_t known = 0;

    while (columns[known] && !span_is(l->columns[i], columns[known]))
        known++;
    if (!columns[known])
        return fault(f, ERR_RANGE, "there is no column \"%s\"", ESCAPED(l->columns[i]));
    for (size_t j = 0; j < i; j++) {
        if (span_eq(l->columns[i], l->columns[j]))
            return fault(f, ERR_RANGE, "the column \"%s\" stands twice", columns[known]);
    }
    return 0;
}

static int header(struct lines *l, const char *const *columns, struct fault *f)
{
    bool first = false;
    int rc = cells(l, l->columns, &l->n_columns, f);

    for (size_t i = 0; !rc && i < l->n_columns; i++) {
        rc = check_column(l, i, columns, f);
        first = first || span_is(l->columns[i], columns[0]);
    }
    if (!rc && !first)
        rc = fault(f, ERR_RANGE, "the column \"%s\" is missing", columns[0]);
    return rc ? fault_in(f, "line 1") : 0;
}

static int csv_row(struct lines *l, json_t **out, struct fault *f)
{
    struct span values[LINES_COLUMNS_MAX];
    json_t *row;
    size_t n;
    int rc = cells(l, values, &n, f);

    if (rc)
        return rc;
    if (n != l->n_columns)
        return fault(f, ERR_SYNTAX, "%zu cells, the header has %zu", n, l->n_columns);
    row = json_object();
    if (!row)
        return fault_nomem(f);
    for (size_t i = 0; i < n; i++) {
        struct span name = l->columns[i];
        json_t *value = values[i].n ? json_stringn(values[i].p, values[i].n) : NULL;

        if (values[i].n && (!value || json_object_setn_new(row, name.p, name.n, value))) {
            json_decref(row);
            return fault(f, ERR_SYNTAX, "%.*s is not UTF-8", SPAN_FMT(name));
        }
    }
    *out = row;
    return 0;
}

/* ---- lines ---- */

int lines_begin(struct lines *l, char *text, size_t n, bool csv, const char *const *columns,
                struct fault *f)
{
    *l = (struct lines){.at = text, .left = n, .line = 1, .csv = csv};
    if (!csv)
        return 0;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        l->at += 3;
        l->left -= 3;
    }
    return header(l, columns, f);
}

static int json_row(struct lines *l, struct reader *reader, json_t **out, struct fault *f)
{
    struct span text = {l->at, l->left};

    skip_line(l);
    text.n -= l->left;
    return reader_parse(reader, text, out, f);
}

static bool blank(const struct lines *l)
{
    return l->at[0] == '\n' || (l->left > 1 && l->at[0] == '\r' && l->at[1] == '\n');
}

int lines_next(struct lines *l, struct reader *reader, json_t **out, uint64_t *line,
               struct fault *f)
{
    int rc;

    while (l->left && blank(l))
        skip_line(l);
    if (!l->left)
        return 0;
    *line = l->line;
    rc = l->csv ? csv_row(l, out, f) : json_row(l, reader, out, f);
    return rc ? rc : 1;
}
