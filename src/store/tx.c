/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store_impl.h"

#include <stdlib.h>

struct instant store_tx_now(const struct store_tx *tx)
{
    return tx->now;
}

int64_t store_tx_change(const struct store_tx *tx)
{
    return tx->change;
}

struct holidays store_holidays(const struct store_tx *tx)
{
    const struct store_config *house = &tx->store->config;

    return (struct holidays){house->holidays, house->n_holidays};
}

void *store_tx_alloc(struct store_tx *tx, size_t size)
{
    return arena_alloc(&tx->arena, size);
}

int store_change(struct store_tx *tx, int64_t *change, struct fault *f)
{
    bool found = false;

    return db_int(tx->db, change, &found, "SELECT max(id) FROM audit", NULL, 0, f);
}

void touched_account(struct touched *t, int64_t switch_id, struct span name)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        void *p = realloc(t->accounts, cap * sizeof(*t->accounts));
        if (!p) {
            t->failed = true;
            return;
        }
        t->accounts = p;
        t->cap = cap;
    }
    if (name.n > STORE_ACCOUNT_NAME_MAX) /* no account can have such a name */
        return;
    struct touched_account *a = &t->accounts[t->n++];
    *a = (struct touched_account){.switch_id = switch_id};
    memcpy(a->name, name.p, name.n);
}

void touched_above(struct touched *t, int64_t id)
{
    if (!t->any_above || id < t->accounts_above)
        t->accounts_above = id;
    t->any_above = true;
}

void touched_clear(struct touched *t)
{
    t->levels = t->tokens = t->guard = t->stop = t->failed = t->any_above = false;
    t->n = 0;
    t->bulk = NULL;
}

void touched_free(struct touched *t)
{
    free(t->accounts);
    *t = (struct touched){0};
}
