/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/zoneinfo.h"
#include "clock_text.h"
#include "failalloc.h"
#include "policy/ruleset.h"

#define RULES_MAX 64

static const uint8_t key[16] = "a key of 16 byte";

struct pool {
    struct zones *zones;
    struct ruleset_pool *sets;
};

static int pool_setup(void **state)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    assert_int_equal(zones_new(&pool->zones, zoneinfo_read, NULL, NULL), 0);
    assert_int_equal(ruleset_pool_new(&pool->sets, pool->zones, key, NULL), 0);
    *state = pool;
    return 0;
}

static int pool_teardown(void **state)
{
    struct pool *pool = *state;

    ruleset_pool_free(pool->sets);
    zones_free(pool->zones);
    free(pool);
    return 0;
}

static void shuffle(struct rule *rules, size_t n, unsigned *seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)rand_r(seed) % i;
        struct rule r = rules[i - 1];

        rules[i - 1] = rules[k];
        rules[k] = r;
    }
}

/* ---- interning ---- */

static void same_rules_in_any_order_are_one_object(void **state)
{
    struct rule rules[] = {
        {RULE_RESTRICT, false, 0, SPAN("010"), {0}},
        {RULE_EXCEPT, false, 0, SPAN("0101212"), {0}},
        {RULE_EXCEPT, false, 1800000000, SPAN("01044"), {0}},
        {RULE_RESTRICT, false, 0, SPAN("0990"), SPAN("mon-fri 09:00-18:00 Asia/Tokyo")},
        {RULE_EXCEPT, false, 0, SPAN("0990"), {0}},
        {RULE_RESTRICT, false, 0, SPAN("#7"), {0}},
        {RULE_RESTRICT, false, 0, SPAN("+"), {0}},
    };
    const size_t n = sizeof(rules) / sizeof(*rules);
    struct pool *pool = *state;
    const struct ruleset *first, *again;
    unsigned seed = 1;

    assert_int_equal(ruleset_intern(pool->sets, rules, n, &first, NULL), 0);
    for (int i = 0; i < 200; i++) {
        shuffle(rules, n, &seed);
        assert_int_equal(ruleset_intern(pool->sets, rules, n, &again, NULL), 0);
        assert_ptr_equal(again, first);
        ruleset_unref(pool->sets, again);
    }
    assert_int_equal(ruleset_pool_count(pool->sets), 1);
    /* The schedule in other words. */
    for (size_t i = 0; i < n; i++)
        if (rules[i].schedule.n)
            rules[i].schedule = SPAN("Tue-FRI,mon   09:00-18:00 Asia/Tokyo");
    assert_int_equal(ruleset_intern(pool->sets, rules, n, &again, NULL), 0);
    assert_ptr_equal(again, first);
    ruleset_unref(pool->sets, again);
    ruleset_unref(pool->sets, first);
    assert_int_equal(ruleset_pool_count(pool->sets), 0);
}

static void any_difference_is_another_object(void **state)
{
    const struct rule base = {RULE_RESTRICT, false, 5, SPAN("010"), SPAN("mon all UTC")};
    struct rule others[6];
    struct pool *pool = *state;
    const struct ruleset *sets[7];

    for (size_t i = 0; i < 6; i++)
        others[i] = base;
    others[0].action = RULE_EXCEPT;
    others[1].until = 6;
    others[2].until = 0;
    others[3].prefix = SPAN("0101");
    others[4].schedule = SPAN("tue all UTC");
    others[5].schedule = (struct span){0};
    assert_int_equal(ruleset_intern(pool->sets, &base, 1, &sets[6], NULL), 0);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(ruleset_intern(pool->sets, &others[i], 1, &sets[i], NULL), 0);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(sets[i], sets[k]);
        assert_ptr_not_equal(sets[i], sets[6]);
    }
    for (size_t i = 0; i < 7; i++)
        ruleset_unref(pool->sets, sets[i]);
    assert_int_equal(ruleset_pool_count(pool->sets), 0);
}

static void rules_come_out_as_they_went_in(void **state)
{
    const struct rule rules[] = {
        {RULE_RESTRICT, false, 7, SPAN("01234567890123456789012345678901"), SPAN("mon all UTC")},
        {RULE_EXCEPT, false, 0, SPAN("*21#+"), {0}},
        {RULE_EXCEPT, false, 8, SPAN("9"), {0}},
    };
    static const size_t order[] = {1, 0, 2};
    struct pool *pool = *state;
    const struct ruleset *set;
    char digits[RULE_PREFIX_MAX + 1];

    assert_int_equal(ruleset_intern(pool->sets, rules, 3, &set, NULL), 0);
    assert_int_equal(ruleset_count(set), 3);
    for (size_t i = 0; i < 3; i++) {
        struct rule r = ruleset_rule(set, i, digits), wanted = rules[order[i]];

        assert_int_equal(r.action, wanted.action);
        assert_int_equal(r.until, wanted.until);
        assert_true(span_eq(r.prefix, wanted.prefix));
        assert_true(span_eq(r.schedule, wanted.schedule));
        assert_true(span_is(wanted.prefix, digits));
    }
    ruleset_unref(pool->sets, set);
}

static void no_rules_are_no_set(void **state)
{
    struct pool *pool = *state;
    const struct ruleset *set = (const struct ruleset *)pool;
    const struct ruleset_key k = ruleset_key(SPAN("010"));
    const struct ruleset_moment when = {0};
    struct ruleset_match m;

    assert_int_equal(ruleset_intern(pool->sets, NULL, 0, &set, NULL), 0);
    assert_null(set);
    assert_false(ruleset_match(NULL, &k, &when, &m));
    assert_int_equal(ruleset_count(NULL), 0);
    ruleset_ref(NULL);
    ruleset_unref(pool->sets, NULL);
}

static void wrong_sets_are_refused(void **state)
{
    const struct rule twice[] = {{RULE_RESTRICT, false, 0, SPAN("010"), {0}},
                                 {RULE_RESTRICT, false, 9, SPAN("010"), {0}}};
    const struct rule letters = {RULE_RESTRICT, false, 0, SPAN("01o"), {0}};
    struct rule *many = calloc(RULESET_RULES_MAX + 1, sizeof(*many));
    struct pool *pool = *state;
    const struct ruleset *set = NULL;
    struct fault f;

    assert_int_equal(ruleset_intern(pool->sets, twice, 2, &set, &f), ERR_EXISTS);
    assert_string_equal(f.text, "there are two rules \"restrict 010\"");
    assert_int_equal(ruleset_intern(pool->sets, &letters, 1, &set, &f), ERR_SYNTAX);
    assert_int_equal(ruleset_intern(pool->sets, many, RULESET_RULES_MAX + 1, &set, &f), ERR_FULL);
    assert_null(set);
    assert_int_equal(ruleset_pool_count(pool->sets), 0);
    free(many);
}

static void the_largest_set_is_searched_right(void **state)
{
    static char text[RULESET_RULES_MAX][8];
    static struct rule rules[RULESET_RULES_MAX];
    struct pool *pool = *state;
    const struct ruleset_moment when = {0};
    const struct ruleset *set;
    unsigned seed = 4;

    for (size_t i = 0; i < RULESET_RULES_MAX; i++) {
        snprintf(text[i], sizeof(text[i]), "%05zu", i);
        rules[i] =
            (struct rule){.prefix = {text[i], 5}, .action = i % 3 ? RULE_RESTRICT : RULE_EXCEPT};
    }
    shuffle(rules, RULESET_RULES_MAX, &seed);
    assert_int_equal(ruleset_intern(pool->sets, rules, RULESET_RULES_MAX, &set, NULL), 0);
    for (size_t i = 0; i < 20000; i++) {
        char digits[16];
        struct ruleset_match m = {0};

        snprintf(digits, sizeof(digits), "%05zu77", i);
        struct ruleset_key k = ruleset_key(span_of(digits));

        assert_int_equal(ruleset_match(set, &k, &when, &m), i < RULESET_RULES_MAX);
        if (i < RULESET_RULES_MAX)
            assert_int_equal(m.action, i % 3 ? RULE_RESTRICT : RULE_EXCEPT);
    }
    ruleset_unref(pool->sets, set);
}

static void thousands_of_sets_come_and_go(void **state)
{
    enum { SETS = 3000 };
    static const struct ruleset *sets[SETS];
    static char text[SETS][16];
    struct pool *pool = *state;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < SETS; i++) {
            struct rule rules[2] = {{.prefix = SPAN("010")}};

            snprintf(text[i], sizeof(text[i]), "0%zu", i);
            rules[1] = (struct rule){.prefix = span_of(text[i]), .action = RULE_EXCEPT};
            assert_int_equal(ruleset_intern(pool->sets, rules, 2, &sets[i], NULL), 0);
        }
        assert_int_equal(ruleset_pool_count(pool->sets), SETS);
        /* Every second goes, in an order that is not theirs; all others are still found. */
        for (size_t i = 0; i < SETS; i += 2)
            ruleset_unref(pool->sets, sets[(i * 7) % SETS & ~(size_t)1]);
        assert_int_equal(ruleset_pool_count(pool->sets), SETS / 2);
        for (size_t i = 1; i < SETS; i += 2) {
            struct rule rules[2] = {{.prefix = SPAN("010")},
                                    {.prefix = span_of(text[i]), .action = RULE_EXCEPT}};
            const struct ruleset *again;

            assert_int_equal(ruleset_intern(pool->sets, rules, 2, &again, NULL), 0);
            assert_ptr_equal(again, sets[i]);
            ruleset_unref(pool->sets, again);
            ruleset_unref(pool->sets, sets[i]);
        }
        assert_int_equal(ruleset_pool_count(pool->sets), 0);
    }
}

static void ten_rules_are_two_cache_lines(void **state)
{
    struct rule rules[10];
    char text[10][20];
    struct pool *pool = *state;
    const struct ruleset *set;

    for (size_t i = 0; i < 10; i++) {
        snprintf(text[i], sizeof(text[i]), "010%zu", i);
        rules[i] = (struct rule){.prefix = span_of(text[i])};
    }
    assert_int_equal(ruleset_intern(pool->sets, rules, 10, &set, NULL), 0);
    assert_int_equal((uintptr_t)set % 64, 0);
    assert_true(ruleset_bytes(set) <= 128);
    ruleset_unref(pool->sets, set);
}

static void no_memory_no_change(void **state)
{
    struct pool *pool = *state;
    const struct rule rules[] = {
        {RULE_RESTRICT, false, 0, SPAN("010"), SPAN("mon all Asia/Tokyo")},
        {RULE_RESTRICT, false, 0, SPAN("0990"), SPAN("tue all UTC; wed all Europe/London")},
    };
    const struct ruleset *set = NULL;

    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = ruleset_intern(pool->sets, rules, 2, &set, NULL);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(set);
        assert_int_equal(ruleset_pool_count(pool->sets), 0);
    }
    ruleset_unref(pool->sets, set);
}

static void no_memory_no_pool(void **state)
{
    struct ruleset_pool *sets = NULL;

    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = ruleset_pool_new(&sets, NULL, key, NULL);

        if (!failalloc_off())
            break;
        assert_int_equal(err, ERR_NOMEM);
        assert_null(sets);
    }
    ruleset_pool_free(sets);
    ruleset_pool_free(NULL);
}

/* ---- longest match, against the naive way ---- */

struct naive {
    bool found;
    enum rule_action action;
    size_t length;
};

static bool naive_force(const struct rule *r, const struct ruleset_moment *when,
                        struct zones *zones)
{
    struct schedule *s;
    enum schedule_state state;

    if (r->until && when->now >= r->until)
        return false;
    if (!r->schedule.n)
        return true;
    assert_int_equal(schedule_new(&s, r->schedule, zones, NULL), 0);
    state = schedule_state(s, when->extra, when->now);
    schedule_free(s);
    return state == SCHEDULE_ON || (state == SCHEDULE_UNKNOWN && r->action == RULE_RESTRICT);
}

static struct naive naive_match(const struct rule *rules, size_t n, struct span digits,
                                const struct ruleset_moment *when, struct zones *zones)
{
    struct naive best = {0};

    for (size_t i = 0; i < n; i++) {
        if (!span_starts(digits, rules[i].prefix) || !naive_force(&rules[i], when, zones))
            continue;
        if (!best.found || rules[i].prefix.n > best.length ||
            (rules[i].prefix.n == best.length && rules[i].action == RULE_RESTRICT))
            best = (struct naive){true, rules[i].action, rules[i].prefix.n};
    }
    return best;
}

static bool naive_below(const struct rule *rules, size_t n, struct span digits,
                        const struct ruleset_moment *when, struct zones *zones)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].action == RULE_RESTRICT && rules[i].prefix.n > digits.n &&
            span_starts(rules[i].prefix, digits) && naive_force(&rules[i], when, zones))
            return true;
    return false;
}

/* Few symbols, so that prefixes lie within each other. */
static struct span random_digits(char out[40], size_t longest, unsigned *seed)
{
    static const char symbols[] = "01*+#";
    size_t n = 1 + (size_t)rand_r(seed) % longest;

    for (size_t i = 0; i < n; i++)
        out[i] = symbols[rand_r(seed) % (rand_r(seed) % 8 ? 2 : 5)];
    return (struct span){out, n};
}

static size_t random_rules(struct rule *rules, char text[][40], size_t longest, unsigned *seed)
{
    static const char *const schedules[] = {"mon-wed 09:00-18:00 Asia/Tokyo",
                                            "!holidays 22:00-05:00 Europe/London",
                                            "all all Asia/Edo"};
    size_t n = (size_t)rand_r(seed) % RULES_MAX, kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct rule r = {.action = rand_r(seed) % 2 ? RULE_RESTRICT : RULE_EXCEPT};
        bool known = false;

        r.prefix = random_digits(text[kept], longest, seed);
        if (rand_r(seed) % 3 == 0)
            r.until = 1 + rand_r(seed) % 20;
        if (rand_r(seed) % 4 == 0)
            r.schedule = span_of(schedules[rand_r(seed) % 3]);
        for (size_t k = 0; k < kept; k++)
            known |= rules[k].action == r.action && span_eq(rules[k].prefix, r.prefix);
        if (!known)
            rules[kept++] = r;
    }
    return kept;
}

static void compare_with_naive(struct pool *pool, size_t longest, unsigned *seed)
{
    struct rule rules[RULES_MAX];
    char text[RULES_MAX][40], dialled[40];
    const struct ruleset *set;
    size_t n = random_rules(rules, text, longest, seed);

    assert_int_equal(ruleset_intern(pool->sets, rules, n, &set, NULL), 0);
    for (int i = 0; i < 60; i++) {
        struct ruleset_moment when = {.now = rand_r(seed) % 2 ? rand_r(seed) % 20 : rand_r(seed)};
        struct span digits = random_digits(dialled, longest + 2, seed);
        struct ruleset_key k = ruleset_key(digits);
        struct ruleset_match m = {0};
        struct naive wanted = naive_match(rules, n, digits, &when, pool->zones);

        assert_int_equal(ruleset_match(set, &k, &when, &m), wanted.found);
        if (wanted.found) {
            char named[RULE_PREFIX_MAX + 1];
            struct rule r = ruleset_rule(set, m.index, named);

            assert_int_equal(m.action, wanted.action);
            assert_int_equal(m.length, wanted.length);
            assert_int_equal(r.action, m.action);
            assert_int_equal(r.prefix.n, m.length);
            assert_true(span_starts(digits, r.prefix));
        }
        if (digits.n < RULE_PREFIX_MAX)
            assert_int_equal(ruleset_restricts_below(set, &k, &when, NULL, NULL, &m),
                             naive_below(rules, n, digits, &when, pool->zones));
    }
    ruleset_unref(pool->sets, set);
}

static void random_sets_match_as_the_naive_way_does(void **state)
{
    unsigned seed = 7;

    for (int i = 0; i < 1500; i++)
        compare_with_naive(*state, 8, &seed);
}

static void random_long_prefixes_match_as_the_naive_way_does(void **state)
{
    unsigned seed = 8;

    for (int i = 0; i < 500; i++)
        compare_with_naive(*state, RULE_PREFIX_MAX, &seed);
}

static void a_rule_ends_with_the_first_of_its_conditions(void **state)
{
    const int64_t noon = clock_read(SPAN("2026-11-24T12:00:00+09:00"));
    const int64_t six = clock_read(SPAN("2026-11-24T18:00:00+09:00"));
    const struct rule rules[] = {
        {RULE_EXCEPT, false, six - 60, SPAN("1"), SPAN("tue 09:00-18:00 Asia/Tokyo")},
        {RULE_EXCEPT, false, six + 60, SPAN("2"), SPAN("tue 09:00-18:00 Asia/Tokyo")},
        {RULE_EXCEPT, false, six + 60, SPAN("3"), {0}},
        {RULE_EXCEPT, false, 0, SPAN("4"), {0}},
    };
    const int64_t ends[] = {six - 60, six, six + 60, INT64_MAX};
    const struct ruleset_moment when = {.now = noon};
    struct pool *pool = *state;
    const struct ruleset *set;

    assert_int_equal(ruleset_intern(pool->sets, rules, 4, &set, NULL), 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(ruleset_end(set, i, &when) == ends[i]);
    ruleset_unref(pool->sets, set);
}

static void keys_have_four_bits_for_each_symbol(void **state)
{
    static const char symbols[] = "#*+0123456789"; /* from 1 on */
    static const char others[] = "/:x\x80\xb0\xff";
    unsigned seed = 7;

    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)rand_r(&seed) % 40, rare = (size_t)rand_r(&seed) % 40;
        struct ruleset_key expected = {0}, k;
        char text[40];

        for (size_t i = 0; i < n; i++)
            text[i] = symbols[3 + rand_r(&seed) % 10];
        if (round % 4 == 0)
            text[rare] = symbols[rand_r(&seed) % 3];
        if (round % 4 == 1)
            text[rare] = others[rand_r(&seed) % 6];
        for (; expected.length < n && expected.length < 32; expected.length++) {
            const char *at = memchr(symbols, text[expected.length], sizeof(symbols) - 1);

            if (!at)
                break;
            expected.bits |= (unsigned __int128)(at - symbols + 1) << (124 - 4 * expected.length);
        }
        k = ruleset_key((struct span){text, n});
        assert_int_equal(k.length, expected.length);
        assert_true(k.bits == expected.bits);
        text[n] = '\0';
        assert_int_equal(ruleset_sign_of(text), ruleset_sign(k.bits));
    }
}

static void keys_end_at_what_is_no_symbol(void **state)
{
    assert_int_equal(ruleset_key(SPAN("010x5")).length, 3);
    assert_int_equal(ruleset_key(SPAN("0\0"
                                      "1"))
                         .length,
                     1);
    assert_int_equal(ruleset_key((struct span){0}).length, 0);
    assert_int_equal(ruleset_key(SPAN("0123456789012345678901234567890123456789")).length, 32);
    assert_true(ruleset_key(SPAN("9")).bits > ruleset_key(SPAN("8999")).bits);
    assert_true(ruleset_key(SPAN("01")).bits > ruleset_key(SPAN("0")).bits);
}

#define WITH_POOL(test) cmocka_unit_test_setup_teardown(test, pool_setup, pool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_POOL(same_rules_in_any_order_are_one_object),
        WITH_POOL(any_difference_is_another_object),
        WITH_POOL(rules_come_out_as_they_went_in),
        WITH_POOL(no_rules_are_no_set),
        WITH_POOL(wrong_sets_are_refused),
        WITH_POOL(the_largest_set_is_searched_right),
        WITH_POOL(thousands_of_sets_come_and_go),
        WITH_POOL(ten_rules_are_two_cache_lines),
        WITH_POOL(no_memory_no_change),
        cmocka_unit_test(no_memory_no_pool),
        WITH_POOL(random_sets_match_as_the_naive_way_does),
        WITH_POOL(random_long_prefixes_match_as_the_naive_way_does),
        WITH_POOL(a_rule_ends_with_the_first_of_its_conditions),
        cmocka_unit_test(keys_have_four_bits_for_each_symbol),
        cmocka_unit_test(keys_end_at_what_is_no_symbol),
    };

    return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
