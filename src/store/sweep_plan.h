/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_SWEEP_PLAN_H
#define SEKISHO_STORE_SWEEP_PLAN_H

#include "ledger/coverage.h"
#include "store/change.h"
#include "store/db.h"
#include "store/sweeps.h"

/* What a sweep restricts on one switch. */
struct sweep_switch {
    int64_t id;
    char name[STORE_NAME_MAX + 1];
    char access[RULE_PREFIX_MAX + 1];
    struct coverage records; /* of its calls */
    bool strays;             /* too many of them are of nobody (payers.h) */
};

/* An account that is to be restricted. */
struct sweep_target {
    int64_t account_id;
    int64_t rule_set; /* that it has */
    uint32_t at;      /* its switch, in `switches` */
    uint32_t caller;  /* 0: never called */
};

struct sweep_plan {
    struct sweep_ask ask;
    int64_t change;
    int64_t last_caller; /* the highest; 0: there was none */
    uint64_t counts[SWEEP_VERDICTS];
    struct sweep_switch *switches;
    size_t n_switches;
    struct sweep_target *targets; /* sorted by account */
    size_t n, cap;
};

/* So many accounts are published one by one; more of them by reading all anew, which is quicker then. */
#define SWEEP_ONE_BY_ONE 10000

extern const struct change_kind sweep_kind;

/* ERR_CONFLICT: what the plan looked at has been changed since, but by record `before`, which is being written. New
 * accounts are none of its business. */
int sweep_check_fresh(struct store_tx *tx, const struct sweep_plan *plan, int64_t before,
                      struct fault *f);

/* "2026-12-01", here. */
#define SWEEP_DAY_SIZE 16
void sweep_day(int64_t ms, char out[SWEEP_DAY_SIZE]);

/* ERR_CONFLICT: there are calls in the file that its history does not have yet. */
int sweep_check_summed(struct db *calls, struct fault *f);

#endif
