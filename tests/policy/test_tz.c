/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/zoneinfo.h"
#include "failalloc.h"
#include "policy/tz.h"
#include "policy/zones.h"

/* Zones of every kind: none, ordinary, southern and negative summer times, half hours, changes outside
 * of the day, by the day of the year, abolished ones, a date line crossed. */
static const char *const names[] = {
    "UTC",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Etc/GMT+5",
    "Europe/London",
    "America/New_York",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Africa/Casablanca",
    "America/Nuuk",
    "Asia/Gaza",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Africa/Cairo",
    "Asia/Tehran",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Jerusalem",
    "Europe/Moscow",
    "Pacific/Easter",
    "EST5EDT",
    "Africa/Monrovia",
};
#define N_NAMES (sizeof(names) / sizeof(*names))

static void same_as_libc(const struct tz *tz, int64_t at)
{
    time_t t = (time_t)at;
    struct tz_local local;
    struct tm tm;

    tz_local(tz, at, &local);
    assert_non_null(localtime_r(&t, &tm));
    if (local.offset != tm.tm_gmtoff)
        print_message("# at %lld: %d, libc %ld\n", (long long)at, local.offset, tm.tm_gmtoff);
    assert_int_equal(local.offset, tm.tm_gmtoff);
    assert_int_equal(local.date.year, tm.tm_year + 1900);
    assert_int_equal(local.date.month, tm.tm_mon + 1);
    assert_int_equal(local.date.day, tm.tm_mday);
    assert_int_equal(local.hour, tm.tm_hour);
    assert_int_equal(local.minute, tm.tm_min);
    assert_int_equal(local.second, tm.tm_sec);
    assert_int_equal((local.weekday + 1) % 7, tm.tm_wday);
}

/* From 1900 to 2150: at every change, a second before it, and in between. */
static void zone_agrees_with_libc(void **state)
{
    const int64_t end = civil_to_days(2150, 1, 1) * 86400;
    const char *name = *state;
    struct zones *zones;
    const struct tz *tz;
    struct fault f;
    int changes = 0;

    assert_int_equal(zones_new(&zones, zoneinfo_read, NULL, &f), 0);
    assert_int_equal(zones_find(zones, span_of(name), &tz, &f), 0);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t at = civil_to_days(1900, 1, 1) * 86400; at < end; changes++) {
        int64_t next = tz_next_change(tz, at);

        assert_true(next > at);
        if (next > end)
            next = end;
        for (int64_t i = 0; i < 8; i++)
            same_as_libc(tz, at + (next - at) / 8 * i);
        same_as_libc(tz, next - 1);
        same_as_libc(tz, next);
        at = next;
    }
    assert_true(changes < 3000);
    zones_free(zones);
}

static void a_zone_is_read_once(void **state)
{
    const struct tz *first, *second;
    struct zones *zones;
    struct fault f;

    assert_int_equal(zones_new(&zones, zoneinfo_read, NULL, &f), 0);
    assert_int_equal(zones_find(zones, SPAN("Asia/Tokyo"), &first, &f), 0);
    assert_int_equal(zones_find(zones, SPAN("Asia/Tokyo"), &second, &f), 0);
    assert_ptr_equal(first, second);
    assert_int_equal(zones_find(zones, SPAN("Asia/Edo"), &second, &f), ERR_MISSING);
    assert_int_equal(strncmp(f.text, "time zone \"Asia/Edo\": ", 22), 0);
    assert_int_equal(zones_find(zones, SPAN("../passwd"), &second, &f), ERR_SYNTAX);
    assert_int_not_equal(zones_find(zones, SPAN("Asia"), &second, &f), 0);
    assert_int_not_equal(zones_find(zones, SPAN("tzdata.zi"), &second, &f), 0);
    assert_ptr_equal(first, second);
    zones_free(zones);
}

static void names_stay_below_their_directory(void **state)
{
    static const char *const good[] = {"UTC",       "Asia/Tokyo", "America/Argentina/Buenos_Aires",
                                       "Etc/GMT+5", "Etc/GMT-14", "America/Port-au-Prince"};
    static const char *const bad[] = {
        "",        "/etc/passwd", "..",          "../x", "Asia/../x", "Asia/",   "Asia//Tokyo",
        ".hidden", "a/.b",        "Asia/Tokyo ", "-x/y", "a b",       "Asia\\x", "Asi\xc3\xa4"};

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(tz_name_valid(span_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(tz_name_valid(span_of(bad[i])));
    assert_false(tz_name_valid(SPAN("Asia\0Tokyo")));
}

static void every_cut_is_refused(void **state)
{
    struct buf bytes = {0};
    struct tz *tz = NULL;
    struct fault f;

    assert_int_equal(zoneinfo_read(NULL, SPAN("Europe/London"), &bytes, &f), 0);
    for (size_t n = 0; n < bytes.n; n++) {
        /* By a copy of just that size, so that a sanitizer sees what is read behind the end. */
        char *cut = malloc(n + 1);

        memcpy(cut, bytes.p, n);
        assert_int_equal(tz_new(&tz, (struct span){cut, n}, &f), ERR_SYNTAX);
        assert_null(tz);
        free(cut);
    }
    assert_int_equal(tz_new(&tz, buf_span(&bytes), &f), 0);
    tz_free(tz);
    buf_free(&bytes);
}

/* A version 2 file without transitions: only the footer speaks. */
static int footer_only(const char *footer, struct tz **out)
{
    char bytes[256] = "TZif2";
    size_t block = 44 + 6 + 1, n;
    struct fault f;

    bytes[39] = 1; /* one type */
    bytes[43] = 1; /* one byte of names */
    memcpy(bytes + block, bytes, block);
    n = 2 * block +
        (size_t)snprintf(bytes + 2 * block, sizeof(bytes) - 2 * block, "\n%s\n", footer);
    return tz_new(out, (struct span){bytes, n}, &f);
}

static int32_t offset_by(const char *footer, const char *date, int hour)
{
    struct tz_local local;
    struct tz *tz;
    struct fault f;
    int64_t day;

    assert_int_equal(footer_only(footer, &tz), 0);
    assert_int_equal(civil_parse(span_of(date), &day, &f), 0);
    tz_local(tz, day * 86400 + hour * 3600, &local);
    tz_free(tz);
    return local.offset;
}

static void footers_are_understood(void **state)
{
    assert_int_equal(offset_by("JST-9", "2026-07-01", 0), 32400);
    assert_int_equal(offset_by("<+0330>-3:30", "2026-07-01", 0), 12600);
    assert_int_equal(offset_by("<-03>3", "2026-07-01", 0), -10800);
    assert_int_equal(offset_by("EST5EDT,M3.2.0,M11.1.0", "2026-07-01", 0), -14400);
    assert_int_equal(offset_by("EST5EDT,M3.2.0,M11.1.0", "2026-12-01", 0), -18000);
    /* The whole year (RFC 8536 3.3.1), also in the moments in which one year follows another. */
    assert_int_equal(offset_by("EST5EDT,0/0,J365/25", "2026-12-31", 23), -14400);
    assert_int_equal(offset_by("EST5EDT,0/0,J365/25", "2027-01-01", 4), -14400);
    assert_int_equal(offset_by("EST5EDT,0/0,J365/25", "2027-01-01", 5), -14400);
    /* Jn never counts February 29; n does. */
    assert_int_equal(offset_by("AAA0BBB,J60/0,J300", "2028-02-29", 12), 0);
    assert_int_equal(offset_by("AAA0BBB,J60/0,J300", "2028-03-01", 0), 3600);
    assert_int_equal(offset_by("AAA0BBB,59/0,300", "2028-02-29", 0), 3600);
}

static void wrong_footers_are_refused(void **state)
{
    static const char *const bad[] = {
        "J",
        "JST",
        "JST-",
        "JS-9",
        "JST-26",
        "JST-9:60",
        "<>-9",
        "<JST-9",
        "JST-9X",
        "EST5EDT",
        "EST5EDT,M3",
        "EST5EDT,M13.1.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,J0,J300",
        "EST5EDT,0,366",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M3.2.0",
    };
    struct tz *tz = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(footer_only(bad[i], &tz), ERR_SYNTAX);
    assert_null(tz);
}

static void no_memory_no_zone(void **state)
{
    const struct tz *tz = NULL;
    struct zones *zones = NULL;
    struct fault f;

    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = zones_new(&zones, zoneinfo_read, NULL, &f);

        if (!err)
            err = zones_find(zones, SPAN("Asia/Tokyo"), &tz, &f);
        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(tz);
        zones_free(zones);
        zones = NULL;
    }
    assert_non_null(tz);
    zones_free(zones);
}

int main(void)
{
    struct CMUnitTest tests[N_NAMES + 7] = {
        cmocka_unit_test(a_zone_is_read_once),
        cmocka_unit_test(names_stay_below_their_directory),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(footers_are_understood),
        cmocka_unit_test(wrong_footers_are_refused),
        cmocka_unit_test(no_memory_no_zone),
    };
    size_t n = 6;

    for (size_t i = 0; i < N_NAMES; i++)
        tests[n++] = (struct CMUnitTest){
            .name = names[i],
            .test_func = zone_agrees_with_libc,
            .initial_state = (void *)names[i],
        };
    return _cmocka_run_group_tests("tz", tests, n, NULL, NULL);
}
