/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy/account_hash.h"

static const uint8_t key[16] = "sixteen bytes..";

/* ---- the definition, with numbers of 16 bits as one learns it at school ---- */

struct wide {
    uint16_t digit[8]; /* the lowest first */
};

static void add_product(struct wide *sum, const uint64_t factor[2], uint64_t word)
{
    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < 4 && i + k < 8; k++) {
            uint32_t carry =
                (uint32_t)(uint16_t)(factor[i / 4] >> 16 * (i % 4)) * (uint16_t)(word >> 16 * k);

            for (unsigned at = i + k; at < 8 && carry; at++) {
                uint32_t digit = sum->digit[at] + (carry & 0xffff);

                sum->digit[at] = (uint16_t)digit;
                carry = (carry >> 16) + (digit >> 16);
            }
        }
}

static uint64_t upper(const struct wide *sum)
{
    uint64_t half = 0;

    for (unsigned i = 8; i-- > 4;)
        half = half << 16 | sum->digit[i];
    return half;
}

static struct account_hash by_definition(const struct account_hash_keys *keys, int64_t switch_id,
                                         struct span name)
{
    uint64_t words[3 + ACCOUNT_NAME_MAX / 8] = {1, (uint64_t)switch_id};
    struct wide where = {0}, what = {0};

    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        words[2 + i / 8] |= (uint64_t)(c >= 'A' && c <= 'Z' ? c + 32 : c) << 8 * (i % 8);
    }
    words[2 + name.n / 8] |= (uint64_t)1 << 8 * (name.n % 8);
    for (size_t i = 0; i < 3 + ACCOUNT_NAME_MAX / 8; i++) {
        add_product(&where, keys->word[i].where, words[i]);
        add_product(&what, keys->word[i].what, words[i]);
    }
    return (struct account_hash){upper(&where), upper(&what)};
}

/* ---- */

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return *seed >> 32;
}

static bool same(struct account_hash a, struct account_hash b)
{
    return a.where == b.where && a.what == b.what;
}

static void every_length_and_byte_is_as_defined(void **state)
{
    static const int64_t switches[] = {1, 2, 1000, INT64_MAX, -1};
    struct account_hash_keys keys;
    uint64_t seed = 1;

    account_hash_keys(&keys, key);
    for (size_t n = 0; n <= ACCOUNT_NAME_MAX; n++)
        for (unsigned round = 0; round < 200; round++) {
            int64_t id = switches[round % 5];
            /* It ends where its memory ends: a sanitizer sees a byte read behind it. */
            char *name = malloc(n ? n : 1);

            for (size_t i = 0; i < n; i++)
                name[i] = (char)draw(&seed);
            assert_true(same(account_hash(&keys, id, (struct span){name, n}),
                             by_definition(&keys, id, (struct span){name, n})));
            free(name);
        }
}

static void only_the_letters_of_ascii_are_folded(void **state)
{
    for (unsigned c = 0; c < 256; c++)
        for (unsigned at = 0; at < 64; at += 8) {
            uint64_t others = 0x5b407aff61417f80, mask = ~(0xffULL << at);
            uint64_t folded = account_hash_fold((others & mask) | (uint64_t)c << at);

            assert_int_equal(folded >> at & 0xff, c >= 'A' && c <= 'Z' ? c + 32 : c);
            assert_int_equal(folded & mask, account_hash_fold(others) & mask);
        }
    assert_int_equal(account_hash_fold(0x5b407aff61417f80), 0x5b407aff61617f80);
}

static void case_plays_no_part_and_all_else_does(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"Trunk-A@EXAMPLE", "tRUNK-a@example", true},
        {"1001", "1001", true},
        {"1001", "1002", false},
        {"1001", "11001", false},
        {"a@", "a`", false},
        {"a[", "a{", false},
        {"abcdefgh", "abcdefg", false},
        {"abcdefgh", "hgfedcba", false},
        {"abcdefghijklmnop", "ijklmnopabcdefgh", false},
    };
    struct account_hash_keys keys;

    account_hash_keys(&keys, key);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(same(account_hash(&keys, 1, span_of(cases[i].a)),
                              account_hash(&keys, 1, span_of(cases[i].b))),
                         cases[i].same);
    assert_false(same(account_hash(&keys, 1, SPAN("1001")), account_hash(&keys, 2, SPAN("1001"))));
    /* What stands behind a name is nothing, not a NUL. */
    assert_false(
        same(account_hash(&keys, 1, SPAN("1001")), account_hash(&keys, 1, SPAN("1001\0"))));
}

static void keys_are_drawn_from_all_of_the_key(void **state)
{
    struct account_hash_keys first, other;
    const unsigned char *bytes = (const unsigned char *)&first;
    size_t zeros = 0;

    account_hash_keys(&first, key);
    for (size_t i = 0; i < sizeof(first); i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 16);
    for (size_t i = 0; i < sizeof(key); i++) {
        uint8_t changed[sizeof(key)];

        memcpy(changed, key, sizeof(key));
        changed[i] ^= 1;
        account_hash_keys(&other, changed);
        assert_memory_not_equal(&first, &other, sizeof(first));
        assert_false(
            same(account_hash(&first, 1, SPAN("1001")), account_hash(&other, 1, SPAN("1001"))));
    }
}

/* ---- no proof, but what a fault in the arithmetic would show in ---- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void names_in_a_row_do_not_collide(void **state)
{
    enum { N = 200000 };
    uint64_t *where = calloc(N, sizeof(*where)), *what = calloc(N, sizeof(*what));
    unsigned shelf[64] = {0};
    struct account_hash_keys keys;

    account_hash_keys(&keys, key);
    for (int i = 0; i < N; i++) {
        char name[16];
        size_t n = (size_t)snprintf(name, sizeof(name), "pbx-%07d", i);
        struct account_hash hash = account_hash(&keys, 1, (struct span){name, n});

        where[i] = hash.where;
        what[i] = hash.what;
        shelf[hash.where >> 58]++;
    }
    qsort(where, N, sizeof(*where), compare);
    qsort(what, N, sizeof(*what), compare);
    for (int i = 1; i < N; i++) {
        assert_true(where[i] != where[i - 1]);
        assert_true(what[i] != what[i - 1]);
    }
    /* The table's slots are given by the upper bits: 3,125 names for each of 64 are expected. */
    for (size_t i = 0; i < 64; i++)
        assert_in_range(shelf[i], 2000, 4500);
    free(where);
    free(what);
}

static void each_bit_of_a_name_changes_about_half_of_the_hash(void **state)
{
    uint64_t changed = 0, looks = 0;

    for (uint8_t k = 0; k < 50; k++) {
        uint8_t mine[16] = {k};
        struct account_hash_keys keys;

        account_hash_keys(&keys, mine);
        for (unsigned bit = 0; bit < 4 * 16; bit++) {
            char a[] = "0000000000000000", b[] = "0000000000000000";
            struct account_hash x, y;

            b[bit / 4] ^= (char)(1 << bit % 4);
            x = account_hash(&keys, 1, span_of(a));
            y = account_hash(&keys, 1, span_of(b));
            changed += (uint64_t)__builtin_popcountll(x.where ^ y.where) +
                       (uint64_t)__builtin_popcountll(x.what ^ y.what);
            looks += 128;
        }
    }
    assert_in_range(changed * 100 / looks, 45, 55);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_byte_is_as_defined),
        cmocka_unit_test(only_the_letters_of_ascii_are_folded),
        cmocka_unit_test(case_plays_no_part_and_all_else_does),
        cmocka_unit_test(keys_are_drawn_from_all_of_the_key),
        cmocka_unit_test(names_in_a_row_do_not_collide),
        cmocka_unit_test(each_bit_of_a_name_changes_about_half_of_the_hash),
    };

    return cmocka_run_group_tests_name("account_hash", tests, NULL, NULL);
}
