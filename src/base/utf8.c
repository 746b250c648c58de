/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

size_t utf8_decode(struct span s, uint32_t *c)
{
    if (s.n == 0)
        return 0;

    const unsigned char *p = (const unsigned char *)s.p;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len;
    uint32_t v;

    if (p[0] < 0x80) {
        *c = p[0];
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] < 0xe0) {
        len = 2;
        v = p[0] & 0x1f;
    } else if (p[0] >= 0xe0 && p[0] < 0xf0) {
        len = 3;
        v = p[0] & 0x0f;
    } else if (p[0] >= 0xf0 && p[0] < 0xf5) {
        len = 4;
        v = p[0] & 0x07;
    } else {
        return 0;
    }
    if (s.n < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3f);
    }
    if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return 0;
    *c = v;
    return len;
}

bool utf8_valid(struct span s)
{
    uint32_t c;

    for (size_t len; s.n; s = span_skip(s, len)) {
        if ((unsigned char)s.p[0] < 0x80) { /* nearly all */
            len = 1;
            continue;
        }
        len = utf8_decode(s, &c);
        if (len == 0)
            return false;
    }
    return true;
}
