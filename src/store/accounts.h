/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_ACCOUNTS_H
#define SEKISHO_STORE_ACCOUNTS_H

#include "store/change.h"

extern const struct change_kind account_kind;

/* Where a new account belongs, and the rules that it is born with. */
struct account_home {
    int64_t switch_id;
    int64_t tenant_id;
    int64_t born; /* rule set */
};

/* By names; an empty one means the only one there is. Refuses a tenant out of the switch's reach. */
int account_home(struct store_tx *tx, struct span switch_name, struct span tenant,
                 struct account_home *out, struct fault *f);

/* ERR_DENIED when the switch lists tenants, and this is none of them nor below one. */
int account_reach(struct store_tx *tx, int64_t switch_id, int64_t tenant_id, struct fault *f);

/* The rules of the tenant's preset: its own, else the nearest above it, else the first there is. */
int account_born(struct store_tx *tx, int64_t tenant_id, int64_t *set, struct fault *f);

/* A row that is checked and whose name is clean. */
struct account_row {
    int64_t switch_id, tenant_id;
    struct span name;
    enum store_state state;
    struct span note;
    bool adopted;
    int64_t rule_set;
};

/* ERR_EXISTS (without a sentence) when the switch has the name already. */
int account_insert(struct store_tx *tx, const struct account_row *row, int64_t change, int64_t *id,
                   struct fault *f);

#endif
