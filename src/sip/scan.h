/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_SCAN_H
#define SEKISHO_SIP_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Finding bytes, 16 at a time where the machine can. Calls of memchr() cost more than what they find
 * in lines as short as SIP's. Nothing behind `end` is read.
 */

#ifdef __SSE2__
static inline __m128i scan_16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 8 to 15 bytes: the first 8, and the last 8, which overlap them. */
static inline __m128i scan_ends(const char *p, const char *end)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)p),
                              _mm_loadl_epi64((const __m128i *)(const void *)(end - 8)));
}

/* Where the first bit of `found` stands, if those are bits for scan_ends(). */
static inline const char *scan_place(const char *p, const char *end, unsigned found)
{
    if (!found)
        return end;
    return found & 0xff ? p + __builtin_ctz(found) : end - 8 + __builtin_ctz(found >> 8);
}

/* Which bytes of `x` are `a`, `b` or `c`: a bit for each. */
static inline unsigned scan_mask(__m128i x, char a, char b, char c)
{
    __m128i same =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(a)), _mm_cmpeq_epi8(x, _mm_set1_epi8(b)));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(same, _mm_cmpeq_epi8(x, _mm_set1_epi8(c))));
}

/* Which bytes are `first` to `last`: 0xff for each. */
static inline __m128i scan_range(__m128i x, char first, char last)
{
    __m128i from = _mm_sub_epi8(x, _mm_set1_epi8(first));
    __m128i most = _mm_set1_epi8((char)(last - first));

    return _mm_cmpeq_epi8(_mm_min_epu8(from, most), from);
}

/* Which no URI has: controls, quotes, < > and backslashes. */
static inline unsigned scan_no_uri(__m128i x)
{
    __m128i odd = _mm_or_si128(scan_range(x, 0, 0x1f), _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));

    /* < and > differ in one bit alone. */
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(_mm_or_si128(x, _mm_set1_epi8(2)), _mm_set1_epi8('>')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)));
    return (unsigned)_mm_movemask_epi8(odd);
}

/* Which are neither letter, digit, '-' nor '.'. */
static inline unsigned scan_no_host(__m128i x)
{
    __m128i letter = scan_range(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i other =
        _mm_andnot_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('/')), scan_range(x, '-', '9'));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, other)) ^ 0xffff;
}
#endif

/* The first byte of p..end that is `a`, `b` or `c`; `end` where there is none. */
static inline const char *scan_any(const char *p, const char *end, char a, char b, char c)
{
#ifdef __SSE2__
    if (end - p >= 16) {
        const char *last = end - 16;

        for (; p < last; p += 16) {
            unsigned found = scan_mask(scan_16(p), a, b, c);

            if (found)
                return p + __builtin_ctz(found);
        }
        /* Some of these were looked at already, and are none. */
        unsigned found = scan_mask(scan_16(last), a, b, c);

        return found ? last + __builtin_ctz(found) : end;
    }
    if (end - p >= 8)
        return scan_place(p, end, scan_mask(scan_ends(p, end), a, b, c));
#endif
    while (p < end && *p != a && *p != b && *p != c)
        p++;
    return p;
}

static inline const char *scan_either(const char *p, const char *end, char a, char b)
{
    return scan_any(p, end, a, b, b);
}

/* The first byte of p..end below 0x20 that is no tab: a line's end, or what no line may hold. */
static inline const char *scan_control(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i last = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t');

    for (; end - p >= 16; p += 16) {
        __m128i x = scan_16(p);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, last), x);
        int found = _mm_movemask_epi8(_mm_andnot_si128(_mm_cmpeq_epi8(x, tab), control));

        if (found)
            return p + __builtin_ctz((unsigned)found);
    }
#endif
    while (p < end && ((unsigned char)*p >= 0x20 || *p == '\t'))
        p++;
    return p;
}

static inline uint64_t scan_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

static inline uint32_t scan_half(const char *p)
{
    uint32_t half;

    memcpy(&half, p, sizeof(half));
    return half;
}

/* Are the `n` bytes at `p`, none of them a control, `lower` without regard to case? `lower` has no
 * capitals, and of other bytes only digits, '-' and '/': to them the bit that makes a letter small
 * does nothing but turn controls into them. */
static inline bool scan_same(const char *p, const char *lower, size_t n)
{
    const uint64_t small = 0x2020202020202020;

    if (n < 4) {
        for (size_t i = 0; i < n; i++)
            if ((p[i] | 0x20) != lower[i])
                return false;
        return true;
    }
    if (n < 8)
        return (scan_half(p) | (uint32_t)small) == scan_half(lower) &&
               (scan_half(p + n - 4) | (uint32_t)small) == scan_half(lower + n - 4);
    for (size_t i = 0; i + 8 < n; i += 8)
        if ((scan_word(p + i) | small) != scan_word(lower + i))
            return false;
    return (scan_word(p + n - 8) | small) == scan_word(lower + n - 8);
}

/* As scan_same(), for 1 to 16 bytes; `lower` has 16, and at `p` all up to `end` may be read. */
static inline bool scan_name(const char *p, const char *end, const char lower[16], size_t n)
{
#ifdef __SSE2__
    if (end - p >= 16) {
        __m128i x = _mm_or_si128(scan_16(p), _mm_set1_epi8(0x20));
        int same = _mm_movemask_epi8(_mm_cmpeq_epi8(x, scan_16(lower)));

        return (~(unsigned)same & ((1u << n) - 1)) == 0;
    }
#endif
    return scan_same(p, lower, n);
}

/* The first `at` of the 16 bytes at `p`, `end` where it is none of them, or where there are no 16. */
static inline const char *scan_near(const char *p, const char *end, char at)
{
#ifdef __SSE2__
    if (end - p >= 16) {
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(scan_16(p), _mm_set1_epi8(at)));

        return found ? p + __builtin_ctz((unsigned)found) : end;
    }
#endif
    (void)p;
    (void)at;
    return end;
}

#endif
