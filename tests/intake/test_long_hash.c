/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "intake/long_hash.h"

static const uint8_t key[16] = "sixteen bytes..", other_key[16] = "sixteen others.";

/* As the header defines it, one byte after the other. */
static uint64_t by_definition(const struct long_hash_keys *keys, uint64_t before,
                              const struct span *parts, size_t n)
{
    unsigned __int128 sum = 0;
    uint64_t words[LONG_HASH_WORDS] = {before}, hash, upper;
    size_t at = 1;

    for (size_t i = 0; i < n; i++)
        words[at++] = parts[i].n;
    for (size_t i = 0; i < n; i++) {
        size_t left = parts[i].n, from = 0;

        for (; left >= 8; left -= 8, from += 8)
            memcpy(&words[at++], parts[i].p + from, 8);
        /* Of what is left, the last eight bytes; or the rest and zeros where there are no eight. */
        if (left && parts[i].n >= 8)
            memcpy(&words[at++], parts[i].p + parts[i].n - 8, 8);
        else if (left)
            memcpy(&words[at++], parts[i].p, left);
    }
    for (size_t i = 0; i < at; i++)
        sum += ((unsigned __int128)keys->word[i][1] << 64 | keys->word[i][0]) * words[i];
    upper = (uint64_t)(sum >> 64);
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)&upper, sizeof(upper), keys->sum);
    return hash;
}

static void it_is_what_is_defined(void **state)
{
    struct long_hash_keys keys;
    char bytes[300];

    (void)state;
    long_hash_keys(&keys, key);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 37 + 11);
    for (size_t a = 0; a < 40; a++)
        for (size_t b = 0; b < 40; b++) {
            const struct span parts[] = {{bytes, a}, {bytes + a, b}, {bytes + 100, 200}};

            assert_true(long_hash(&keys, a, parts, 3) == by_definition(&keys, a, parts, 3));
        }
}

/* Where the parts meet, how many bytes there are, the number in front, the key: all of it counts. */
static void everything_counts(void **state)
{
    static const char zeros[2000];
    struct long_hash_keys keys, others;
    uint64_t seen[512];
    size_t n = 0;

    (void)state;
    long_hash_keys(&keys, key);
    long_hash_keys(&others, other_key);
    /* Zeros alone: sums that forget lengths could not tell them apart. Beyond 1,264 it is another way. */
    for (size_t i = 0; i < 100; i++) {
        const struct span parts[] = {{zeros, i}, {zeros, 100 - i}}, whole = {zeros, i * 20};

        seen[n++] = long_hash(&keys, 0, parts, 2);
        seen[n++] = long_hash(&keys, 0, &whole, 1);
        seen[n++] = long_hash(&keys, 1, &whole, 1);
        seen[n++] = long_hash(&others, 0, &whole, 1);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(seen[i] == seen[k]);
}

static void every_byte_counts(void **state)
{
    struct long_hash_keys keys;
    char bytes[1400] = {0};

    (void)state;
    long_hash_keys(&keys, key);
    for (size_t n = 1; n < sizeof(bytes); n += 61) {
        const struct span whole = {bytes, n};
        uint64_t before = long_hash(&keys, 0, &whole, 1);

        for (size_t i = 0; i < n; i++) {
            bytes[i] ^= 0x40;
            assert_false(long_hash(&keys, 0, &whole, 1) == before);
            bytes[i] ^= 0x40;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_is_defined),
        cmocka_unit_test(everything_counts),
        cmocka_unit_test(every_byte_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
