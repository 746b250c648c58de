/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json_text.h"

#include <stdint.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static bool hex4(struct span s, uint32_t *unit)
{
    uint32_t value = 0;

    if (s.n < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        int d = hex_digit(s.p[i]);

        if (d < 0)
            return false;
        value = value << 4 | (uint32_t)d;
    }
    *unit = value;
    return true;
}

static void put_code_point(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_putc(b, (char)c);
    } else if (c >= 0xdc80 && c <= 0xdcff) {
        buf_putc(b, (char)(c - 0xdc00));
    } else if (c < 0x800) {
        buf_putc(b, (char)(0xc0 | c >> 6));
        buf_putc(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_putc(b, (char)(0xe0 | c >> 12));
        buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_putc(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_putc(b, (char)(0xf0 | c >> 18));
        buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_putc(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* `s` stands behind "\u"; returns the bytes taken, 0 where it is not four hexadecimal digits. */
static size_t take_unicode(struct span s, struct buf *out)
{
    uint32_t c, low;

    if (!hex4(s, &c))
        return 0;
    if (c >= 0xd800 && c < 0xdc00 && s.n >= 10 && s.p[4] == '\\' && s.p[5] == 'u' &&
        hex4(span_skip(s, 6), &low) && low >= 0xdc00 && low < 0xe000) {
        put_code_point(out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
        return 10;
    }
    put_code_point(out, c);
    return 4;
}

/* `s` stands behind the backslash; returns the bytes taken, 0 where it is no escape of JSON. */
static size_t take_escape(struct span s, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at;

    if (!s.n)
        return 0;
    if (s.p[0] == 'u') {
        size_t n = take_unicode(span_skip(s, 1), out);

        return n ? n + 1 : 0;
    }
    at = memchr(from, s.p[0], sizeof(from) - 1);
    if (!at)
        return 0;
    buf_putc(out, to[at - from]);
    return 1;
}

int json_text_decode(struct span line, struct buf *out, struct fault *f)
{
    struct span s = line;

    while (s.n && is_space(s.p[0]))
        s = span_skip(s, 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
        return fault(f, ERR_SYNTAX, "not a JSON string in double quotes: %s", ESCAPED(s));
    s = (struct span){s.p + 1, s.n - 2};
    buf_clear(out);
    while (s.n) {
        size_t n = 1;

        if (s.p[0] == '"')
            return fault(f, ERR_SYNTAX, "something stands behind the end of the JSON string");
        if ((unsigned char)s.p[0] < 0x20)
            return fault(f, ERR_SYNTAX,
                         "a control character must be written as \\u%04x in a JSON string",
                         (unsigned)(unsigned char)s.p[0]);
        if (s.p[0] == '\\') {
            n = take_escape(span_skip(s, 1), out);
            if (n == 0)
                return fault(f, ERR_SYNTAX,
                             "a backslash in a JSON string is followed by one of "
                             "\" \\ / b f n r t or by u and four hexadecimal digits");
            n++;
        } else {
            buf_putc(out, s.p[0]);
        }
        s = span_skip(s, n);
    }
    return out->failed ? fault_nomem(f) : 0;
}
