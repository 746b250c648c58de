/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_ACCOUNT_HASH_H
#define SEKISHO_POLICY_ACCOUNT_HASH_H

#include <stdint.h>

#include "base/span.h"

/*
 * The name of an account on its switch, as 128 bits that stand for it: the table of accounts keeps no
 * names, so that two names with the same hash would be one account. They are made by a universal
 * hash, whose chance of that has a proof, at a few nanoseconds.
 *
 * A name is the words x1 = the switch's id, and x2, x3 … = its bytes, ASCII letters folded to lower case,
 * and behind them a byte 1, eight to a word (the first is the lowest), zeros behind the end. Words that
 * a shorter name does not have are 0, and a name's last word is not: so two (switch, name) that are
 * not the same always differ in a word. Each half of the hash is
 *
 *     h(x) = (k0 + k1 x1 + k2 x2 + … mod 2^128) / 2^64, rounded down,
 *
 * with random keys k of 128 bits, others for each half ("multilinear": Lemire and Kaser, Strongly
 * universal string hashing is fast, 2014). For x and y that differ, h(x) = h(y) for one in 2^64 of
 * all keys, and both halves for one in 2^128:
 *
 *     A word i with d = xi - yi != 0: d is 2^t times an odd number, t <= 63. So the difference D of the two sums is uniform among the 2^(128-t) values of
 *     one residue modulo 2^t, whatever the other keys are; and, by k0, the sum of x is uniform and
 *     independent of D. Taken between -2^127 and 2^127, a D leaves the upper halves equal for 2^64 - |D|
 *     of the 2^64 lower halves, or for none where |D| >= 2^64. These numbers, summed over a residue
 *     modulo 2^t, which divides 2^64, are 2^64 2^(64-t) for every residue. Hence the chance is
 *     2^-(128-t) 2^(128-t) / 2^64 = 2^-64.
 *
 * So n accounts and q questions hold a mix-up with a chance of at most (n^2 / 2 + n q) / 2^128: with
 * 10 million accounts, and a million million questions, 1 in 10^19. That holds against anyone who
 * does not know the keys; neither they nor a hash may ever be shown.
 */
struct account_hash {
    uint64_t where, what;
};

#define ACCOUNT_NAME_MAX 64

/* The keys, drawn from 16 random bytes by BLAKE2b. */
struct account_hash_keys {
    struct account_hash_key {
        uint64_t where[2], what[2]; /* the lower 64 bits, the upper */
    } word[3 + ACCOUNT_NAME_MAX / 8];
};

void account_hash_keys(struct account_hash_keys *out, const uint8_t key[16]);

/* `name` may hold any bytes, ACCOUNT_NAME_MAX of them at most. */
struct account_hash account_hash(const struct account_hash_keys *keys, int64_t switch_id,
                                 struct span name);

/* Eight bytes with the letters A to Z among them in lower case. */
uint64_t account_hash_fold(uint64_t bytes);

#endif
