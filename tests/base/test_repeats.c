/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/repeats.h"

#define S INT64_C(1000000000)

static struct repeats repeats;

static struct address address(const char *text)
{
    struct address a;

    assert_int_equal(address_parse_ip(span_of(text), &a, NULL), 0);
    return a;
}

static bool count(const char *text, int64_t at)
{
    struct address a = address(text);

    return repeats_count(&repeats, &a, at);
}

/* What is due, or 0. */
static uint64_t due(const char *text, int64_t at)
{
    struct address a = address(text);
    struct address got;
    uint64_t times;

    if (!repeats_due(&repeats, at, &got, &times))
        return 0;
    assert_memory_equal(got.ip, a.ip, sizeof(a.ip));
    return times;
}

static int begin(void **state)
{
    repeats_begin(&repeats);
    return 0;
}

static void the_first_time_is_told_at_once(void **state)
{
    assert_true(count("192.0.2.1", 0));
    assert_true(count("192.0.2.2", 0));
    assert_true(count("2001:db8::1", 0));
    assert_true(repeats_due_ns(&repeats) == INT64_MAX);
    assert_int_equal(due("192.0.2.1", 1000 * S), 0);
}

static void the_times_after_it_are_told_after_a_minute(void **state)
{
    count("192.0.2.1", 5 * S);
    for (int i = 0; i < 1000; i++)
        assert_false(count("192.0.2.1", 6 * S));
    assert_true(repeats_due_ns(&repeats) == 65 * S);
    assert_int_equal(due("192.0.2.1", 65 * S - 1), 0);
    assert_int_equal(due("192.0.2.1", 65 * S), 1000);
    assert_int_equal(due("192.0.2.1", 65 * S), 0);
    assert_true(repeats_due_ns(&repeats) == INT64_MAX);
}

static void and_so_on_every_minute(void **state)
{
    count("192.0.2.1", 0);
    count("192.0.2.1", 1 * S);
    assert_int_equal(due("192.0.2.1", 60 * S), 1);
    assert_false(count("192.0.2.1", 61 * S));
    assert_false(count("192.0.2.1", 119 * S));
    assert_int_equal(due("192.0.2.1", 119 * S), 0);
    assert_int_equal(due("192.0.2.1", 120 * S), 2);
}

static void after_a_quiet_minute_it_is_a_first_time_again(void **state)
{
    count("192.0.2.1", 0);
    assert_true(count("192.0.2.1", 60 * S));
}

static void several_may_be_due_at_once(void **state)
{
    for (int i = 0; i < 2; i++) {
        count("192.0.2.1", i * S);
        count("192.0.2.2", i * S);
        count("192.0.2.3", 30 * S + i * S);
    }
    assert_int_equal(due("192.0.2.1", 61 * S), 1);
    assert_int_equal(due("192.0.2.2", 61 * S), 1);
    assert_int_equal(due("192.0.2.3", 61 * S), 0);
    assert_true(repeats_due_ns(&repeats) == 90 * S);
    assert_int_equal(due("192.0.2.3", 90 * S), 1);
}

static void ipv6_counts_by_64(void **state)
{
    assert_true(count("2001:db8::1", 0));
    assert_false(count("2001:db8::ffff:2", 1 * S));
    assert_true(count("2001:db8:0:1::1", 1 * S));
    assert_int_equal(due("2001:db8::ffff:2", 61 * S), 1);
}

static void beyond_the_bound_who_was_told_of_longest_ago_is_forgotten(void **state)
{
    char text[32];

    for (int i = 0; i < REPEATS_MAX; i++) {
        snprintf(text, sizeof(text), "192.0.2.%d", i);
        assert_true(count(text, i * S / 10));
    }
    assert_true(count("198.51.100.1", 10 * S));
    assert_false(count("192.0.2.1", 11 * S));
    assert_true(count("192.0.2.0", 11 * S));
    assert_true(count("192.0.2.1", 12 * S)); /* it was the next to go, counted or not */
    assert_int_equal(repeats.n, REPEATS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_first_time_is_told_at_once, begin),
        cmocka_unit_test_setup(the_times_after_it_are_told_after_a_minute, begin),
        cmocka_unit_test_setup(and_so_on_every_minute, begin),
        cmocka_unit_test_setup(after_a_quiet_minute_it_is_a_first_time_again, begin),
        cmocka_unit_test_setup(several_may_be_due_at_once, begin),
        cmocka_unit_test_setup(ipv6_counts_by_64, begin),
        cmocka_unit_test_setup(beyond_the_bound_who_was_told_of_longest_ago_is_forgotten, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
