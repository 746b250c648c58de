/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/tsv.h"

#include "base/utf8.h"

int tsv_fault(const struct tsv *t, struct fault *f)
{
    char name[64];

    return fault_in(f, "%s, line %zu", escape(t->name, name, sizeof(name)), t->line);
}

static bool has_control(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* The next line that is neither empty nor a comment: 1, 0 at the end, or an error. */
static int next_line(struct tsv *t, struct span *line, struct fault *f)
{
    while (t->rest.n) {
        struct span l = span_cut(t->rest, '\n', &t->rest);

        t->line++;
        if (l.n && l.p[l.n - 1] == '\r')
            l.n--;
        if (has_control(l) || !utf8_valid(l)) {
            fault(f, ERR_SYNTAX, "a control character or bytes that are not UTF-8");
            tsv_fault(t, f);
            return ERR_SYNTAX;
        }
        if (l.n && l.p[0] != '#') {
            *line = l;
            return 1;
        }
    }
    return 0;
}

static int split(struct tsv *t, struct span line, struct fault *f)
{
    size_t n = 0;

    for (struct span rest = line; rest.p;) {
        struct span cell = span_cut(rest, '\t', &rest);

        if (n < t->n_columns)
            t->cells[n] = cell;
        n++;
    }
    if (n == t->n_columns)
        return 0;
    fault(f, ERR_SYNTAX, "%zu cells between tabs where the table has %zu columns", n, t->n_columns);
    tsv_fault(t, f);
    return ERR_SYNTAX;
}

int tsv_open(struct tsv *t, struct span name, struct span content, const char *const *columns,
             size_t n, struct fault *f)
{
    struct tsv open = {.name = name, .rest = content, .n_columns = n};
    struct span line = {NULL, 0};
    int rc = next_line(&open, &line, f);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        fault(f, ERR_SYNTAX, "the table is empty");
        tsv_fault(&open, f);
        return ERR_SYNTAX;
    }
    rc = split(&open, line, f);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (span_is(open.cells[i], columns[i]))
            continue;
        fault(f, ERR_SYNTAX, "column %zu is \"%s\", and must be \"%s\"", i + 1,
              ESCAPED(open.cells[i]), columns[i]);
        tsv_fault(&open, f);
        return ERR_SYNTAX;
    }
    *t = open;
    return 0;
}

int tsv_next(struct tsv *t, struct fault *f)
{
    struct span line;
    int rc = next_line(t, &line, f);

    if (rc <= 0)
        return rc;
    rc = split(t, line, f);
    return rc ? rc : 1;
}

/* One or two digits at the front of `s`; false where there are none. */
static bool take_length(struct span *s, unsigned *value)
{
    unsigned v = 0;
    size_t n = 0;

    while (n < s->n && n < 2 && s->p[n] >= '0' && s->p[n] <= '9')
        v = v * 10 + (unsigned)(s->p[n++] - '0');
    *s = span_skip(*s, n);
    *value = v;
    return n > 0;
}

/* "7", "7-11", "[7-11]" */
static bool one_range(struct span s, unsigned *from, unsigned *to)
{
    if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = (struct span){s.p + 1, s.n - 2};
    if (!take_length(&s, from))
        return false;
    *to = *from;
    if (s.n && s.p[0] == '-') {
        s = span_skip(s, 1);
        if (!take_length(&s, to))
            return false;
    }
    return s.n == 0 && *from <= *to;
}

int tsv_lengths(struct span text, unsigned most, uint32_t *mask, struct fault *f)
{
    uint32_t m = 0;

    for (struct span rest = text; rest.p;) {
        struct span part = span_cut(rest, ',', &rest);
        unsigned from, to;

        if (!one_range(part, &from, &to) || to > most)
            return fault(f, ERR_SYNTAX, "\"%s\" are no lengths: lists like 7,9-11, at most %u",
                         ESCAPED(text), most);
        for (unsigned n = from; n <= to; n++)
            m |= UINT32_C(1) << n;
    }
    if (!m)
        return fault(f, ERR_SYNTAX, "lengths are missing");
    *mask = m;
    return 0;
}
