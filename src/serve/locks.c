/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/locks.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "guard/keys.h"
#include "policy/snapshot.h"

/* Chains of entries that never change: a new one takes the place of the old. The guard's tables have room for
 * some 400,000 accounts with known good sources; a chain is a handful then. */
#define BUCKETS (1u << 16)

enum lock_state { UNLOCKED, LOCKED, INTERNATIONAL, TAKEN };

struct entry {
    struct entry *next; /* under RCU */
    struct entry *retired;
    uint64_t account; /* its keyed hash */
    enum lock_state lock;
    unsigned n_good;
    struct network good[]; /* n_good */
};

struct locks {
    struct keys keys;
    struct entry **buckets;
    struct entry *retired;
    atomic_size_t entries;
    bool behind;
};

/* What an entry is to be. */
struct draft {
    enum lock_state lock;
    unsigned n_good;
    struct network good[GUARD_GOOD_MAX];
};

static struct entry **new_buckets(void)
{
    return calloc(BUCKETS, sizeof(struct entry *));
}

static void free_buckets(struct entry **buckets)
{
    for (size_t i = 0; buckets && i < BUCKETS; i++) {
        for (struct entry *e = buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    free(buckets);
}

int locks_new(struct locks **out, const uint8_t key[GUARD_KEY_BYTES], struct fault *f)
{
    struct locks *locks = calloc(1, sizeof(*locks));

    if (!locks)
        return fault_nomem(f);
    locks->buckets = new_buckets();
    if (!locks->buckets) {
        free(locks);
        return fault_nomem(f);
    }
    keys_init(&locks->keys, key);
    *out = locks;
    return 0;
}

static void free_retired(struct locks *locks)
{
    while (locks->retired) {
        struct entry *e = locks->retired;

        locks->retired = e->retired;
        free(e);
    }
}

void locks_free(struct locks *locks)
{
    if (!locks)
        return;
    free_retired(locks);
    free_buckets(locks->buckets);
    free(locks);
}

/* ---- entries -------------------------------------------------------------------------------- */

static size_t bucket_of(uint64_t account)
{
    return account >> 48 & (BUCKETS - 1);
}

/* The link that points to the account's entry, or the chain's last one. */
static struct entry **find(struct entry **buckets, uint64_t account)
{
    struct entry **link = &buckets[bucket_of(account)];

    while (*link && (*link)->account != account)
        link = &(*link)->next;
    return link;
}

static void draft_of(const struct entry *e, struct draft *out)
{
    *out = (struct draft){0};
    if (!e)
        return;
    out->lock = e->lock;
    out->n_good = e->n_good;
    memcpy(out->good, e->good, e->n_good * sizeof(e->good[0]));
}

static bool says_nothing(const struct draft *draft)
{
    return draft->lock == UNLOCKED && draft->n_good == 0;
}

static struct entry *entry_of(uint64_t account, const struct draft *draft)
{
    struct entry *e = malloc(sizeof(*e) + draft->n_good * sizeof(e->good[0]));

    if (!e)
        return NULL;
    *e = (struct entry){.account = account, .lock = draft->lock, .n_good = draft->n_good};
    memcpy(e->good, draft->good, draft->n_good * sizeof(e->good[0]));
    return e;
}

static bool same(const struct network *a, const struct network *b)
{
    return a->family == b->family && a->bits == b->bits && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static void add_good(struct draft *draft, const struct network *network)
{
    for (unsigned i = 0; i < draft->n_good; i++)
        if (same(&draft->good[i], network))
            return;
    if (draft->n_good < GUARD_GOOD_MAX)
        draft->good[draft->n_good++] = *network;
}

static void drop_good(struct draft *draft, const struct network *network)
{
    for (unsigned i = 0; i < draft->n_good; i++) {
        if (same(&draft->good[i], network)) {
            draft->good[i] = draft->good[--draft->n_good];
            return;
        }
    }
}

/* Puts the draft into a table that nobody reads yet. */
static int put(struct entry **buckets, uint64_t account, const struct draft *draft, size_t *n)
{
    struct entry **link = find(buckets, account);
    struct entry *e = entry_of(account, draft);

    if (!e)
        return ERR_NOMEM;
    if (*link) {
        e->next = (*link)->next;
        free(*link);
    } else {
        ++*n;
    }
    *link = e;
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int load_pairs(struct entry **buckets, const struct guard *guard, struct instant now,
                      size_t *n)
{
    struct guard_pair pair;
    struct draft draft;
    int err = 0;

    for (size_t cursor = 0; !err && guard_next_pair(guard, now, &cursor, &pair);) {
        if (!pair.good)
            continue;
        draft_of(*find(buckets, pair.account), &draft);
        add_good(&draft, &pair.home);
        err = put(buckets, pair.account, &draft, n);
    }
    return err;
}

static enum lock_state state_of(enum guard_lock_kind kind)
{
    switch (kind) {
    case GUARD_LOCK_OUT: return LOCKED;
    case GUARD_LOCK_INTERNATIONAL: return INTERNATIONAL;
    case GUARD_LOCK_TAKEOVER: return TAKEN;
    }
    return TAKEN;
}

static int load_locks(const struct locks *locks, struct entry **buckets, const struct guard *guard,
                      struct instant now, size_t *n)
{
    struct guard_lock lock;
    struct draft draft;
    int err = 0;

    for (size_t cursor = 0; !err && guard_next_lock(guard, now, &cursor, &lock);) {
        uint64_t account =
            keys_account(&locks->keys, lock.switch_id, (struct span){lock.name, lock.name_n});

        if (lock.observed)
            continue;
        draft_of(*find(buckets, account), &draft);
        draft.lock = state_of(lock.kind);
        err = put(buckets, account, &draft, n);
    }
    return err;
}

int locks_load(struct locks *locks, const struct guard *guard, struct instant now, struct fault *f)
{
    struct entry **buckets = new_buckets(), **old = locks->buckets;
    size_t n = 0;
    int err = buckets ? load_pairs(buckets, guard, now, &n) : ERR_NOMEM;

    if (!err)
        err = load_locks(locks, buckets, guard, now, &n);
    if (err) {
        free_buckets(buckets);
        locks->behind = true;
        return fault_nomem(f);
    }
    __atomic_store_n(&locks->buckets, buckets, __ATOMIC_RELEASE);
    atomic_store_explicit(&locks->entries, n, memory_order_release);
    snapshot_grace();
    free_buckets(old);
    free_retired(locks);
    locks->behind = false;
    return 0;
}

/* ---- one event ------------------------------------------------------------------------------ */

static void retire(struct locks *locks, struct entry *e)
{
    e->retired = locks->retired;
    locks->retired = e;
}

static void replace(struct locks *locks, uint64_t account, const struct draft *draft)
{
    struct entry **link = find(locks->buckets, account);
    struct entry *old = *link, *e = NULL;

    if (!says_nothing(draft)) {
        e = entry_of(account, draft);
        if (!e) {
            locks->behind = true;
            return;
        }
        e->next = old ? old->next : NULL;
        __atomic_store_n(link, e, __ATOMIC_RELEASE);
        if (!old)
            atomic_fetch_add_explicit(&locks->entries, 1, memory_order_release);
    } else if (old) {
        __atomic_store_n(link, old->next, __ATOMIC_RELEASE);
        atomic_fetch_sub_explicit(&locks->entries, 1, memory_order_release);
    }
    if (old)
        retire(locks, old);
}

/* False where the event is none of ours. */
static bool change(struct draft *draft, const struct guard_event *event)
{
    switch (event->kind) {
    case GUARD_LOCKOUT:
        draft->lock = LOCKED;
        draft->n_good = 0;
        for (size_t i = 0; i < event->n_good; i++)
            add_good(draft, &event->good[i]);
        return true;
    case GUARD_INTERNATIONAL: draft->lock = INTERNATIONAL; return true;
    case GUARD_TAKEOVER: draft->lock = TAKEN; return true;
    case GUARD_UNLOCK: draft->lock = UNLOCKED; return true;
    case GUARD_GOOD: add_good(draft, &event->network); return true;
    case GUARD_NOT_GOOD: drop_good(draft, &event->network); return true;
    case GUARD_BAN:
    case GUARD_QUENCH:
    case GUARD_UNBAN:
    case GUARD_PAIR_REFUSED:
    case GUARD_WRONG_PASSWORD:
    case GUARD_ENUMERATION:
    case GUARD_EXEMPT_ATTACKS:
    case GUARD_CANARY:
    case GUARD_STILL_ANSWERED:
    case GUARD_PRESSURE: return false;
    }
    return false;
}

/* A source can be good while its switch is observed: then its successes are its owner's all the same. */
static bool is_ours(const struct guard_event *event)
{
    return event->account.n && (!event->observed || event->kind == GUARD_GOOD);
}

void locks_take(struct locks *locks, const struct guard_event *event)
{
    struct draft draft;
    uint64_t account;

    if (!is_ours(event))
        return;
    account = keys_account(&locks->keys, event->switch_id, event->account);
    draft_of(*find(locks->buckets, account), &draft);
    if (change(&draft, event))
        replace(locks, account, &draft);
}

bool locks_behind(const struct locks *locks)
{
    return locks->behind;
}

void locks_reclaim(struct locks *locks)
{
    if (!locks->retired)
        return;
    snapshot_grace();
    free_retired(locks);
}

/* ---- readers -------------------------------------------------------------------------------- */

static bool is_good(const struct entry *e, const struct address *source)
{
    struct address address = keys_unmapped(source);
    struct network home = keys_home(&address);

    for (unsigned i = 0; home.family && i < e->n_good; i++)
        if (same(&e->good[i], &home))
            return true;
    return false;
}

static enum guard_account_state answer(const struct entry *e, bool good)
{
    switch (e->lock) {
    case UNLOCKED: return GUARD_FREE;
    case LOCKED: return good ? GUARD_FREE : GUARD_LOCKED_OUT;
    case INTERNATIONAL:
    case TAKEN: return GUARD_INTERNATIONAL_LOCKED;
    }
    return GUARD_INTERNATIONAL_LOCKED;
}

bool locks_any(const struct locks *locks)
{
    return locks && atomic_load_explicit(&locks->entries, memory_order_acquire) > 0;
}

struct locks_answer locks_ask(const struct locks *locks, int64_t switch_id, struct span account,
                              const struct address *source)
{
    struct locks_answer out = {.state = GUARD_FREE};
    struct entry **buckets;
    const struct entry *e;
    uint64_t key;

    if (!locks_any(locks) || !account.n)
        return out;
    key = keys_account(&locks->keys, switch_id, account);
    buckets = __atomic_load_n(&locks->buckets, __ATOMIC_ACQUIRE);
    e = __atomic_load_n(&buckets[bucket_of(key)], __ATOMIC_ACQUIRE);
    while (e && e->account != key)
        e = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE);
    if (!e)
        return out;
    out.source_good = is_good(e, source);
    out.state = answer(e, out.source_good);
    out.takeover = e->lock == TAKEN;
    return out;
}
