/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local times of records to moments: gaps, overlaps, and the memory between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/zoneinfo.h"
#include "intake/cdr_time.h"

static struct tz *zone(const char *name)
{
    struct buf tzif = {0};
    struct tz *tz = NULL;
    struct fault f;

    if (zoneinfo_read(NULL, span_of(name), &tzif, &f) || tz_new(&tz, buf_span(&tzif), &f))
        fail_msg("%s: %s", name, f.text);
    buf_free(&tzif);
    return tz;
}

/* What is meant, as UTC. */
static const struct {
    const char *zone, *local, *utc;
    enum cdr_clock clock;
    const char *near; /* UTC */
} moments[] = {
    {"", "2026-11-24 02:33:02", "2026-11-24 02:33:02", CDR_CLOCK_ONCE, NULL},
    {"Asia/Tokyo", "2026-11-24 02:33:02", "2026-11-23 17:33:02", CDR_CLOCK_ONCE, NULL},
    {"Asia/Tokyo", "1970-01-01 09:00:00", "1970-01-01 00:00:00", CDR_CLOCK_ONCE, NULL},
    /* Put forward at 2:00 to 3:00; put back at 3:00 to 2:00. */
    {"Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29 00:59:59", CDR_CLOCK_ONCE, NULL},
    {"Europe/Berlin", "2026-03-29 02:00:00", "2026-03-29 01:00:00", CDR_CLOCK_SKIPPED, NULL},
    {"Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:30:00", CDR_CLOCK_SKIPPED, NULL},
    {"Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29 01:00:00", CDR_CLOCK_ONCE, NULL},
    {"Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24 23:59:59", CDR_CLOCK_ONCE, NULL},
    {"Europe/Berlin", "2026-10-25 02:00:00", "2026-10-25 00:00:00", CDR_CLOCK_TWICE, NULL},
    {"Europe/Berlin", "2026-10-25 02:59:59", "2026-10-25 00:59:59", CDR_CLOCK_TWICE, NULL},
    {"Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25 02:00:00", CDR_CLOCK_ONCE, NULL},
    /* The id of the channel tells which of both it was. */
    {"Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 01:30:00", CDR_CLOCK_TWICE,
     "2026-10-25 01:29:58"},
    {"Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30:00", CDR_CLOCK_TWICE,
     "2026-10-25 00:29:58"},
    {"Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:30:00", CDR_CLOCK_SKIPPED,
     "2026-03-29 00:30:00"},
    {"America/New_York", "2026-03-08 02:30:00", "2026-03-08 07:30:00", CDR_CLOCK_SKIPPED, NULL},
    {"America/New_York", "2026-11-01 01:30:00", "2026-11-01 05:30:00", CDR_CLOCK_TWICE, NULL},
    {"Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03 15:45:00", CDR_CLOCK_SKIPPED, NULL},
    {"Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45:00", CDR_CLOCK_TWICE, NULL},
    /* A whole day that Samoa never had. */
    {"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00", CDR_CLOCK_SKIPPED, NULL},
    {"Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30 10:00:00", CDR_CLOCK_ONCE, NULL},
    /* The rule of the footer, beyond all transitions that are listed. */
    {"Europe/Berlin", "2050-07-01 12:00:00", "2050-07-01 10:00:00", CDR_CLOCK_ONCE, NULL},
};
#define MOMENTS (sizeof(moments) / sizeof(*moments))

static int64_t seconds(const char *text)
{
    int64_t ms;

    assert_true(cdr_time_read(span_of(text), &ms));
    return ms / 1000;
}

static void local_times_are_moments(void **state)
{
    for (size_t i = 0; i < MOMENTS; i++) {
        struct tz *tz = moments[i].zone[0] ? zone(moments[i].zone) : NULL;
        int64_t near = moments[i].near ? seconds(moments[i].near) : 0, at = 0;
        struct cdr_zone z;
        enum cdr_clock clock;

        cdr_zone_begin(&z, tz);
        clock = cdr_zone_moment(&z, seconds(moments[i].local), near, &at);
        if (at != seconds(moments[i].utc) || clock != moments[i].clock)
            fail_msg("%s %s: %lld off, clock %d", moments[i].zone, moments[i].local,
                     (long long)(at - seconds(moments[i].utc)), (int)clock);
        tz_free(tz);
    }
}

/* Through years in steps that are no whole number of anything: as without any memory, and back. */
static void memory_changes_nothing(void **state)
{
    static const char *const zones[] = {"Asia/Tokyo", "Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "Pacific/Apia"};

    for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
        struct tz *tz = zone(zones[i]);
        int64_t local = seconds("2010-01-01 00:00:00"), step = 2749;
        struct cdr_zone kept, fresh;

        cdr_zone_begin(&kept, tz);
        for (unsigned n = 0; n < 400000; n++, local += n < 200000 ? step : -step) {
            int64_t a, b;
            enum cdr_clock clock = cdr_zone_moment(&kept, local, 0, &a);
            struct tz_local back;

            if (n % 16 == 0) {
                cdr_zone_begin(&fresh, tz);
                assert_int_equal(cdr_zone_moment(&fresh, local, 0, &b), clock);
                assert_int_equal(a, b);
            }
            tz_local(tz, a, &back);
            if (clock != CDR_CLOCK_SKIPPED)
                assert_int_equal(a + back.offset, local);
        }
        tz_free(tz);
    }
}

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {
        {"1970-01-01 00:00:00", 0},
        {"1970-01-02T03:04:05", 97445000},
        {"1970-01-01 00:00:01.5", 1500},
        {"1970-01-01 00:00:01.123456", 1123},
        {"2024-02-29 00:00:00", 1709164800000},
        {"2016-12-31 23:59:60", 1483228800000},
        {"2023-02-29 00:00:00", -1},
        {"2026-11-24 24:00:00", -1},
        {"2026-11-24 23:60:00", -1},
        {"2026-13-01 00:00:00", -1},
        {"2026-00-01 00:00:00", -1},
        {"1969-12-31 23:59:59", -1},
        {"2026-11-24 02:33:02.", -1},
        {"2026-11-24 02:33:02.1x", -1},
        {"2026-11-24 02:33:02Z", -1},
        {"2026-11-24 02:33", -1},
        {"24.11.2026 02:33:02", -1},
        {"2026-11-24 02:33:0 ", -1},
        {"", -1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = -1;

        if (cdr_time_read(span_of(cases[i].text), &ms) != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_times_are_moments),
        cmocka_unit_test(memory_changes_nothing),
        cmocka_unit_test(times_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
