/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_HOLIDAYS_H
#define SEKISHO_POLICY_HOLIDAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Japan's national holidays by the law (国民の祝日に関する法律 with its amendments and the special laws
 * for 1989, 1990, 1993, 2019, 2020 and 2021), from 1980 to 2099: the equinoxes follow the usual
 * approximation, which has agreed with every date that the government has published so far. Before
 * and after there are none.
 */

/* The holiday's name in Japanese ("元日", "休日" for substitute and citizens' holidays), or NULL where
 * the day (since 1970-01-01) is an ordinary one. */
const char *holidays_name(int64_t day);

/* Further days that the operator counts as holidays (its own New Year's leave). Sorted, ascending;
 * borrowed. */
struct holidays {
    const int64_t *days;
    size_t n;
};

/* Whether the day is a national holiday or one of `extra` (which may be NULL). */
bool holidays_include(const struct holidays *extra, int64_t day);

#endif
