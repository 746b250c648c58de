/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_CALLS_IMPL_H
#define SEKISHO_STORE_CALLS_IMPL_H

#include "store/callers.h"
#include "store/calls.h"
#include "store/db.h"
#include "store/doubts.h"

struct calls {
    struct calls_config config;
    struct db *db;
    struct callers callers;
    struct doubts doubts;    /* as of the last doubts_load() */
    struct history *history; /* empty between calls of functions */
    struct fault *fault;     /* for who is called back while that is drained */
};

/* A transaction is open, whoever began it. */
int calls_begin(struct calls *calls, struct fault *f);
/* Ends it: with `err` (what happened) everything since calls_begin() is undone. Returns err, or why the commit
 * failed. */
int calls_end(struct calls *calls, int err, struct fault *f);

/* Where a call went, and whether it speaks for its account: by the doubts that were loaded last. */
struct history_place calls_place(struct calls *calls, int64_t switch_id, const struct call *call);

/* Adds one call to the sums in memory, and makes room in the store where there is none. */
int calls_sum_one(struct calls *calls, int64_t switch_id, const struct call *call, struct fault *f);
/* Writes the sums in memory into history. */
int calls_sum_keep(struct calls *calls, struct fault *f);

#endif
