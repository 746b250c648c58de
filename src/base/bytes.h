/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_BYTES_H
#define SEKISHO_BASE_BYTES_H

#include <stdint.h>

#include "base/span.h"

/*
 * Questions about all bytes of a span, and copies of it, eight bytes at a time: what is dialled is ten to
 * twenty bytes long, too short for a vector loop to begin and long enough for a byte loop to be felt.
 * Bytes are asked as they lie in memory, so the order of bytes in a word plays no part. Words overlap
 * where the length is no multiple of theirs.
 */
#define BYTES_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t bytes_word(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

/* Most that is copied is a telephone number of 8 to 16 bytes: two words that overlap, and no call. */
static inline void bytes_copy(char *to, struct span s)
{
    if (s.n >= 8 && s.n <= 16) {
        uint64_t first = bytes_word(s.p), last = bytes_word(s.p + s.n - 8);

        memcpy(to, &first, sizeof(first));
        memcpy(to + s.n - 8, &last, sizeof(last));
    } else if (s.n) {
        memcpy(to, s.p, s.n);
    }
}

/* Whether `n` bytes are the same. */
static inline bool bytes_equal(const char *a, const char *b, size_t n)
{
    if (n >= 8 && n <= 16)
        return ((bytes_word(a) ^ bytes_word(b)) |
                (bytes_word(a + n - 8) ^ bytes_word(b + n - 8))) == 0;
    return memcmp(a, b, n) == 0;
}

/* The length of a string in memory of 16 bytes or more, whatever stands behind its NUL. */
static inline size_t bytes_length(const char *p)
{
    for (size_t i = 0; i < 16; i += 8) {
        uint64_t word = bytes_word(p + i), nul;

        if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
            word = __builtin_bswap64(word);
        /* The lowest bit that is set belongs to the first NUL; those above it mean nothing. */
        nul = (word - BYTES_EACH(1)) & ~word & BYTES_EACH(0x80);
        if (nul)
            return i + (size_t)__builtin_ctzll(nul) / 8;
    }
    return 16 + strlen(p + 16);
}

/* The first and the last four of four to eight bytes. */
static inline uint64_t bytes_word_of(struct span s)
{
    uint32_t first, last;

    memcpy(&first, s.p, sizeof(first));
    memcpy(&last, s.p + s.n - sizeof(last), sizeof(last));
    return (uint64_t)first << 32 | last;
}

/* '0'-'9' are 0x30-0x39: a 3 above, and still a 3 when 6 is added. */
static inline bool bytes_are_digits(uint64_t word)
{
    uint64_t high = BYTES_EACH(0xf0);

    return ((word & high) | ((word + BYTES_EACH(6)) & high) >> 4) == BYTES_EACH(0x33);
}

/* True for an empty span. */
static inline bool span_all_digits(struct span s)
{
    if (s.n > 8) {
        for (size_t i = 0; i + 8 < s.n; i += 8)
            if (!bytes_are_digits(bytes_word(s.p + i)))
                return false;
        return bytes_are_digits(bytes_word(s.p + s.n - 8));
    }
    if (s.n >= 4)
        return bytes_are_digits(bytes_word_of(s));
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* A byte below 0x20, or 0x7f. */
static inline bool bytes_have_control(uint64_t word)
{
    uint64_t del = word ^ BYTES_EACH(0x7f);
    uint64_t below = (word - BYTES_EACH(0x20)) & ~word, zero = (del - BYTES_EACH(1)) & ~del;

    return ((below | zero) & BYTES_EACH(0x80)) != 0;
}

static inline bool span_has_control(struct span s)
{
    if (s.n >= 8) {
        for (size_t i = 0; i + 8 < s.n; i += 8)
            if (bytes_have_control(bytes_word(s.p + i)))
                return true;
        return bytes_have_control(bytes_word(s.p + s.n - 8));
    }
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

#endif
