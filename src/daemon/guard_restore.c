/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_restore.h"

#include "base/log.h"
#include "store/guard_records.h"

struct restoring {
    struct guard *guard;
    struct adoption *adoption;
    struct instant now;
    int64_t bans, locks, pairs, counts, left_out;
};

/* One that does not fit, or is none to this version, is no reason to start without a guard. */
static int took(struct restoring *r, int err, int64_t *number)
{
    if (err)
        r->left_out++;
    else
        (*number)++;
    return 0;
}

static int on_lifted(void *arg, const struct network *network, struct fault *f)
{
    const struct restoring *r = arg;

    return adoption_forbid(r->adoption, network, f);
}

static int on_ban(void *arg, const struct guard_ban *ban, struct fault *f)
{
    struct restoring *r = arg;

    return took(r, guard_restore_ban(r->guard, r->now, ban, f), &r->bans);
}

static int on_lock(void *arg, const struct guard_lock *lock, struct fault *f)
{
    struct restoring *r = arg;

    return took(r, guard_restore_lock(r->guard, r->now, lock, f), &r->locks);
}

static int on_pair(void *arg, const struct guard_pair *pair, struct fault *f)
{
    struct restoring *r = arg;

    return took(r, guard_restore_pair(r->guard, r->now, pair, f), &r->pairs);
}

static int on_count(void *arg, const struct guard_count *count, struct fault *f)
{
    struct restoring *r = arg;

    return took(r, guard_restore_count(r->guard, r->now, count, f), &r->counts);
}

static int key_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_guard_key(tx, arg, f);
}

int guard_restore_key(struct store *store, uint8_t key[GUARD_KEY_BYTES], struct fault *f)
{
    return store_evidence_wait(store, key_job, key, f);
}

static int load_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct restoring *r = arg;
    const struct store_guard_loader loader = {r, on_lifted, on_ban, on_lock, on_pair, on_count};

    return store_guard_load(tx, guard_limits_in_use(r->guard), &loader, f);
}

int guard_restore_all(struct store *store, struct guard *guard, struct adoption *adoption,
                      struct instant now, struct fault *f)
{
    struct restoring r = {.guard = guard, .adoption = adoption, .now = now};
    int err = store_read_wait(store, load_job, &r, f);

    if (err)
        return err;
    log_info("guard-restored", LOG_INT("bans", r.bans), LOG_INT("locks", r.locks),
             LOG_INT("pairs", r.pairs), LOG_INT("counts", r.counts));
    if (r.left_out)
        log_warning("guard-left-out", LOG_INT("records", r.left_out));
    return 0;
}
