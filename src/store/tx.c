/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct instant store_tx_now(const struct store_tx *tx)
{
    return tx->now;
}

int64_t store_tx_change(const struct store_tx *tx)
{
    return tx->change;
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
    t->levels = t->tokens = t->failed = t->any_above = false;
    t->n = 0;
}

void touched_free(struct touched *t)
{
    free(t->accounts);
    *t = (struct touched){0};
}

int page_limit(const struct store_page *page, uint32_t *limit, struct fault *f)
{
    if (page->limit > STORE_PAGE_MAX)
        return fault(f, ERR_RANGE, "a page has at most %d rows, not %" PRIu32, STORE_PAGE_MAX,
                     page->limit);
    *limit = page->limit ? page->limit : STORE_PAGE_DEFAULT;
    return 0;
}

int page_id(const struct store_page *page, int64_t start, int64_t *id, struct fault *f)
{
    int64_t n = 0;

    if (page->cursor.n == 0) {
        *id = start;
        return 0;
    }
    /* 18 digits cannot overflow. */
    for (size_t i = 0; i < page->cursor.n; i++) {
        char c = page->cursor.p[i];
        if (c < '0' || c > '9' || i == 18)
            return fault(f, ERR_SYNTAX, "\"%s\" is no cursor of this list", ESCAPED(page->cursor));
        n = n * 10 + (c - '0');
    }
    *id = n;
    return 0;
}

struct span page_next_id(struct store_tx *tx, int64_t id, bool *ok)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRId64, id);

    return arena_copy(&tx->arena, (struct span){text, (size_t)n}, ok);
}

void *page_items(struct store_tx *tx, uint32_t limit, size_t size)
{
    return arena_alloc(&tx->arena, ((size_t)limit + 1) * size);
}
