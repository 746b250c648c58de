/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_COVERAGE_H
#define SEKISHO_LEDGER_COVERAGE_H

#include "ledger/history.h"

/*
 * From when to when there are call records of a switch. A few days without any are believed (holidays, a small
 * house); a longer gap is records that nobody brought, and what lies before it tells nothing of today.
 */
struct coverage {
    int64_t believed_ms;       /* set by the caller: so long may be without records */
    int64_t first_ms, last_ms; /* of all days with records: where the first begins, the last ends */
    int64_t reach_ms;          /* where the last stretch without a gap begins */
    int64_t gap_ms, gap_ends_ms; /* the gap before that */
};

/* Nothing yet: all times are HISTORY_NEVER. */
void coverage_begin(struct coverage *coverage, int64_t believed_ms);

/* A day (since 1970, UTC) with records; they come in ascending order. */
void coverage_day(struct coverage *coverage, int64_t day);

/* Records reach from `since_ms` to `now_ms`, but for what is believed at either end. */
bool coverage_holds(const struct coverage *coverage, int64_t since_ms, int64_t now_ms);

#endif
