/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/md5.h"

#include <stdint.h>

struct md5 {
    uint32_t state[4];
    uint64_t bytes;
    unsigned char block[64];
};

/* floor(2^32 * |sin(i + 1)|), RFC 1321 section 3.4. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const unsigned turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static void mix(struct md5 *m)
{
    uint32_t word[16], a = m->state[0], b = m->state[1], c = m->state[2], d = m->state[3];

    for (size_t i = 0; i < 16; i++) {
        const unsigned char *p = m->block + 4 * i;

        word[i] = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    }
    for (unsigned i = 0; i < 64; i++) {
        uint32_t f, kept = d;
        unsigned at;

        if (i < 16)
            f = (b & c) | (~b & d), at = i;
        else if (i < 32)
            f = (d & b) | (~d & c), at = (5 * i + 1) % 16;
        else if (i < 48)
            f = b ^ c ^ d, at = (3 * i + 5) % 16;
        else
            f = c ^ (b | ~d), at = 7 * i % 16;
        d = c;
        c = b;
        b += rotate(a + f + sines[i] + word[at], turns[i / 16][i % 4]);
        a = kept;
    }
    m->state[0] += a;
    m->state[1] += b;
    m->state[2] += c;
    m->state[3] += d;
}

static void add(struct md5 *m, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        m->block[m->bytes++ % 64] = (unsigned char)s.p[i];
        if (m->bytes % 64 == 0)
            mix(m);
    }
}

void md5_hex(const struct span *parts, size_t n, char out[MD5_HEX_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    struct md5 m = {.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};

    for (size_t i = 0; i < n; i++)
        add(&m, parts[i]);
    uint64_t bits = m.bytes * 8;
    add(&m, SPAN("\x80"));
    while (m.bytes % 64 != 56)
        add(&m, SPAN("\0"));
    for (unsigned i = 0; i < 8; i++)
        add(&m, (struct span){(char[]){(char)(bits >> (8 * i))}, 1});
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = m.state[i / 4] >> (8 * (i % 4)) & 0xff;

        out[2 * i] = hex[byte >> 4];
        out[2 * i + 1] = hex[byte & 15];
    }
    out[32] = '\0';
}
