/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/account_hash.h"

#include <sodium/crypto_generichash.h>
#include <string.h>

void account_hash_keys(struct account_hash_keys *out, const uint8_t key[16])
{
    unsigned char *bytes = (unsigned char *)out;
    size_t block = crypto_generichash_BYTES_MAX;

    _Static_assert(sizeof(*out) % crypto_generichash_BYTES_MAX % crypto_generichash_BYTES == 0,
                   "the last block is none, or one that BLAKE2b can make");
    for (unsigned char i = 0; i * block < sizeof(*out); i++) {
        size_t left = sizeof(*out) - i * block;

        crypto_generichash(bytes + i * block, left < block ? left : block, &i, 1, key, 16);
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

    memcpy(&word, p, sizeof(word));
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
}

static uint64_t half_of(const char *p)
{
    uint32_t word;

    memcpy(&word, p, sizeof(word));
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(word) : word;
}

static uint64_t byte_of(const char *p, size_t i)
{
    return (uint64_t)(unsigned char)p[i] << 8 * i;
}

/* The last 1 to 7 bytes of a name, behind its words. Nothing outside of the name is read; where it is
 * shorter than what is loaded, some bytes are met twice. */
static uint64_t rest_of(struct span name)
{
    size_t n = name.n % 8;

    if (name.n > 8)
        return word_of(name.p + name.n - 8) >> (64 - 8 * n);
    if (n >= 4)
        return half_of(name.p) | half_of(name.p + n - 4) << 8 * (n - 4);
    return byte_of(name.p, 0) | byte_of(name.p, n / 2) | byte_of(name.p, n - 1);
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
        add(&sums, ++key, account_hash_fold(rest_of(name)));
    return (struct account_hash){(uint64_t)(sums.where >> 64), (uint64_t)(sums.what >> 64)};
}
