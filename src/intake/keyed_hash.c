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

/* The lengths stand in front, and say which of the two ways is gone. */
uint64_t keyed_hash_all(const uint8_t key[16], uint64_t before, const struct span *parts, size_t n)
{
    uint32_t lengths[KEYED_HASH_PARTS];
    uint8_t in[sizeof(before) + sizeof(lengths) + 2 * PIECE];
    size_t head = sizeof(before) + n * sizeof(*lengths), at = head;

    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > sizeof(in) - at) {
            for (i = 0; i < n; i++)
                before = keyed_hash(key, before, parts[i]);
            return before;
        }
        lengths[i] = (uint32_t)parts[i].n;
        if (parts[i].n)
            memcpy(in + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    memcpy(in, &before, sizeof(before));
    memcpy(in + sizeof(before), lengths, head - sizeof(before));
    crypto_shorthash((uint8_t *)&before, in, at, key);
    return before ? before : 1;
}
