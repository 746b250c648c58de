/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_LONG_HASH_H
#define SEKISHO_INTAKE_LONG_HASH_H

#include <stdint.h>

#include "base/span.h"

/*
 * A keyed hash of some hundred bytes in several parts, for where keyed_hash_all() would take longer than all that is
 * done with its answer. All bytes are summed, eight by eight, each word times a key of its own (as policy/account_hash
 * does: two inputs meet with a probability of 2^-64 over the keys), and SipHash-2-4 of the sum is what is told.
 * So the answer may be shown to anybody: it says nothing of the keys.
 */
#define LONG_HASH_PARTS 8
#define LONG_HASH_WORDS 160 /* more than so many of eight bytes are hashed by keyed_hash() */

struct long_hash_keys {
    uint64_t word[LONG_HASH_WORDS][2]; /* the lower and the upper half of 128 bits */
    uint8_t sum[16], many[16];
};

/* Expands `key` by BLAKE2b. */
void long_hash_keys(struct long_hash_keys *out, const uint8_t key[16]);

/* Of a number and `n` parts, LONG_HASH_PARTS at most; where they part counts. Never 0. */
uint64_t long_hash(const struct long_hash_keys *keys, uint64_t before, const struct span *parts,
                   size_t n);

#endif
