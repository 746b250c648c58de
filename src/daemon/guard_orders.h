/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_ORDERS_H
#define SEKISHO_DAEMON_GUARD_ORDERS_H

#include "guard/guard.h"
#include "store/guard_lists.h"

/*
 * What the operator ordered (store/guard_lists.h), read for the guard's thread on one of the store's: that thread never
 * waits for it. What changes while it is read is read again.
 */
struct guard_orders;

/* Everything at once, as it was committed. */
struct guard_order_book {
    struct network access[STORE_NETWORKS_MAX], never[STORE_NETWORKS_MAX];
    struct guard_account canaries[STORE_CANARIES_MAX]; /* their names are in: */
    char names[STORE_CANARIES_MAX][STORE_ACCOUNT_NAME_MAX];
    size_t n_access, n_never, n_canaries;
};

/* `there` is called on a thread of the store when a book has come. ERR_NOMEM. */
int guard_orders_new(struct guard_orders **out, void (*there)(void *arg), void *arg,
                     struct fault *f);
/* When the store is closed, or nothing was ever read. */
void guard_orders_free(struct guard_orders *orders);

/* Any thread. */
void guard_orders_changed(struct guard_orders *orders);
/* Begins to read what has changed, if anything has. */
void guard_orders_read(struct guard_orders *orders, struct store *store);
/* The newest book, once; the caller frees it. NULL: none has come. */
struct guard_order_book *guard_orders_take(struct guard_orders *orders);

/* The same at the start, waiting for it; the caller frees it. */
int guard_orders_wait(struct store *store, struct guard_order_book **out, struct fault *f);

#endif
