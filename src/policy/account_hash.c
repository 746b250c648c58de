/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/account_hash.h"

#include <string.h>

#include "base/key_stretch.h"

void account_hash_keys(struct account_hash_keys *out, const uint8_t key[16])
{
    _Static_assert(sizeof(*out) % KEY_STRETCH_UNIT == 0, "as many as can be made");
    key_stretch(out, sizeof(*out), key);
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

/* The last 0 to 7 bytes of a name, behind its words. Nothing outside of the name is read; where it is
 * shorter than what is loaded, some bytes are met twice. */
static uint64_t rest_of(struct span name)
{
    size_t n = name.n % 8;

    if (n == 0)
        return 0;
    if (name.n > 8)
        return word_of(name.p + name.n - 8) >> (64 - 8 * n);
    if (n >= 4)
        return half_of(name.p) | half_of(name.p + n - 4) << 8 * (n - 4);
    return byte_of(name.p, 0) | byte_of(name.p, n / 2) | byte_of(name.p, n - 1);
}

/* A sum modulo 2^128 of keys, each times a word. The upper halves of keys only reach the upper half. */
struct sum {
    unsigned __int128 of_lower;
    uint64_t of_upper;
};

static inline void add(struct sum *sum, const uint64_t key[2], uint64_t word)
{
    sum->of_lower += (unsigned __int128)key[0] * word;
    sum->of_upper += key[1] * word;
}

static inline uint64_t upper_half(const struct sum *sum)
{
    return (uint64_t)(sum->of_lower >> 64) + sum->of_upper;
}

struct account_hash account_hash(const struct account_hash_keys *keys, int64_t switch_id,
                                 struct span name)
{
    const struct account_hash_key *key = keys->word;
    struct sum where = {key->where[0], key->where[1]}, what = {key->what[0], key->what[1]};
    size_t whole = name.n / 8;
    uint64_t word;

    key++;
    add(&where, key->where, (uint64_t)switch_id);
    add(&what, key->what, (uint64_t)switch_id);
    for (size_t i = 0; i < whole; i++) {
        key++;
        word = account_hash_fold(word_of(name.p + 8 * i));
        add(&where, key->where, word);
        add(&what, key->what, word);
    }
    key++;
    word = account_hash_fold(rest_of(name)) | UINT64_C(1) << 8 * (name.n % 8);
    add(&where, key->where, word);
    add(&what, key->what, word);
    return (struct account_hash){upper_half(&where), upper_half(&what)};
}
