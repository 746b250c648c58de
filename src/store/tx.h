/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_TX_H
#define SEKISHO_STORE_TX_H

#include "store/db.h"
#include "store/store.h"

/* What jobs of one commit have touched: what must be published after it. Saying too much is harmless
 * (what is published is read again from the store), so nothing is taken back when a job is undone. */
struct touched {
    bool levels; /* operator, tenants, switches, stops above accounts */
    bool tokens;
    bool stop;    /* somebody was stopped */
    bool guard;   /* switches, and what guard_lists.h has */
    bool noticed; /* a notice is due */
    bool failed;  /* memory ran out while noting: publish everything */
    /* Accounts are noted by the key under which the snapshot has them. */
    struct touched_account {
        int64_t switch_id;
        char name[STORE_ACCOUNT_NAME_MAX + 1];
    } * accounts;
    size_t n, cap;
    int64_t accounts_above; /* every account with a higher id, when any_above */
    bool any_above;
    const struct bulk
        *bulk; /* of whose rows all became accounts, and which lives until the commit */
};

void touched_account(struct touched *t, int64_t switch_id, struct span name);
void touched_above(struct touched *t, int64_t id);
void touched_clear(struct touched *t);
void touched_free(struct touched *t);

/* LANE_URGENT is only a queue: its jobs are write jobs. */
enum lane { LANE_WRITE, LANE_READ, LANE_EVIDENCE, LANE_URGENT, LANES };

/* One job at its work. */
struct store_tx {
    struct store *store;
    enum lane lane;
    struct db *db;       /* sekisho.db */
    struct db *evidence; /* evidence.db */
    const struct tables *tables;
    struct instant now;
    int64_t change;
    struct arena arena;
    struct touched *touched; /* LANE_WRITE only */
    bool broken;             /* a change could not be taken back: the job fails */
};

/* Only a write job has something to touch; another one fails in change_begin(). */
static inline void tx_touch_levels(struct store_tx *tx)
{
    if (tx->touched)
        tx->touched->levels = true;
}

static inline void tx_touch_guard(struct store_tx *tx)
{
    if (tx->touched)
        tx->touched->guard = true;
}

#endif
