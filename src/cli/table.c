/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/utf8.h"

struct range {
    uint32_t from, to;
};

/* Unicode's East_Asian_Width W and F, in blocks. */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static const struct range combining[] = {
    {0x0300, 0x036f}, {0x3099, 0x309a}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static bool within(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].from && c <= r[i].to)
            return true;
    return false;
}

size_t text_width(struct span s)
{
    size_t width = 0;

    while (s.n) {
        uint32_t c = 0;
        size_t len = utf8_decode(s, &c);

        if (within(wide, sizeof(wide) / sizeof(*wide), c))
            width += 2;
        else if (!within(combining, sizeof(combining) / sizeof(*combining), c))
            width++;
        s = span_skip(s, len ? len : 1);
    }
    return width;
}

void text_escape(struct buf *b, struct span untrusted)
{
    char piece[256];

    /* In pieces of at most 32 bytes, none of which cuts a code point. */
    while (untrusted.n) {
        size_t n = untrusted.n < 32 ? untrusted.n : 32;

        while (n < untrusted.n && n > 28 && ((unsigned char)untrusted.p[n] & 0xc0) == 0x80)
            n--;
        escape((struct span){untrusted.p, n}, piece, sizeof(piece));
        /* Nothing here stands in quotes that a quote could end. */
        for (const char *c = piece; *c; c++)
            if (c[0] != '\\' || c[1] != '"')
                buf_putc(b, *c);
            else
                buf_putc(b, *++c);
        untrusted = span_skip(untrusted, n);
    }
}

void table_cell(struct table *t, struct span untrusted)
{
    size_t from = t->cells.n, column = t->n++ % t->columns;

    text_escape(&t->cells, untrusted);
    buf_putc(&t->cells, '\0');
    if (t->cells.failed)
        return;
    size_t width = text_width((struct span){t->cells.p + from, t->cells.n - from - 1});
    if (width > t->width[column])
        t->width[column] = width;
}

void table_text(struct table *t, const char *untrusted)
{
    table_cell(t, untrusted ? span_of(untrusted) : SPAN("-"));
}

void table_format(struct table *t, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    table_cell(t, span_of(text));
}

bool table_print(struct table *t)
{
    struct span rest = buf_span(&t->cells);
    bool whole = !t->cells.failed;

    for (size_t cell = 0; whole && cell < t->n; cell++) {
        struct span text = span_cut(rest, '\0', &rest);
        size_t column = cell % t->columns, width = text_width(text);
        bool last = column + 1 == t->columns;

        fwrite(text.p, 1, text.n, stdout);
        if (last)
            putchar('\n');
        else
            printf("%*s", (int)(t->width[column] - width + 2), "");
    }
    buf_clear(&t->cells);
    t->n = 0;
    return whole;
}

void table_free(struct table *t)
{
    buf_free(&t->cells);
}
