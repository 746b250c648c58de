/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/coverage.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)

void coverage_begin(struct coverage *coverage, int64_t believed_ms)
{
    *coverage = (struct coverage){.believed_ms = believed_ms,
                                  .first_ms = HISTORY_NEVER,
                                  .last_ms = HISTORY_NEVER,
                                  .reach_ms = HISTORY_NEVER,
                                  .gap_ms = HISTORY_NEVER,
                                  .gap_ends_ms = HISTORY_NEVER};
}

void coverage_day(struct coverage *coverage, int64_t day)
{
    int64_t begins_ms = day * DAY_MS;

    if (coverage->first_ms == HISTORY_NEVER) {
        coverage->first_ms = coverage->reach_ms = begins_ms;
    } else if (begins_ms - coverage->last_ms > coverage->believed_ms) {
        coverage->gap_ms = coverage->last_ms;
        coverage->gap_ends_ms = coverage->reach_ms = begins_ms;
    }
    coverage->last_ms = begins_ms + DAY_MS;
}

bool coverage_holds(const struct coverage *coverage, int64_t since_ms, int64_t now_ms)
{
    return coverage->reach_ms != HISTORY_NEVER &&
           coverage->reach_ms <= since_ms + coverage->believed_ms &&
           coverage->last_ms >= now_ms - coverage->believed_ms;
}
