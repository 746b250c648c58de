/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From when to when there are records, and where the gap is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/coverage.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define NONE (HISTORY_NEVER / DAY_MS - 1)

static int64_t day_of(int64_t ms)
{
    return ms == HISTORY_NEVER ? NONE : ms / DAY_MS;
}

/* Days with records (0 ends them), what comes of them, and whether that reaches from day 100 to day 200. */
static const struct {
    const char *what;
    int64_t days[8];
    int64_t first, last, reach, gap, gap_ends;
    bool holds;
} cases[] = {
    {"none at all", {0}, NONE, NONE, NONE, NONE, NONE, false},
    {"one day", {150}, 150, 151, 150, NONE, NONE, false},
    {"the same day twice", {150, 150}, 150, 151, 150, NONE, NONE, false},
    {"all of it, with two weeks between",
     {90, 104, 119, 134, 149, 164, 179, 194},
     90,
     195,
     90,
     NONE,
     NONE,
     true},
    {"a day more than two weeks",
     {90, 104, 119, 134, 149, 165, 180, 195},
     90,
     196,
     165,
     150,
     165,
     false},
    {"a gap long before", {20, 80, 94, 109, 124, 139, 154, 169}, 20, 170, 80, 21, 80, false},
    {"the latest gap is told", {20, 80, 120}, 20, 121, 120, 81, 120, false},
};

static void a_case(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct coverage c;

        coverage_begin(&c, 14 * DAY_MS);
        for (size_t k = 0; k < 8 && cases[i].days[k]; k++)
            coverage_day(&c, cases[i].days[k]);
        if (day_of(c.first_ms) != cases[i].first || day_of(c.last_ms) != cases[i].last ||
            day_of(c.reach_ms) != cases[i].reach || day_of(c.gap_ms) != cases[i].gap ||
            day_of(c.gap_ends_ms) != cases[i].gap_ends ||
            coverage_holds(&c, 100 * DAY_MS, 200 * DAY_MS) != cases[i].holds)
            fail_msg("%s", cases[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_case)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
