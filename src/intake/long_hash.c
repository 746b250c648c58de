/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/long_hash.h"

#include <sodium/crypto_shorthash.h>

#include "base/key_stretch.h"
#include "intake/keyed_hash.h"

void long_hash_keys(struct long_hash_keys *out, const uint8_t key[16])
{
    _Static_assert(sizeof(*out) % KEY_STRETCH_UNIT == 0, "as many as can be made");
    key_stretch(out, sizeof(*out), key);
}

/* Words are taken as they lie in memory: the keys live no longer than the process. */
static uint64_t word_of(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

/* The last 1 to 7 bytes of a part as one word, which no other such bytes of the same number have. */
static uint64_t rest_of(struct span part)
{
    uint64_t word = 0;

    if (part.n >= 8)
        return word_of(part.p + part.n - 8);
    memcpy(&word, part.p, part.n);
    return word;
}

/* A sum modulo 2^128. The upper halves of the keys only reach its upper half. */
struct sum {
    unsigned __int128 of_lower;
    uint64_t of_upper;
    const uint64_t (*key)[2];
};

static inline void add(struct sum *sum, uint64_t word)
{
    sum->of_lower += (unsigned __int128)(*sum->key)[0] * word;
    sum->of_upper += (*sum->key)[1] * word;
    sum->key++;
}

static void add_part(struct sum *sum, struct span part)
{
    for (size_t i = 0; i + 8 <= part.n; i += 8)
        add(sum, word_of(part.p + i));
    if (part.n % 8)
        add(sum, rest_of(part));
}

static size_t words_of(const struct span *parts, size_t n)
{
    size_t words = 1; /* the number in front */

    for (size_t i = 0; i < n; i++)
        words += 1 + (parts[i].n + 7) / 8;
    return words;
}

/* The lengths stand in front: so no two inputs are the same words, with zeros behind the shorter. */
static uint64_t sum_of(const struct long_hash_keys *keys, uint64_t before, const struct span *parts,
                       size_t n)
{
    struct sum sum = {.key = keys->word};

    add(&sum, before);
    for (size_t i = 0; i < n; i++)
        add(&sum, parts[i].n);
    for (size_t i = 0; i < n; i++)
        add_part(&sum, parts[i]);
    return (uint64_t)(sum.of_lower >> 64) + sum.of_upper;
}

uint64_t long_hash(const struct long_hash_keys *keys, uint64_t before, const struct span *parts,
                   size_t n)
{
    uint64_t sum, hash;

    if (words_of(parts, n) > LONG_HASH_WORDS)
        return keyed_hash_all(keys->many, before, parts, n);
    sum = sum_of(keys, before, parts, n);
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)&sum, sizeof(sum), keys->sum);
    return hash ? hash : 1;
}
