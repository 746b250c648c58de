/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "policy/civil.h"
#include "policy/holidays.h"

static void year_case(void **state)
{
    const struct test_case *c = *state;
    int year = (int)strtol(c->in.p, NULL, 10);
    struct buf out = {0};

    for (int month = 1; month <= 12; month++) {
        bool any = false;

        for (int day = 1; day <= civil_days_in_month(year, month); day++) {
            if (!holidays_name(civil_to_days(year, month, day)))
                continue;
            if (!any)
                buf_printf(&out, "%02d:", month);
            buf_printf(&out, " %02d", day);
            any = true;
        }
        if (any)
            buf_putc(&out, '\n');
    }
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

static void holidays_have_their_names(void **state)
{
    static const struct {
        const char *date, *name;
    } cases[] = {
        {"2026-01-01", "元日"},
        {"2026-03-20", "春分の日"},
        {"1988-04-29", "天皇誕生日"},
        {"2000-04-29", "みどりの日"},
        {"2026-04-29", "昭和の日"},
        {"2026-05-04", "みどりの日"},
        {"2026-05-06", "休日"},
        {"2026-09-22", "休日"},
        {"2019-05-01", "天皇の即位の日"},
        {"2019-10-14", "体育の日"},
        {"2026-10-12", "スポーツの日"},
        {"1989-01-02", "休日"},
        {"2099-12-31", NULL},
        {"1979-01-01", NULL},
        {"2100-01-01", NULL},
        {"1986-05-04", NULL},
        {"1988-05-04", "休日"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *name;
        int64_t day;

        assert_int_equal(civil_parse(span_of(cases[i].date), &day, NULL), 0);
        name = holidays_name(day);
        if (cases[i].name)
            assert_string_equal(name ? name : "(none)", cases[i].name);
        else
            assert_null(name);
    }
}

static void the_operators_days_count(void **state)
{
    const int64_t days[] = {10, 20, 30};
    const struct holidays extra = {days, 3};

    for (int64_t day = 9; day <= 31; day++)
        assert_int_equal(holidays_include(&extra, day),
                         day % 10 == 0 || holidays_name(day) != NULL);
    assert_false(holidays_include(NULL, 10));
}

static void dates_are_read_and_reckoned(void **state)
{
    static const char *const bad[] = {"",           "2026-1-01",   "2026-02-29", "2026-13-01",
                                      "2026-00-10", "2026-01-00",  "2026-01-32", "1899-12-31",
                                      "2026/01/01", "2026-01-01T", "+026-01-01"};
    int64_t day = 0, previous;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_not_equal(civil_parse(span_of(bad[i]), &day, NULL), 0);
    assert_int_equal(day, 0);
    assert_int_equal(civil_parse(SPAN("2024-02-29"), &day, NULL), 0);
    assert_int_equal(day, 19782);
    /* Every day of 800 years follows the one before it, there and back. */
    previous = civil_to_days(1600, 1, 1) - 1;
    for (int year = 1600; year < 2400; year++)
        for (int month = 1; month <= 12; month++)
            for (int d = 1; d <= civil_days_in_month(year, month); d++) {
                int64_t days = civil_to_days(year, month, d);
                struct civil back = civil_from_days(days);

                if (days != previous + 1 || back.year != year || back.month != month ||
                    back.day != d || civil_weekday(days) != (civil_weekday(previous) + 1) % 7)
                    fail_msg("%d-%d-%d", year, month, d);
                previous = days;
            }
    assert_int_equal(civil_weekday(0), THURSDAY);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(holidays_have_their_names),
        cmocka_unit_test(the_operators_days_count),
        cmocka_unit_test(dates_are_read_and_reckoned),
    };

    return argc == 2 ? cases_run(argv[1], year_case, fixed, 3) : 2;
}
