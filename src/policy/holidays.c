/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/holidays.h"

#include "policy/civil.h"

#define FIRST_YEAR 1980
#define LAST_YEAR 2099

/* Holidays on a fixed date, and those years in which they were there. */
static const struct fixed {
    int month, day, from, to;
    const char *name;
} fixed[] = {
    {1, 1, 1949, 9999, "元日"},
    {1, 15, 1949, 1999, "成人の日"},
    {2, 11, 1967, 9999, "建国記念の日"},
    {2, 23, 2020, 9999, "天皇誕生日"},
    {4, 29, 1949, 1988, "天皇誕生日"},
    {4, 29, 1989, 2006, "みどりの日"},
    {4, 29, 2007, 9999, "昭和の日"},
    {5, 3, 1949, 9999, "憲法記念日"},
    {5, 4, 2007, 9999, "みどりの日"},
    {5, 5, 1949, 9999, "こどもの日"},
    {7, 20, 1996, 2002, "海の日"},
    {8, 11, 2016, 2019, "山の日"},
    {8, 11, 2022, 9999, "山の日"},
    {9, 15, 1966, 2002, "敬老の日"},
    {10, 10, 1966, 1999, "体育の日"},
    {11, 3, 1948, 9999, "文化の日"},
    {11, 23, 1948, 9999, "勤労感謝の日"},
    {12, 23, 1989, 2018, "天皇誕生日"},
    /* The Olympic years (令和二年・三年東京オリンピック特措法). */
    {7, 23, 2020, 2020, "海の日"},
    {7, 24, 2020, 2020, "スポーツの日"},
    {8, 10, 2020, 2020, "山の日"},
    {7, 22, 2021, 2021, "海の日"},
    {7, 23, 2021, 2021, "スポーツの日"},
    {8, 8, 2021, 2021, "山の日"},
    /* The accession of 2019 (平成30年法律第99号): holidays in the sense of the law, so that the days
     * between them and others count too. */
    {5, 1, 2019, 2019, "天皇の即位の日"},
    {10, 22, 2019, 2019, "即位礼正殿の儀の行われる日"},
    {2, 24, 1989, 1989, "昭和天皇の大喪の礼の行われる日"},
    {11, 12, 1990, 1990, "即位礼正殿の儀の行われる日"},
    {6, 9, 1993, 1993, "皇太子徳仁親王の結婚の儀の行われる日"},
};

/* Happy Mondays: the n-th Monday of the month. */
static const struct monday {
    int month, nth, from, to;
    const char *name;
} mondays[] = {
    {1, 2, 2000, 9999, "成人の日"},  {7, 3, 2003, 2019, "海の日"},
    {7, 3, 2022, 9999, "海の日"},    {9, 3, 2003, 9999, "敬老の日"},
    {10, 2, 2000, 2019, "体育の日"}, {10, 2, 2022, 9999, "スポーツの日"},
};

#define N(table) (sizeof(table) / sizeof(*(table)))

/* The usual approximation for 1980 to 2099, in millionths of a day to stay with integers. */
static int equinox(int year, int millionths_1980)
{
    int since = year - 1980;

    return (millionths_1980 + 242194 * since) / 1000000 - since / 4;
}

/* The holidays in the narrow sense (国民の祝日). */
static const char *named(int64_t day)
{
    struct civil c = civil_from_days(day);

    if (c.year < FIRST_YEAR || c.year > LAST_YEAR)
        return NULL;
    for (size_t i = 0; i < N(fixed); i++)
        if (c.month == fixed[i].month && c.day == fixed[i].day && c.year >= fixed[i].from &&
            c.year <= fixed[i].to)
            return fixed[i].name;
    if (c.month == 3 && c.day == equinox(c.year, 20843100))
        return "春分の日";
    if (c.month == 9 && c.day == equinox(c.year, 23248800))
        return "秋分の日";
    if (civil_weekday(day) != MONDAY)
        return NULL;
    for (size_t i = 0; i < N(mondays); i++)
        if (c.month == mondays[i].month && (c.day + 6) / 7 == mondays[i].nth &&
            c.year >= mondays[i].from && c.year <= mondays[i].to)
            return mondays[i].name;
    return NULL;
}

/* Article 3 (2): a holiday on a Sunday moves on to the first day that is none. Until 2006 that was the
 * Monday, and no case is known in which this made a difference. */
static bool substitute(int64_t day)
{
    int64_t before = day - 1;

    while (named(before)) {
        if (civil_weekday(before) == SUNDAY)
            return true;
        before--;
    }
    return false;
}

/* Article 3 (3), in force since 1985-12-27: a day between two holidays is one, until 2006 unless it
 * was a Sunday. */
static bool between(int64_t day)
{
    struct civil c = civil_from_days(day);

    return c.year >= 1986 && (c.year >= 2007 || civil_weekday(day) != SUNDAY) && named(day - 1) &&
           named(day + 1);
}

const char *holidays_name(int64_t day)
{
    const char *name;

    if (day < civil_to_days(FIRST_YEAR, 1, 1) || day > civil_to_days(LAST_YEAR, 12, 31))
        return NULL;
    name = named(day);
    if (!name && (substitute(day) || between(day)))
        name = "休日";
    return name;
}

bool holidays_include(const struct holidays *extra, int64_t day)
{
    size_t low = 0, high = extra ? extra->n : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (extra->days[middle] == day)
            return true;
        if (extra->days[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return holidays_name(day) != NULL;
}
