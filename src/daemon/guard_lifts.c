/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_lifts.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/guard_lists.h"

#define AT_ONCE 256 /* of one job: who waits behind it waits for some milliseconds */

enum flight { GROUNDED, FLYING, LANDED, CRASHED };

struct lift {
    struct network network;
    int64_t seen; /* the change that it stood by */
};

struct guard_lifts {
    struct lift *waiting;
    size_t n, cap, n_job;
    struct lift job[AT_ONCE]; /* the store's, while one flies */
    _Atomic enum flight flight;
};

int guard_lifts_new(struct guard_lifts **out, struct fault *f)
{
    struct guard_lifts *l = calloc(1, sizeof(*l));

    if (!l)
        return fault_nomem(f);
    *out = l;
    return 0;
}

void guard_lifts_free(struct guard_lifts *l)
{
    if (!l)
        return;
    free(l->waiting);
    free(l);
}

/* False: there is no room. */
static bool grow(struct guard_lifts *l)
{
    size_t cap = l->cap ? 2 * l->cap : 16;
    struct lift *more =
        l->n < STORE_BANS_MAX ? realloc(l->waiting, cap * sizeof(*l->waiting)) : NULL;

    if (!more)
        return false;
    l->waiting = more;
    l->cap = cap;
    return true;
}

void guard_lifts_add(struct guard_lifts *l, int64_t seen, const struct network *network)
{
    char text[ADDRESS_TEXT_MAX];

    if (l->n == l->cap && !grow(l)) {
        log_error("lift-unrecorded", LOG_TEXT("network", network_text(network, text)),
                  LOG_TEXT("message", "no memory: the ban comes back with the next start"));
        return;
    }
    l->waiting[l->n++] = (struct lift){*network, seen};
}

/* ---- on the store's thread ------------------------------------------------------------------ */

static int write_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("sekishod")};
    const struct guard_lifts *l = arg;
    int err = 0;

    for (size_t i = 0; i < l->n_job && !err; i++)
        err = store_ban_gone(tx, &by, &l->job[i].network, l->job[i].seen, f);
    return err;
}

static void on_done(void *arg, int code, const struct fault *f)
{
    struct guard_lifts *l = arg;

    if (code)
        log_error("lift-unrecorded", LOG_TEXT("fault", f->text));
    atomic_store(&l->flight, code ? CRASHED : LANDED);
}

/* ---- the guard's thread --------------------------------------------------------------------- */

void guard_lifts_write(struct guard_lifts *l, struct store *store)
{
    enum flight flight = atomic_load(&l->flight);
    struct fault f;

    if (flight == FLYING)
        return;
    if (flight == LANDED)
        l->n_job = 0;
    if (!l->n_job && l->n) {
        l->n_job = l->n < AT_ONCE ? l->n : AT_ONCE;
        memcpy(l->job, l->waiting, l->n_job * sizeof(l->job[0]));
        l->n -= l->n_job;
        memmove(l->waiting, l->waiting + l->n_job, l->n * sizeof(l->job[0]));
    }
    atomic_store(&l->flight, l->n_job ? FLYING : GROUNDED);
    if (l->n_job && store_write(store, write_job, l, on_done, l, &f) != 0)
        on_done(l, f.code, &f);
}
