/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/account_hash.h"

#include <sodium/crypto_generichash.h>
#include <string.h>

void account_hash_keys(struct account_hash_keys *out, const uint8_t key[16])
{
    enum { BLOCK = 64 };
    unsigned char *bytes = (unsigned char *)out;

    for (unsigned char i = 0; i * BLOCK < (int)sizeof(*out); i++) {
        size_t left = sizeof(*out) - i * BLOCK;

        crypto_generichash(bytes + i * BLOCK, left < BLOCK ? left : BLOCK, &i, 1, key, 16);
    }
}

/* Without a branch and on all eight at once: the top bit of each byte, which the sums of the lower
 * seven do not leave, says whether it is a letter. */
uint64_t account_hash_fold(uint64_t bytes)
{
    const uint64_t each = 0x0101010101010101, top = 0x80 * each;
    uint64_t low = bytes & ~top;
    uint64_t from_a = low + (0x80 - 'A') * each, behind_z = low + (0x7f - 'Z') * each;

    return bytes | (from_a & ~behind_z & ~bytes & top) >> 2;
}

static uint64_t word_of(const char *p)
{
    uint64_t word;

    memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The last `n` bytes, 1 to 7, of a name of `length`; nothing outside the name is read. */
static uint64_t rest_of(const char *name, size_t length, size_t n)
{
    const char *p = name + length - n;
    uint64_t word = 0;

    if (length >= 8)
        return word_of(name + length - 8) >> (64 - 8 * n);
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return word;
}

struct sums {
    unsigned __int128 where, what;
};

static inline unsigned __int128 times(const uint64_t key[2], uint64_t word)
{
    return (unsigned __int128)key[0] * word + ((unsigned __int128)(key[1] * word) << 64);
}

static inline void add(struct sums *sums, const struct account_hash_key *key, uint64_t word)
{
    sums->where += times(key->where, word);
    sums->what += times(key->what, word);
}

struct account_hash account_hash(const struct account_hash_keys *keys, int64_t switch_id,
                                 struct span name)
{
    const struct account_hash_key *key = keys->word;
    struct sums sums = {
        (unsigned __int128)key->where[1] << 64 | key->where[0],
        (unsigned __int128)key->what[1] << 64 | key->what[0],
    };
    size_t i = 0;

    add(&sums, ++key, (uint64_t)switch_id);
    add(&sums, ++key, name.n);
    for (; i + 8 <= name.n; i += 8)
        add(&sums, ++key, account_hash_fold(word_of(name.p + i)));
    if (i < name.n)
        add(&sums, ++key, account_hash_fold(rest_of(name.p, name.n, name.n - i)));
    return (struct account_hash){(uint64_t)(sums.where >> 64), (uint64_t)(sums.what >> 64)};
}
