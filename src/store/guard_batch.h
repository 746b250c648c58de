/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_BATCH_H
#define SEKISHO_STORE_GUARD_BATCH_H

#include "store/guard_records.h"

/* What the journal hands to one evidence job: the rows as the guard has them now. */

struct batch_ban {
    struct guard_ban ban; /* `network` and `observed` say which */
    bool gone;
};

struct batch_lock {
    struct guard_lock lock; /* `switch_id` and `name` say which */
    bool gone;
};

/* A source became known good for an account, or no longer is. */
struct batch_good {
    uint64_t account; /* keyed hash */
    int64_t switch_id, at_ms;
    struct network network;
    char name[ACCOUNT_NAME_MAX];
    uint8_t name_n;
    bool good;
};

struct batch_decision {
    struct guard_event event; /* its spans and pointers are not to be looked at, but: */
    char account[ACCOUNT_NAME_MAX];
    uint8_t account_n, n_good;
    uint16_t n_counted;
    struct network good[GUARD_GOOD_MAX];
    struct evidence *counted; /* its own, or NULL */
};

struct guard_batch {
    struct batch_ban *bans;
    struct batch_lock *locks;
    struct batch_good *goods;
    struct batch_decision *decisions;
    struct guard_pair *pairs;
    struct guard_count *counts;
    const struct store_attempts *attempts;
    size_t n_bans, n_locks, n_goods, n_decisions, n_pairs, n_counts, n_attempts;
    int64_t sweep; /* the walk that pairs and counts (and bans and locks) are of */
    /* That walk ends with this batch: rows of other walks go, but bans and locks only if those were walked through. */
    bool sweep_ends, swept_bans;
};

/* An evidence job; `batch` is a struct guard_batch. */
int guard_batch_write(struct store_tx *tx, void *batch, struct fault *f);

/* The parts of it. */
int guard_state_write(struct store_tx *tx, const struct guard_batch *batch, struct fault *f);
int decisions_write(struct store_tx *tx, const struct guard_batch *batch, struct fault *f);

#endif
