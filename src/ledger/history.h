/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_HISTORY_H
#define SEKISHO_LEDGER_HISTORY_H

#include "ledger/call.h"

/*
 * Call history: for each caller and country, what became of the calls there. Any number of calls is summed
 * in a table of a fixed size, which is drained into the store whenever it is full; sums of the same caller
 * and country are merged there.
 */
struct history;

/* The calls of one caller to one country. */
struct history_sum {
    uint32_t caller;
    char country
        [4]; /* ISO 3166-1 alpha-2, "001" for a number of no country, "" where it is not known */
    bool abroad; /* dialled as international calls; the same country may be called either way */
    uint32_t answered; /* those that count: see `doubted` */
    uint32_t unanswered, failed, refused;
    uint32_t doubted; /* answered, and no reason to think that the account's owner calls there */
    uint64_t seconds; /* of all that were answered */
    int64_t first_ms, last_ms;             /* of all, milliseconds since 1970 */
    int64_t spoke_first_ms, spoke_last_ms; /* of those in `answered`; HISTORY_NEVER: none */
};

#define HISTORY_NEVER INT64_MIN

/* Room for `sums` (at least 1) in memory that is taken once, about 100 bytes each. NULL: there is none. */
struct history *history_new(size_t sums);
void history_free(struct history *history);

/* Where a call went to, and whether it may be held for its account. */
struct history_place {
    struct span country; /* at most 3 bytes */
    bool abroad;
    bool doubted; /* made while the account was attacked, or disowned */
};

/* ERR_FULL: a new sum is needed and there is no room; drain and add again. */
int history_add(struct history *history, const struct call *call, struct history_place place);

/*
 * Gives every sum to `take`, by caller, then country, then abroad last; then there are none. When `take` returns
 * anything but 0, that is returned and everything stays.
 */
int history_drain(struct history *history, int (*take)(void *arg, const struct history_sum *sum),
                  void *arg);

/* Forgets all sums. */
void history_clear(struct history *history);

/*
 * Makes room: forgets the sums of the callers in the upper half, and gives the highest caller that stays. Those
 * above it are to be counted again from the first call, in another table or after this one was drained. ERR_RANGE:
 * all sums are of one caller; they stay.
 */
int history_halve(struct history *history, uint32_t *highest);

/* Adds `more`, a sum of the same caller and country over other calls. Counts stay at their greatest value. */
void history_merge(struct history_sum *sum, const struct history_sum *more);

#endif
