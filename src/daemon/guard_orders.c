/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_orders.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"

struct guard_orders {
    void (*there)(void *arg);
    void *arg;
    struct guard_order_book *reading; /* the job's, while one is under way */
    atomic_bool changed, busy;
    _Atomic(struct guard_order_book *) come;
};

int guard_orders_new(struct guard_orders **out, void (*there)(void *arg), void *arg,
                     struct fault *f)
{
    struct guard_orders *o = calloc(1, sizeof(*o));

    if (!o)
        return fault_nomem(f);
    o->there = there;
    o->arg = arg;
    *out = o;
    return 0;
}

void guard_orders_free(struct guard_orders *o)
{
    if (!o)
        return;
    free(o->reading);
    free(atomic_load(&o->come));
    free(o);
}

/* ---- on the store's threads ----------------------------------------------------------------- */

static void copy_canaries(struct guard_order_book *book, const struct store_guard_lists *lists)
{
    for (size_t i = 0; i < lists->n_canaries && i < STORE_CANARIES_MAX; i++) {
        const struct store_guard_canary *from = &lists->canaries[i];
        size_t n = from->name.n < STORE_ACCOUNT_NAME_MAX ? from->name.n : STORE_ACCOUNT_NAME_MAX;

        memcpy(book->names[i], from->name.p, n);
        book->canaries[i] = (struct guard_account){from->switch_id, {book->names[i], n}};
        book->n_canaries = i + 1;
    }
}

static size_t copy_networks(struct network to[STORE_NETWORKS_MAX], const struct network *from,
                            size_t n)
{
    if (n > STORE_NETWORKS_MAX)
        n = STORE_NETWORKS_MAX;
    if (n)
        memcpy(to, from, n * sizeof(*to));
    return n;
}

static int read_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct guard_order_book *book = arg;
    struct store_guard_lists lists;
    int err = store_guard_lists_read(tx, &lists, f);

    if (err)
        return err;
    book->n_access = copy_networks(book->access, lists.access, lists.n_access);
    book->n_never = copy_networks(book->never, lists.never, lists.n_never);
    copy_canaries(book, &lists);
    return 0;
}

static void on_done(void *arg, int code, const struct fault *f)
{
    struct guard_orders *o = arg;
    struct guard_order_book *book = o->reading;

    o->reading = NULL;
    if (code) {
        log_error("orders-unread", LOG_TEXT("fault", f->text));
        free(book);
        atomic_store(&o->changed, true);
    } else {
        free(atomic_exchange(&o->come, book));
    }
    atomic_store(&o->busy, false);
    if (!code)
        o->there(o->arg);
}

/* ---- the guard's thread --------------------------------------------------------------------- */

void guard_orders_changed(struct guard_orders *o)
{
    atomic_store(&o->changed, true);
}

/* What cannot be read now is read a second later. */
void guard_orders_read(struct guard_orders *o, struct store *store)
{
    struct fault f;

    if (!atomic_load(&o->changed) || atomic_load(&o->busy))
        return;
    o->reading = calloc(1, sizeof(*o->reading));
    if (!o->reading)
        return;
    atomic_store(&o->changed, false);
    atomic_store(&o->busy, true);
    if (store_read(store, read_job, o->reading, on_done, o, &f) == 0)
        return;
    free(o->reading);
    o->reading = NULL;
    atomic_store(&o->busy, false);
    atomic_store(&o->changed, true);
}

struct guard_order_book *guard_orders_take(struct guard_orders *o)
{
    return atomic_exchange(&o->come, NULL);
}

int guard_orders_wait(struct store *store, struct guard_order_book **out, struct fault *f)
{
    struct guard_order_book *book = calloc(1, sizeof(*book));
    int err = book ? store_read_wait(store, read_job, book, f) : fault_nomem(f);

    if (err)
        free(book);
    else
        *out = book;
    return err;
}
