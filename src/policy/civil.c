/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/civil.h"

/* Years are counted from March, so that the leap day is the last of its year, and in eras of 400
 * years, which all have 146097 days. */
#define ERA_DAYS 146097
#define ERA_OF_1970 719468 /* days from 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t civil_to_days(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t from_march = (153 * ((month + 9) % 12) + 2) / 5;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + from_march + day - 1 -
           ERA_OF_1970;
}

struct civil civil_from_days(int64_t days)
{
    int64_t shifted = days + ERA_OF_1970;
    int64_t era = floor_div(shifted, ERA_DAYS);
    int64_t d = shifted - era * ERA_DAYS;
    int64_t year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t of_year = d - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct civil c = {
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
        .month = (int)(month < 10 ? month + 3 : month - 9),
    };

    c.year = (int)(era * 400 + year + (c.month <= 2));
    return c;
}

enum civil_weekday civil_weekday(int64_t days)
{
    int64_t of_week = (days + THURSDAY) % 7; /* 1970-01-01 was a Thursday */

    return (enum civil_weekday)(of_week < 0 ? of_week + 7 : of_week);
}

int civil_days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool digits(const char *p, size_t n, int *out)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (p[i] - '0');
    }
    *out = value;
    return true;
}

int civil_parse(struct span text, int64_t *days, struct fault *f)
{
    int year, month, day;

    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || !digits(text.p, 4, &year) ||
        !digits(text.p + 5, 2, &month) || !digits(text.p + 8, 2, &day))
        return fault(f, ERR_SYNTAX, "\"%s\" is no date; a date is written 2026-12-31",
                     ESCAPED(text));
    if (year < 1900 || month < 1 || month > 12 || day < 1 || day > civil_days_in_month(year, month))
        return fault(f, ERR_RANGE, "there is no day %s; dates go from 1900-01-01 to 9999-12-31",
                     ESCAPED(text));
    *days = civil_to_days(year, month, day);
    return 0;
}
