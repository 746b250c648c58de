/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_csv.h"

#if defined(__SSE2__) && !defined(CDR_CSV_PORTABLE)
#include <emmintrin.h>
#endif

#define STEP 64 /* bytes at a time: one bit each */

/* Where what stands in 64 bytes; the first byte is the lowest bit. */
struct marks {
    uint64_t quotes, delimiters, newlines, returns;
    uint64_t before, behind; /* of loose rows: what else may stand before and behind quotes */
};

#if defined(__SSE2__) && !defined(CDR_CSV_PORTABLE)
static uint64_t equal(__m128i bytes, char c, unsigned at)
{
    __m128i same = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));

    return (uint64_t)(unsigned)_mm_movemask_epi8(same) << at;
}

static struct marks look(const char *p, char delimiter)
{
    struct marks m = {0};

    for (unsigned i = 0; i < STEP; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));

        m.quotes |= equal(bytes, '"', i);
        m.delimiters |= equal(bytes, delimiter, i);
        m.newlines |= equal(bytes, '\n', i);
        m.returns |= equal(bytes, '\r', i);
    }
    return m;
}
#else
static struct marks look(const char *p, char delimiter)
{
    struct marks m = {0};

    for (unsigned i = 0; i < STEP; i++) {
        m.quotes |= (uint64_t)(p[i] == '"') << i;
        m.delimiters |= (uint64_t)(p[i] == delimiter) << i;
        m.newlines |= (uint64_t)(p[i] == '\n') << i;
        m.returns |= (uint64_t)(p[i] == '\r') << i;
    }
    return m;
}
#endif

static void look_loosely(struct marks *m, const char *p)
{
    for (unsigned i = 0; i < STEP; i++) {
        m->before |= (uint64_t)(p[i] == ' ' || p[i] == '(') << i;
        m->behind |= (uint64_t)(p[i] == ')') << i;
    }
}

/* Each bit: whether an odd number of bits is set up to it. */
static uint64_t parity(uint64_t x)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        x ^= x << shift;
    return x;
}

/* One row on its way. A doubled quote closes and opens again at once. */
struct scan {
    uint64_t inside;   /* all ones: the step before ended within quotes */
    uint64_t closed;   /* 1: its last byte was a closing quote */
    uint64_t may_open; /* 1: a quote may open at the first byte */
    size_t cell;       /* where the open cell begins */
    size_t quotes, newlines;
    size_t end; /* of the row: its line end */
    bool ended, bad, wide;
};

static void add_cells(struct scan *s, struct cdr_row *row, const char *p, size_t at, uint64_t ends)
{
    for (; ends; ends &= ends - 1) {
        size_t end = at + (size_t)__builtin_ctzll(ends);

        if (row->n == CDR_COLUMNS_MAX) {
            s->wide = true;
            return;
        }
        row->cells[row->n++] = (struct span){p + s->cell, end - s->cell};
        s->cell = end + 1;
    }
}

/* One step, of which the bits in `valid` are of the block. */
static void scan_step(struct scan *s, struct cdr_row *row, const char *p, size_t at, struct marks m,
                      uint64_t valid)
{
    uint64_t inside = parity(m.quotes) ^ s->inside;
    uint64_t closing = m.quotes & ~inside, opening = m.quotes & inside;
    uint64_t ends = m.newlines & ~inside;
    uint64_t upto = ends ? ends ^ (ends - 1) : valid;
    uint64_t may_open = m.delimiters | m.quotes | m.before;
    uint64_t before_opening = may_open << 1 | s->may_open;
    uint64_t behind_closing = m.delimiters | m.newlines | m.returns | m.quotes | m.behind;
    uint64_t bad = (opening & ~before_opening) | ((closing << 1 | s->closed) & ~behind_closing);

    if (bad & upto & valid) {
        s->bad = true;
        return;
    }
    add_cells(s, row, p, at, (m.delimiters & ~inside & upto) | (ends & upto));
    s->quotes += (size_t)__builtin_popcountll(m.quotes & upto);
    s->newlines += (size_t)__builtin_popcountll(m.newlines & upto);
    if (ends) {
        s->ended = true;
        s->end = at + (size_t)__builtin_ctzll(ends);
        return;
    }
    s->inside = 0 - (inside >> 63);
    s->closed = closing >> 63;
    s->may_open = may_open >> 63;
}

static void scan_row(struct scan *s, struct cdr_row *row, const char *p, size_t n,
                     const struct cdr_csv *csv)
{
    char tail[STEP] = {0};

    for (size_t at = 0; at < n; at += STEP) {
        uint64_t valid = ~UINT64_C(0);
        const char *step = p + at;

        if (n - at < STEP) {
            /* The rest by a copy: behind it stands nothing that may be read. */
            memcpy(tail, step, n - at);
            step = tail;
            valid >>= STEP - (n - at);
        }
        struct marks m = look(step, csv->delimiter);

        if (csv->loose)
            look_loosely(&m, step);

        /* Zeros behind the end could be the delimiter. */
        m.delimiters &= valid;
        scan_step(s, row, p, at, m, valid);
        if (s->ended || s->bad || s->wide)
            return;
    }
}

/* What stands around the quotes of a cell: blanks, and SQL before the first and behind the last. */
static struct span bare_loosely(struct span cell, bool first, bool last)
{
    while (last && cell.n && (cell.p[cell.n - 1] == ';' || cell.p[cell.n - 1] == ' '))
        cell.n--;
    if (last && cell.n && cell.p[cell.n - 1] == ')')
        cell.n--;
    if (first && span_starts(cell, SPAN("INSERT "))) {
        struct span rest;

        span_cut(cell, '(', &rest);
        cell = rest.p ? rest : cell;
    }
    return span_trim(cell);
}

/* Takes the quotes off. False for a cell that has but one, or some within. */
static bool bare_cells(const struct scan *s, struct cdr_row *row, bool loose)
{
    size_t quoted = 0;

    for (size_t i = 0; i < row->n; i++) {
        struct span *cell = &row->cells[i];

        if (i + 1 == row->n && cell->n && cell->p[cell->n - 1] == '\r')
            cell->n--;
        if (loose)
            *cell = bare_loosely(*cell, i == 0, i + 1 == row->n);
        if (cell->n == 0)
            continue;
        if (cell->p[0] != '"') {
            if (loose && memchr(cell->p, '"', cell->n))
                return false;
            continue;
        }
        if (cell->n < 2 || cell->p[cell->n - 1] != '"')
            return false;
        *cell = (struct span){cell->p + 1, cell->n - 2};
        quoted++;
    }
    row->doubled = s->quotes > 2 * quoted;
    return true;
}

/* Goes on behind the first line end from `at`. */
static enum cdr_csv_found bad_row(struct cdr_csv *csv, const char *p, size_t at, size_t n,
                                  size_t *used, struct fault *f, const char *why)
{
    const char *end = memchr(p + at, '\n', n - at);

    csv->passing = !end;
    csv->line += end != NULL;
    *used = end ? (size_t)(end - p) + 1 : n;
    fault(f, ERR_SYNTAX, "%s", why);
    return CDR_CSV_BAD;
}

static const char too_long[] = "a row of more than 64 KiB, or a quote that is never closed";

static enum cdr_csv_found one_row(struct cdr_csv *csv, const char *p, size_t at, size_t n,
                                  bool last, struct cdr_row *row, size_t *used, struct fault *f)
{
    struct scan s = {.may_open = 1};
    size_t seen = n - at < CDR_ROW_MAX ? n - at : CDR_ROW_MAX;

    row->line = csv->line + 1;
    row->n = 0;
    row->single = 0;
    row->text_n = 0;
    scan_row(&s, row, p + at, seen, csv);
    if (s.bad)
        return bad_row(csv, p, at, n, used, f, "a quote within a cell that is not doubled");
    if (s.wide)
        return bad_row(csv, p, at, n, used, f, "more than 64 columns");
    if (!s.ended) {
        if (seen == CDR_ROW_MAX)
            return bad_row(csv, p, at, n, used, f, too_long);
        if (!last)
            return CDR_CSV_MORE;
        if (s.inside)
            return bad_row(csv, p, at, n, used, f, "a quote that is never closed");
        s.end = seen;
        add_cells(&s, row, p + at, s.end, 1);
        if (s.wide)
            return bad_row(csv, p, at, n, used, f, "more than 64 columns");
    }
    if (!bare_cells(&s, row, csv->loose))
        return bad_row(csv, p, at, n, used, f, "a cell with a quote at one end only");
    csv->line += s.newlines;
    *used = at + s.end + s.ended;
    return CDR_CSV_ROW;
}

/* What is no row: the rest of a bad line, a byte order mark, empty lines. False where the block ends in it. */
static bool pass_over(struct cdr_csv *csv, const char *p, size_t n, bool last, size_t *at)
{
    if (csv->passing) {
        const char *end = memchr(p, '\n', n);

        *at = end ? (size_t)(end - p) + 1 : n;
        csv->passing = !end;
        csv->line += end != NULL;
    }
    if (!csv->begun) {
        if (n < 3 && !last)
            return false;
        csv->begun = true;
        *at = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    }
    while (*at < n) {
        size_t cr = p[*at] == '\r';

        if (*at + cr == n) {
            *at += last ? cr : 0;
            return false;
        }
        if (p[*at + cr] != '\n')
            return true;
        *at += cr + 1;
        csv->line++;
    }
    return false;
}

enum cdr_csv_found cdr_csv_next(struct cdr_csv *csv, const char *p, size_t n, bool last,
                                struct cdr_row *row, size_t *used, struct fault *f)
{
    size_t at = 0;

    *used = 0;
    if (n == 0)
        return CDR_CSV_MORE;
    if (!pass_over(csv, p, n, last, &at)) {
        *used = at;
        return CDR_CSV_MORE;
    }
    *used = at;
    return one_row(csv, p, at, n, last, row, used, f);
}

struct span cdr_row_cell(struct cdr_row *row, size_t i)
{
    struct span cell;
    char *text;
    size_t n = 0;

    if (i >= row->n)
        return (struct span){NULL, 0};
    cell = row->cells[i];
    if (!row->doubled || row->single >> i & 1 || cell.n == 0 || !memchr(cell.p, '"', cell.n))
        return cell;
    /* All cells together are no longer than the row. */
    text = row->text + row->text_n;
    for (size_t at = 0; at < cell.n; at++) {
        text[n++] = cell.p[at];
        at += cell.p[at] == '"';
    }
    row->text_n += n;
    row->cells[i] = (struct span){text, n};
    row->single |= UINT64_C(1) << i;
    return row->cells[i];
}
