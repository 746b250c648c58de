/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_CIVIL_H
#define SEKISHO_POLICY_CIVIL_H

#include <stdint.h>

#include "base/fault.h"

/* Dates of the proleptic Gregorian calendar as days since 1970-01-01. */
struct civil {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

enum civil_weekday { MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY };

int64_t civil_to_days(int year, int month,
                      int day); /* month 1 to 12; day may lie outside its month */
struct civil civil_from_days(int64_t days);
enum civil_weekday civil_weekday(int64_t days);
int civil_days_in_month(int year, int month);

/* "2026-12-31" to days; ERR_SYNTAX, or ERR_RANGE for a day that does not exist. Years 1900 to 9999. */
int civil_parse(struct span text, int64_t *days, struct fault *f);

#endif
