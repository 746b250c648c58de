/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "intake/pace.h"

#define MS INT64_C(1000000)
#define BEGIN (1000 * PACE_NS)

/* Attempts of four messages come for a second, so many at a time, and are read whenever the witness does not rest. */
static void run(unsigned per_second, unsigned at_once, unsigned rests, unsigned *reads,
                int64_t *longest)
{
    struct pace pace = {0};
    unsigned messages = 4 * per_second;
    int64_t read = 0;

    *reads = 0;
    *longest = 0;
    for (unsigned i = 0; i < messages; i++) {
        unsigned before = i - i % (at_once ? 4 * at_once : 1);
        int64_t came = BEGIN + before * 1000 * MS / messages, now = came;

        if (pace_rests(&pace) && pace_ends(&pace) > came)
            continue; /* it is read with what follows */
        if (pace_rests(&pace))
            now = pace_ends(&pace) > read ? pace_ends(&pace) : came;
        read = now;
        pace_read(&pace, i + 1, 4, rests, now);
        ++*reads;
        if (pace_rests(&pace) && pace_ends(&pace) - now > *longest)
            *longest = pace_ends(&pace) - now;
    }
}

static void calm_is_read_in_one_go_and_a_flood_at_once(void **state)
{
    static const struct {
        unsigned per_second, at_once /* 0: each message by itself */, rests, most_reads,
            least_reads;
    } cases[] = {
        {10, 0, 1, 40, 10},   {150, 0, 1, 110, 75},     {150, 0, 2, 60, 40},
        {150, 3, 1, 110, 75}, {150, 6, 2, 60, 40},      {190, 0, 1, 110, 90},
        {190, 0, 2, 60, 45},  {1000, 0, 1, 4000, 3900}, {10000, 0, 2, 40000, 39000},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned reads;
        int64_t longest;

        run(cases[i].per_second, cases[i].at_once, cases[i].rests, &reads, &longest);
        assert_in_range(reads, cases[i].least_reads, cases[i].most_reads);
        assert_in_range(longest, 0, cases[i].rests * PACE_NS);
    }
}

static void a_flood_is_noticed_before_its_fifth_attempt(void **state)
{
    struct pace pace = {0};

    for (unsigned i = 1; i <= 20; i++)
        pace_read(&pace, i, 4, 1, BEGIN + i * MS / 4);
    assert_false(pace_rests(&pace));
    /* Then nothing more comes, and it is calm again at once. */
    pace_read(&pace, 21, 4, 1, BEGIN + 100 * MS);
    assert_true(pace_rests(&pace));
}

static void rests_end_at_the_same_times(void **state)
{
    struct pace one = {0}, other = {0};

    pace_read(&one, 1, 4, 1, BEGIN + 1 * MS);
    pace_read(&other, 1, 2, 1, BEGIN + 4 * MS);
    assert_int_equal(pace_ends(&one), BEGIN + PACE_NS);
    assert_int_equal(pace_ends(&one), pace_ends(&other));
}

static void nothing_read_is_no_rest(void **state)
{
    struct pace pace = {0};

    assert_false(pace_rests(&pace));
    assert_int_equal(pace_ends(&pace), INT64_MAX);
    pace_read(&pace, 1, 4, 1, BEGIN);
    assert_true(pace_rests(&pace));
    pace_read(&pace, 1, 4, 1, BEGIN + PACE_NS);
    assert_false(pace_rests(&pace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calm_is_read_in_one_go_and_a_flood_at_once),
        cmocka_unit_test(a_flood_is_noticed_before_its_fifth_attempt),
        cmocka_unit_test(rests_end_at_the_same_times),
        cmocka_unit_test(nothing_read_is_no_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
