/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/keyed_hash.h"

#include <sodium.h>

#define PIECE 240

/* The length of each piece is hashed by SipHash itself, and only the last is shorter than PIECE. */
uint64_t keyed_hash(const uint8_t key[16], uint64_t before, struct span bytes)
{
    uint8_t in[sizeof(before) + PIECE];
    size_t n;

    do {
        n = bytes.n < PIECE ? bytes.n : PIECE;
        memcpy(in, &before, sizeof(before));
        if (n)
            memcpy(in + sizeof(before), bytes.p, n);
        crypto_shorthash((uint8_t *)&before, in, sizeof(before) + n, key);
        bytes = span_skip(bytes, n);
    } while (n == PIECE);
    return before ? before : 1;
}
