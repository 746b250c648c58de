/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/utf8.h"

static void mark_cut(char *text, size_t size, int wanted)
{
    if (wanted >= 0 && (size_t)wanted >= size)
        memcpy(text + size - 4, "...", 4);
}

int fault(struct fault *f, int code, const char *format, ...)
{
    va_list args;

    if (!f)
        return code;
    va_start(args, format);
    mark_cut(f->text, sizeof(f->text), vsnprintf(f->text, sizeof(f->text), format, args));
    va_end(args);
    f->code = code;
    return code;
}

int fault_in(struct fault *f, const char *format, ...)
{
    char where[FAULT_MAX], whole[2 * FAULT_MAX];
    va_list args;

    if (!f)
        return ERR_IO;
    va_start(args, format);
    vsnprintf(where, sizeof(where), format, args);
    va_end(args);
    int n = snprintf(whole, sizeof(whole), "%s: %s", where, f->text);
    size_t keep = (size_t)n < sizeof(f->text) ? (size_t)n : sizeof(f->text) - 1;
    memcpy(f->text, whole, keep);
    f->text[keep] = '\0';
    mark_cut(f->text, sizeof(f->text), n);
    return f->code;
}

int fault_nomem(struct fault *f)
{
    return fault(f, ERR_NOMEM, "out of memory");
}

static bool shown_as_is(uint32_t c)
{
    if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0) || c == '\\' || c == '"')
        return false;
    /* Zero-width, bidi, line and paragraph separators, invisible operators, BOM, tags. */
    if (c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
        (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
        (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f))
        return false;
    return true;
}

char *escape(struct span untrusted, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < untrusted.n;) {
        uint32_t c = 0;
        size_t len = utf8_decode(span_skip(untrusted, i), &c);
        bool plain = len > 0 && shown_as_is(c);
        bool quoted = c == '\\' || c == '"';
        size_t bytes = len ? len : 1;
        size_t need = plain ? bytes : quoted ? 2 : 4 * bytes;

        /* Always room for the mark of a cut and the NUL. */
        if (at + need + 4 > size) {
            memcpy(out + at, "...", 3);
            at += 3;
            break;
        }
        for (size_t k = 0; k < bytes; k++) {
            unsigned char b = (unsigned char)untrusted.p[i + k];

            if (plain) {
                out[at++] = (char)b;
            } else if (quoted) {
                out[at++] = '\\';
                out[at++] = (char)b;
            } else {
                out[at++] = '\\';
                out[at++] = 'x';
                out[at++] = hex[b >> 4];
                out[at++] = hex[b & 15];
            }
        }
        i += bytes;
    }
    out[at] = '\0';
    return out;
}
