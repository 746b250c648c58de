/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/lines.h"

#include "base/utf8.h"
#include "serve/flat.h"

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

/* The quote that ends the cell that begins at `p` with one; NULL where there is none. */
static char *closing(char *p, char *end)
{
    for (p++; p < end; p++) {
        if (*p != '"')
            continue;
        if (p + 1 == end || p[1] != '"')
            return p;
        p++;
    }
    return NULL;
}

/* Unquotes the cell that begins at `p` with a quote, onto itself. Returns what stands behind it; NULL,
 * and changes nothing, where it does not end: the lines behind it are read yet. */
static char *unquote(char *p, char *end, struct span *out, uint64_t *newlines)
{
    char *last = closing(p, end);
    char *to = p + 1;

    if (!last)
        return NULL;
    *out = (struct span){to, 0};
    for (char *from = to; from < last; from++) {
        from += *from == '"';
        *newlines += *from == '\n';
        *to++ = *from;
    }
    out->n = (size_t)(to - out->p);
    return last + 1;
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
        while (p < end && *p != ',' && *p != '\n' && *p != '\r' && *p != '"')
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

/* Which of the names column `i` is called by. */
static int name_column(struct lines *l, size_t i, struct span name, struct fault *f)
{
    unsigned known = 0;

    while (known < l->n_names && !span_is(name, l->names[known]))
        known++;
    if (known == l->n_names)
        return fault(f, ERR_RANGE, "there is no column \"%s\"", ESCAPED(name));
    for (size_t j = 0; j < i; j++) {
        if (l->columns[j] == known)
            return fault(f, ERR_RANGE, "the column \"%s\" stands twice", l->names[known]);
    }
    l->columns[i] = known;
    return 0;
}

static int header(struct lines *l, struct fault *f)
{
    struct span titles[LINES_COLUMNS_MAX];
    bool first = false;
    int rc = cells(l, titles, &l->n_columns, f);

    for (size_t i = 0; !rc && i < l->n_columns; i++) {
        rc = name_column(l, i, titles[i], f);
        first = first || (!rc && l->columns[i] == 0);
    }
    if (!rc && !first)
        rc = fault(f, ERR_RANGE, "the column \"%s\" is missing", l->names[0]);
    return rc ? fault_in(f, "line 1") : 0;
}

static int csv_row(struct lines *l, struct line *out, struct fault *f)
{
    struct span values[LINES_COLUMNS_MAX];
    size_t n;
    int rc = cells(l, values, &n, f);

    if (rc)
        return rc;
    if (n != l->n_columns)
        return fault(f, ERR_SYNTAX, "%zu cells, the header has %zu", n, l->n_columns);
    for (size_t i = 0; i < n; i++) {
        if (!utf8_valid(values[i]))
            return fault(f, ERR_SYNTAX, "%s is not UTF-8", l->names[l->columns[i]]);
        if (values[i].n)
            out->cells[l->columns[i]] = values[i];
    }
    return 0;
}

/* ---- lines ---- */

int lines_begin(struct lines *l, char *text, size_t n, bool csv, const char *const *names,
                struct fault *f)
{
    *l = (struct lines){.at = text, .left = n, .line = 1, .csv = csv, .names = names};
    while (names[l->n_names])
        l->n_names++;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        l->at += 3;
        l->left -= 3;
    }
    return csv ? header(l, f) : 0;
}

static int json_row(struct lines *l, struct reader *reader, struct line *out, struct fault *f)
{
    struct span text = {l->at, l->left};

    skip_line(l);
    text.n -= l->left;
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (flat_read(text, l->names, l->n_names, out->cells))
        return 0;
    reader->line = true;
    return reader_parse(reader, text, &out->json, f);
}

static bool blank(const struct lines *l)
{
    return l->at[0] == '\n' || (l->left > 1 && l->at[0] == '\r' && l->at[1] == '\n');
}

int lines_next(struct lines *l, struct reader *reader, struct line *out, struct fault *f)
{
    int rc;

    while (l->left && blank(l))
        skip_line(l);
    *out = (struct line){.number = l->line};
    if (!l->left)
        return 0;
    rc = l->csv ? csv_row(l, out, f) : json_row(l, reader, out, f);
    return rc ? rc : 1;
}
