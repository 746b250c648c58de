/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_CLOCK_TEXT_H
#define SEKISHO_TESTS_CLOCK_TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/civil.h"

/* Moments as people write them in cases: "2026-11-24T09:00:00+09:00", "…Z". Ends the test on any other. */
static inline int64_t clock_read(struct span text)
{
    int year, month, day, hour, minute, second, east_hours = 0, east_minutes = 0;
    char sign = 0, line[64] = {0};

    memcpy(line, text.p, text.n < 63 ? text.n : 63);
    int n = sscanf(line, "%d-%d-%dT%d:%d:%d%c%d:%d", &year, &month, &day, &hour, &minute, &second,
                   &sign, &east_hours, &east_minutes);
    if (n < 7 || (sign != 'Z' && n != 9)) {
        fprintf(stderr, "\"%s\" is no moment\n", line);
        exit(1);
    }
    int64_t east = (east_hours * 3600LL + east_minutes * 60LL) * (sign == '-' ? -1 : 1);

    return civil_to_days(year, month, day) * 86400 + hour * 3600LL + minute * 60LL + second - east;
}

static inline void clock_write(int64_t at, char out[32])
{
    struct civil c = civil_from_days(at / 86400);
    int s = (int)(at % 86400);

    snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, s / 3600,
             s / 60 % 60, s % 60);
}

#endif
