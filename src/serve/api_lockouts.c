/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_lockouts.h"

#include "serve/api_guard.h"
#include "store/guard_lists.h"

static struct span name_of(const struct guard_lock *lock)
{
    return (struct span){lock->name, lock->name_n};
}

int api_lock_json(struct store_tx *tx, const struct api_switch_names *names,
                  const struct guard_lock *lock, int64_t *tenant, json_t **out, struct fault *f)
{
    struct span gate = api_switch_name(names, lock->switch_id);
    struct store_account account = {0};
    int rc = ERR_MISSING;

    if (gate.n && reader_is_account(name_of(lock)))
        rc = store_account_find(tx, gate, name_of(lock), &account, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    *tenant = account.tenant_id;
    *out = json_pack("{s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "switch",
                     api_text_or_null(gate), "account", api_strange(name_of(lock)), "account_id",
                     account.id ? json_integer(account.id) : json_null(), "tenant",
                     api_text_or_null(account.tenant), "kind", api_lock_kind_name(lock->kind),
                     "observed", lock->observed, "since", api_time_ms(lock->since * 1000), "until",
                     api_time_or_null(lock->until), "seconds",
                     lock->length ? json_integer(lock->length) : json_null(), "level",
                     (json_int_t)lock->level, "threshold", (json_int_t)lock->threshold, "count",
                     (json_int_t)lock->count, "window", (json_int_t)lock->window);
    return *out ? 0 : fault_nomem(f);
}

/* ---- the list ---- */

struct listing {
    int64_t within, switch_id; /* 0: all */
    bool by_kind, by_observed, observed;
    enum guard_lock_kind kind;
    struct api_walk walk;
};

static int query_kind(struct api *api, struct listing *l, struct fault *f)
{
    struct span word = target_query_get(&api->target.query, "kind");
    const enum guard_lock_kind kinds[] = {GUARD_LOCK_OUT, GUARD_LOCK_INTERNATIONAL,
                                          GUARD_LOCK_TAKEOVER};

    l->by_kind = word.p != NULL;
    for (size_t i = 0; i < 3 && word.p; i++) {
        l->kind = kinds[i];
        if (span_is(word, api_lock_kind_name(kinds[i])))
            return 0;
    }
    return word.p
               ? api_refuse_parameter(api, "kind", f,
                                      "kind \"%s\" is not one of lockout, international, takeover",
                                      ESCAPED(word))
               : 0;
}

static int read_listing(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct listing *l = api->state;
    int rc = api_walk_begin(api, &l->walk, sizeof(struct guard_lock), f);

    if (!rc)
        rc = api_query_within(api, tx, &l->within, f);
    if (!rc)
        rc = api_query_bool(api, "observed", &l->by_observed, &l->observed, f);
    if (!rc)
        rc = query_kind(api, l, f);
    if (!rc)
        rc = api_query_switch(api, tx, &l->switch_id, f);
    return rc;
}

static bool next_lock(const struct guard_room *room, size_t *cursor, void *lock)
{
    return guard_next_lock(room->guard, room->now, cursor, lock);
}

static bool wants_lock(const void *listing, const void *item)
{
    const struct listing *l = listing;
    const struct guard_lock *lock = item;

    return (!l->by_kind || lock->kind == l->kind) &&
           (!l->by_observed || lock->observed == l->observed) &&
           (!l->switch_id || lock->switch_id == l->switch_id);
}

static int list_locks(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct listing *l = api->state;

    (void)f;
    api_walk(&l->walk, room, next_lock, wants_lock, l);
    return 0;
}

static int is_within(struct store_tx *tx, int64_t tenant, int64_t within, bool *out,
                     struct fault *f)
{
    *out = !within;
    return within && tenant ? store_tenant_within(tx, tenant, within, out, f) : 0;
}

/* Whose account it is, only the store knows: what the caller may not see falls out here. */
static int show_lock(struct store_tx *tx, const void *listing, const struct api_switch_names *names,
                     const void *lock, json_t **out, struct fault *f)
{
    const struct listing *l = listing;
    int64_t tenant;
    json_t *item;
    bool seen = false;
    int rc = api_lock_json(tx, names, lock, &tenant, &item, f);

    if (rc)
        return rc;
    rc = is_within(tx, tenant, l->within, &seen, f);
    if (!rc && seen)
        *out = item;
    else
        json_decref(item);
    return rc;
}

static int answer_locks(struct api *api, struct store_tx *tx, struct fault *f)
{
    const struct listing *l = api->state;

    return api_walk_answer(api, tx, &l->walk, show_lock, l, f);
}

int api_lockouts_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, read_listing, sizeof(struct listing), f);
    case 1: return api_ask_first(api, list_locks);
    case 2: return api_read_first(api, answer_locks, 0, f);
    }
    return 0;
}

/* ---- one ---- */

struct act {
    int64_t switch_id;
    struct span gate, account; /* of the path */
    struct guard_lock lock;
};

static int missing(struct api *api, struct fault *f)
{
    return api_refuse(api, 404, f, ERR_MISSING, "account \"%s\" of \"%s\" is not locked",
                      ESCAPED(api->params[1]), ESCAPED(api->params[0]));
}

static int look_up(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct store_account account;
    struct store_switch gate;
    bool seen = true;
    int rc = api_find_switch(api, tx, api->params[0], &gate, f);

    if (rc)
        return rc;
    act->switch_id = gate.id;
    act->gate = api->params[0];
    act->account = api->params[1];
    if (!api_within(api))
        return 0;
    rc = reader_is_account(act->account)
             ? store_account_find(tx, act->gate, act->account, &account, f)
             : ERR_MISSING;
    if (!rc)
        rc = api_may_see(api, tx, account.tenant_id, &seen, f);
    return rc == ERR_MISSING || (!rc && !seen) ? missing(api, f) : rc;
}

static int find_lock(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;

    if (!guard_find_lock(room->guard, room->now, act->switch_id, act->account, &act->lock))
        return missing(api, f);
    return 0;
}

static int answer_lock(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct api_switch_names names;
    json_t *json;
    int64_t tenant;
    int rc = api_switch_names(api, tx, &names, f);

    if (!rc)
        rc = api_lock_json(tx, &names, &act->lock, &tenant, &json, f);
    return rc ? rc : api_answer(api, 200, json, f);
}

int api_lockout_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, look_up, sizeof(struct act), f);
    case 1: return api_ask_first(api, find_lock);
    case 2: return api_read_first(api, answer_lock, 0, f);
    }
    return 0;
}

/* ---- unlocking ---- */

static int may_unlock(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;
    int rc = find_lock(api, room, f);

    if (rc)
        return rc;
    if (act->lock.kind == GUARD_LOCK_TAKEOVER && !act->lock.observed)
        api_harm(api,
                 &(struct api_harm){
                     "takeover",
                     "somebody seems to know the password of this account: change it first, or "
                     "he calls abroad again",
                     "このアカウントのパスワードは知られている可能性があります。先に変更しな"
                     "いと、再び国際通話に使われます。"});
    return api_consented(api, f);
}

static int record_unlock(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    return rc ? rc : store_unlock(tx, &by, act->gate, act->account, f);
}

/* It may have ended by itself meanwhile: that is what was asked for. */
static int unlock_now(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;

    (void)f;
    guard_unlock(room->guard, room->now, act->switch_id, act->account, NULL);
    return 0;
}

int api_lockout_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, look_up, sizeof(struct act), f);
    case 1: return api_ask_first(api, may_unlock);
    case 2: return api_write_first(api, record_unlock);
    case 3: return api_ask_first(api, unlock_now);
    }
    return api_answer_empty(api, 204);
}
