/* SPDX-License-Identifier: GPL-2.0-or-later */
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN
#endif
#endif
#ifndef UNDER_TSAN
#define _LGPL_SOURCE /* the read lock inline: a load, a store and a compiler barrier */
#endif
#include <urcu/urcu-memb.h>

#include "policy/snapshot.h"

#include <stdlib.h>

#include "policy/accounts.h"
#include "policy/handles.h"

/* What was replaced is freed by itself when so much has gathered. */
#define RETIRED_MAX 1024

/* As many staged changes keep their room for those that come next. */
#define STAGED_KEPT 65536

/* A table with as many slots grows ahead of time. */
#define PREPARED_FROM 65536

/* So many accounts ahead of its place the table is read, which is seldom near. */
#define AHEAD 8

enum staged_kind { STAGED_ACCOUNT, STAGED_REMOVAL, STAGED_LEVELS };

struct staged {
    enum staged_kind kind;
    struct account_hash hash;
    int64_t id;
    struct profile *profile; /* of an account: a reference */
    struct levels *levels;
};

struct snapshot {
    /* For readers; written with release by the writer. */
    struct levels *levels;
    struct accounts *accounts;
    int64_t change;
    struct account_hash_keys keys;

    /* The writer's alone. */
    struct zones *zones;
    struct ruleset_pool *rulesets;
    struct profile_pool *profiles;
    struct handles handles;
    struct staged *staged;
    size_t n_staged, staged_capacity;
    size_t staged_new; /* accounts among them that may need a slot of their own */
    bool staged_moves; /* a name that is removed, or given to another account, is among them */
    struct levels *retired_levels;
    struct accounts *retired_accounts;
    struct profile *retired_profiles;
    size_t n_retired;
};

/* ThreadSanitizer does not see that a grace period comes after all that readers did before it. */
#ifdef UNDER_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
static char grace;
#define READER_DONE() __tsan_release(&grace)
#define GRACE_OVER() __tsan_acquire(&grace)
#else
#define READER_DONE() ((void)0)
#define GRACE_OVER() ((void)0)
#endif

/* ---- for readers ---- */

void snapshot_reader_register(void)
{
    urcu_memb_register_thread();
}

void snapshot_reader_unregister(void)
{
    urcu_memb_unregister_thread();
}

void snapshot_read_lock(void)
{
    urcu_memb_read_lock();
}

void snapshot_read_unlock(void)
{
    READER_DONE();
    urcu_memb_read_unlock();
}

void snapshot_grace(void)
{
    urcu_memb_synchronize_rcu();
    GRACE_OVER();
}

static const struct levels *levels_now(const struct snapshot *snap)
{
    return snap ? __atomic_load_n(&snap->levels, __ATOMIC_ACQUIRE) : NULL;
}

int64_t snapshot_change(const struct snapshot *snap)
{
    return snap ? __atomic_load_n(&snap->change, __ATOMIC_ACQUIRE) : 0;
}

const struct levels_gate *snapshot_switch_by_name(const struct snapshot *snap, struct span name)
{
    const struct levels *levels = levels_now(snap);

    return levels ? levels_gate_by_name(levels, name) : NULL;
}

size_t snapshot_accounts(const struct snapshot *snap)
{
    const struct accounts *table = snap ? __atomic_load_n(&snap->accounts, __ATOMIC_ACQUIRE) : NULL;

    return table ? __atomic_load_n(&table->live, __ATOMIC_RELAXED) : 0;
}

const struct levels_gate *snapshot_switch_by_id(const struct snapshot *snap, int64_t id)
{
    const struct levels *levels = levels_now(snap);

    return levels ? levels_gate_by_id(levels, id) : NULL;
}

const struct levels_gate *snapshot_switch_by_address(const struct snapshot *snap,
                                                     const struct address *address)
{
    const struct levels *levels = levels_now(snap);

    return levels ? levels_gate_by_address(levels, address) : NULL;
}

size_t snapshot_switch_networks(const struct snapshot *snap, struct network *out, size_t most)
{
    const struct levels *levels = levels_now(snap);

    return levels ? levels_networks(levels, out, most) : 0;
}

static bool name_valid(struct span name)
{
    static const char allowed[] = "._@+-";

    if (name.n == 0 || name.n > ACCOUNT_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !memchr(allowed, c, sizeof(allowed) - 1))
            return false;
    }
    return true;
}

/* A question on its way: what the next step needs is being brought near meanwhile. */
struct search {
    struct account_hash hash;
    const struct profile *profile;
    int64_t id;
    bool possible; /* a gate, and a name of possible length */
    bool settled;  /* found, or not possible */
};

static void begin(const struct snapshot *snap, const struct snapshot_question *question,
                  struct search *search)
{
    struct span name = question->account;

    search->possible = question->gate && name.n > 0 && name.n <= ACCOUNT_NAME_MAX;
    if (search->possible)
        search->hash = account_hash(&snap->keys, question->gate->id, name);
}

/* Loads, and many of them close together, rather than prefetches between the hashes: what a processor
 * does with a prefetch whose page it must look up first is its own affair, and in a virtual machine,
 * where that takes two walks, it mostly lets the prefetch wait or fall. */
static void touch(const struct accounts *table, const struct search *searches, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (searches[i].possible)
            accounts_touch(table, &searches[i].hash);
}

static void look(const struct accounts *table, struct search *search)
{
    search->id = 0;
    search->profile = NULL;
    search->settled =
        !search->possible || accounts_look(table, &search->hash, &search->profile, &search->id);
    if (search->settled && search->profile)
        __builtin_prefetch(search->profile);
}

static void look_on(const struct accounts *table, struct search *search)
{
    if (!search->settled)
        search->profile = accounts_find(table, &search->hash, &search->id);
}

/* Names that no account can have are not adopted. */
static void describe(const struct snapshot_question *question, const struct search *search,
                     struct snapshot_subject *out)
{
    const struct levels_gate *gate = question->gate;
    const struct profile *profile = search->profile;
    const struct levels_view *view;

    out->gate = gate;
    out->site = gate->site;
    out->observe = gate->mode == MODE_OBSERVE;
    if (profile && !levels_in_reach(gate, profile->tenant))
        return;
    out->account = search->id;
    view = profile ? levels_view(levels_of(gate), profile->tenant) : levels_adopter(gate);
    out->adopt = !profile && view && name_valid(question->account);
    if (!view || !(profile || out->adopt))
        return;
    out->tenant = view->id;
    out->tenant_name = view->name;
    out->observe |= view->observe;
    out->stopped = view->stopped || (profile && profile->stopped);
    out->state = profile ? (enum account_state)profile->state : ACCOUNT_ACTIVE;
    out->site = levels_site(gate, view);
    out->internal[0] = profile;
    out->internal[1] = view;
    ruleset_prefetch(profile ? profile->rules : view->born);
}

/* So many are on their way at once. */
#define FLOCK 32

static void find_flock(const struct snapshot *snap, const struct snapshot_question *questions,
                       size_t n, struct snapshot_subject *out)
{
    const struct accounts *table = __atomic_load_n(&snap->accounts, __ATOMIC_ACQUIRE);
    int64_t change = snapshot_change(snap);
    struct search searches[FLOCK];

    for (size_t i = 0; i < n; i++)
        begin(snap, &questions[i], &searches[i]);
    touch(table, searches, n);
    for (size_t i = 0; i < n; i++)
        look(table, &searches[i]);
    for (size_t i = 0; i < n; i++)
        look_on(table, &searches[i]);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct snapshot_subject){.change = change};
        if (questions[i].gate)
            describe(&questions[i], &searches[i], &out[i]);
    }
}

void snapshot_find_many(const struct snapshot *snap, const struct snapshot_question *questions,
                        size_t n, struct snapshot_subject *out)
{
    for (size_t i = 0; i < n; i += FLOCK)
        if (snap)
            find_flock(snap, questions + i, n - i < FLOCK ? n - i : FLOCK, out + i);
    for (size_t i = 0; !snap && i < n; i++)
        out[i] = (struct snapshot_subject){0};
}

void snapshot_find(const struct snapshot *snap, const struct levels_gate *gate, struct span account,
                   struct snapshot_subject *out)
{
    snapshot_find_many(snap, &(struct snapshot_question){gate, account}, 1, out);
}

void snapshot_decide(const struct snapshot *snap, const struct snapshot_subject *subject,
                     const struct number *number, bool source_good, int64_t now,
                     struct verdict *out)
{
    const struct profile *profile = subject->internal[0];
    const struct levels_view *view = subject->internal[1];
    const struct levels_common *common;
    struct decide_question q = {
        .number = number,
        .site = subject->site,
        .state = subject->state,
        .stopped = subject->stopped,
        .source_good = source_good,
        .observe = subject->observe,
        .when = {.now = now},
        .change = subject->change,
    };
    struct decide_rules rules;

    if (subject->gate) {
        common = levels_common(levels_of(subject->gate));
        q.form = subject->gate->form;
        q.unknown = subject->account == 0 && !subject->adopt;
        q.help_lines = common->help_lines;
        q.n_help_lines = common->n_help_lines;
        q.when.extra = &common->holidays;
        if (view) {
            rules = (struct decide_rules){
                .account = profile ? profile->rules : view->born,
                .tenants = view->chain,
                .n_tenants = view->n_chain,
                .operator_rules = common->operator_rules,
                .mandatory = common->mandatory,
                .silent = view->silent,
            };
            q.rules = &rules;
        }
    }
    decide(&q, out);
}

/* ---- making and freeing ---- */

int snapshot_new(struct snapshot **out, const struct snapshot_options *options, struct fault *f)
{
    struct snapshot *snap = calloc(1, sizeof(*snap));
    int err;

    if (!snap)
        return fault_nomem(f);
    snap->zones = options->zones;
    account_hash_keys(&snap->keys, options->key);
    err = ruleset_pool_new(&snap->rulesets, options->zones, options->key, f);
    if (!err)
        err = profile_pool_new(&snap->profiles, options->key, f);
    if (!err)
        err = accounts_new(&snap->accounts, options->accounts + options->accounts / 5, f);
    if (err) {
        snapshot_free(snap);
        return err;
    }
    *out = snap;
    return 0;
}

static void free_retired(struct snapshot *snap)
{
    while (snap->retired_levels) {
        struct levels *levels = snap->retired_levels;

        snap->retired_levels = *levels_next_retired(levels);
        levels_free(levels, snap->rulesets);
    }
    while (snap->retired_accounts) {
        struct accounts *table = snap->retired_accounts;

        snap->retired_accounts = table->next_retired;
        accounts_free(table);
    }
    while (snap->retired_profiles) {
        struct profile *profile = snap->retired_profiles;

        snap->retired_profiles = profile->next_retired;
        profile_free(profile, snap->rulesets);
    }
    snap->n_retired = 0;
}

void snapshot_free(struct snapshot *snap)
{
    if (!snap)
        return;
    snapshot_discard(snap, 0);
    free_retired(snap);
    if (snap->rulesets)
        levels_free(snap->levels, snap->rulesets);
    accounts_free(snap->accounts);
    profile_pool_free(snap->profiles, snap->rulesets);
    ruleset_pool_free(snap->rulesets);
    handles_clear(&snap->handles);
    free(snap->staged);
    free(snap);
}

void snapshot_reclaim(struct snapshot *snap)
{
    if (snap->n_retired == 0)
        return;
    snapshot_grace();
    free_retired(snap);
}

static void retire_profile(struct snapshot *snap, struct profile *profile)
{
    if (!profile || !profile_unref(snap->profiles, profile))
        return;
    profile->next_retired = snap->retired_profiles;
    snap->retired_profiles = profile;
    snap->n_retired++;
}

static void retire_levels(struct snapshot *snap, struct levels *levels)
{
    if (!levels)
        return;
    *levels_next_retired(levels) = snap->retired_levels;
    snap->retired_levels = levels;
    snap->n_retired++;
}

/* ---- staging ---- */

struct zones *snapshot_zones(struct snapshot *snap)
{
    return snap->zones;
}

int snapshot_rules(struct snapshot *snap, const struct rule *rules, size_t n,
                   const struct ruleset **out, struct fault *f)
{
    return ruleset_intern(snap->rulesets, rules, n, out, f);
}

void snapshot_rules_unref(struct snapshot *snap, const struct ruleset *set)
{
    ruleset_unref(snap->rulesets, set);
}

static int reserve_staged(struct snapshot *snap, size_t n, struct fault *f)
{
    size_t capacity = snap->staged_capacity ? snap->staged_capacity * 2 : 64;
    void *p;

    if (snap->n_staged + n <= snap->staged_capacity)
        return 0;
    if (capacity < snap->n_staged + n)
        capacity = snap->n_staged + n;
    p = reallocarray(snap->staged, capacity, sizeof(*snap->staged));
    if (!p)
        return fault_nomem(f);
    snap->staged = p;
    snap->staged_capacity = capacity;
    return 0;
}

/* A table in which `n` more accounts have room takes the old one's place at once: it says the same. */
static int reserve_slots(struct snapshot *snap, size_t n, struct fault *f)
{
    struct accounts *old = snap->accounts, *grown;
    int err;

    if (accounts_fit(old, n))
        return 0;
    err = accounts_grown(old, n, &grown, f);
    if (err)
        return err;
    __atomic_store_n(&snap->accounts, grown, __ATOMIC_RELEASE);
    old->next_retired = snap->retired_accounts;
    snap->retired_accounts = old;
    snap->n_retired++;
    return 0;
}

int snapshot_reserve(struct snapshot *snap, size_t n, struct fault *f)
{
    int err = reserve_staged(snap, n, f);

    return err ? err : reserve_slots(snap, snap->staged_new + n, f);
}

void snapshot_prepare(struct snapshot *snap)
{
    struct fault ignored;

    /* A small table grows in no time. */
    if (snap->accounts->capacity > PREPARED_FROM &&
        !accounts_fit(snap->accounts, snap->accounts->capacity / 32))
        reserve_slots(snap, snap->accounts->capacity / 32, &ignored);
}

/* Whether putting the account takes a slot that it does not have yet. Once names move, one cannot tell
 * from the table as it is; in an empty one nobody has a slot. */
static bool needs_slot(struct snapshot *snap, const struct account_hash *hash, int64_t id)
{
    int64_t present = id;

    if (snap->accounts->used == 0 && !snap->staged_moves)
        return true;
    bool found = accounts_find(snap->accounts, hash, &present);

    snap->staged_moves |= present != id;
    return snap->staged_moves || !found;
}

static int check_name(struct span name, struct fault *f)
{
    if (name_valid(name))
        return 0;
    return fault(f, ERR_RANGE,
                 "\"%s\" is no account name; it has 1 to %d letters, digits and \"._@+-\"",
                 ESCAPED(name), ACCOUNT_NAME_MAX);
}

int snapshot_stage_account(struct snapshot *snap, const struct snapshot_account *account,
                           struct fault *f)
{
    struct profile wanted = {
        .rules = account->rules,
        .state = (uint8_t)account->state,
        .stopped = account->stopped,
    };
    struct staged s = {.kind = STAGED_ACCOUNT, .id = account->id};
    bool fresh;
    int err = check_name(account->name, f);

    if (err)
        return err;
    if (account->id <= 0)
        return fault(f, ERR_RANGE, "account \"%s\" has no id", ESCAPED(account->name));
    s.hash = account_hash(&snap->keys, account->switch_id, account->name);
    fresh = needs_slot(snap, &s.hash, s.id);
    err = reserve_staged(snap, 1, f);
    if (!err && fresh)
        err = reserve_slots(snap, snap->staged_new + 1, f);
    if (!err)
        err = handles_get(&snap->handles, account->tenant, &wanted.tenant, f);
    if (!err)
        err = profile_intern(snap->profiles, &wanted, &s.profile, f);
    if (err)
        return err;
    snap->staged_new += fresh;
    snap->staged[snap->n_staged++] = s;
    return 0;
}

int snapshot_stage_removal(struct snapshot *snap, int64_t switch_id, struct span name,
                           struct fault *f)
{
    int err = check_name(name, f);

    if (!err)
        err = reserve_staged(snap, 1, f);
    if (err)
        return err;
    snap->staged[snap->n_staged++] =
        (struct staged){.kind = STAGED_REMOVAL, .hash = account_hash(&snap->keys, switch_id, name)};
    snap->staged_moves = true;
    return 0;
}

int snapshot_stage_levels(struct snapshot *snap, const struct levels_config *config,
                          struct fault *f)
{
    struct levels_workshop workshop = {snap->rulesets, &snap->handles, snap->levels};
    struct staged s = {.kind = STAGED_LEVELS};
    int err = reserve_staged(snap, 1, f);

    if (!err)
        err = levels_new(&s.levels, &workshop, config, f);
    if (err)
        return err;
    snap->staged[snap->n_staged++] = s;
    return 0;
}

size_t snapshot_staged(const struct snapshot *snap)
{
    return snap->n_staged;
}

/* Nothing is staged any more. The list of a million is not kept for the few that come next. */
static void staging_over(struct snapshot *snap)
{
    snap->staged_new = 0;
    snap->staged_moves = false;
    if (snap->staged_capacity > STAGED_KEPT) {
        free(snap->staged);
        snap->staged = NULL;
        snap->staged_capacity = 0;
    }
}

void snapshot_discard(struct snapshot *snap, size_t mark)
{
    while (snap->n_staged > mark) {
        struct staged *s = &snap->staged[--snap->n_staged];

        /* A profile or block that no reader has seen, or one that others still hold. */
        switch (s->kind) {
        case STAGED_ACCOUNT: retire_profile(snap, s->profile); break;
        case STAGED_REMOVAL: break;
        case STAGED_LEVELS: levels_free(s->levels, snap->rulesets); break;
        }
    }
    /* Until all is gone these may claim too much: that only reserves more. */
    if (mark == 0)
        staging_over(snap);
}

/* ---- publishing ---- */

static void publish_one(struct snapshot *snap, const struct staged *s)
{
    const struct profile *replaced;
    struct levels *old;

    switch (s->kind) {
    case STAGED_ACCOUNT:
        replaced = accounts_put(snap->accounts, &s->hash, s->id, s->profile);
        retire_profile(snap, (struct profile *)replaced);
        break;
    case STAGED_REMOVAL:
        replaced = accounts_remove(snap->accounts, &s->hash);
        retire_profile(snap, (struct profile *)replaced);
        break;
    case STAGED_LEVELS:
        old = snap->levels;
        __atomic_store_n(&snap->levels, s->levels, __ATOMIC_RELEASE);
        retire_levels(snap, old);
        break;
    }
}

void snapshot_publish(struct snapshot *snap, int64_t change)
{
    for (size_t i = 0; i < snap->n_staged; i++) {
        if (i + AHEAD < snap->n_staged)
            accounts_touch(snap->accounts, &snap->staged[i + AHEAD].hash);
        publish_one(snap, &snap->staged[i]);
    }
    snap->n_staged = 0;
    staging_over(snap);
    __atomic_store_n(&snap->change, change, __ATOMIC_RELEASE);
    if (snap->n_retired > RETIRED_MAX)
        snapshot_reclaim(snap);
}

struct snapshot_figures snapshot_figures(const struct snapshot *snap)
{
    return (struct snapshot_figures){
        .accounts = snap->accounts->live,
        .rulesets = ruleset_pool_count(snap->rulesets),
        .profiles = profile_pool_count(snap->profiles),
        .bytes = snap->accounts->capacity * sizeof(struct account_slot),
    };
}
