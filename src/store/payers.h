/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_PAYERS_H
#define SEKISHO_STORE_PAYERS_H

#include "store/calls.h"
#include "store/store.h"

struct db; /* store/db.h */

/*
 * Whether the names that call records give to who pays are accounts of their switch. Where they are not, the rule
 * that chose them is wrong or a zone of names is missing: accounts seem never to call, and a sweep would restrict
 * those who do. Written when an import ends; what was made or deleted since is not in it.
 */
struct payers {
    int64_t at_ms;
    uint64_t calls, stray_calls; /* of all on record; of names that no account has */
    uint64_t callers, stray_callers;
    uint64_t accounts, silent; /* of the switch; without any call */
};

/* So much of the calls is of strays that a sweep would be wrong: a fifth. */
bool payers_doubtful(const struct payers *payers);

/* Of calls.db, on whatever connection. `*found` false: nothing was imported for that switch. */
int payers_read(struct db *db, int64_t switch_id, struct payers *out, bool *found, struct fault *f);

#define PAYERS_TOP 10
struct payers_top {
    struct payers_stray {
        char name[STORE_ACCOUNT_NAME_MAX + 1];
        uint64_t calls;
    } items[PAYERS_TOP]; /* most calls first */
    size_t n;
};

/* Counts, and keeps it. `is_account` tells whether the switch has an account of that name; `accounts` is how many it has.
 * After calls_sum(). */
int payers_count(struct calls *calls, int64_t switch_id,
                 bool (*is_account)(void *arg, struct span name), void *arg, uint64_t accounts,
                 int64_t now_ms, struct payers *out, struct payers_top *top, struct fault *f);

#endif
