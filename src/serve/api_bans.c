/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_bans.h"

#include <stdio.h>

#include "serve/api_guard.h"
#include "store/guard_lists.h"

/* An operator's ban has a note in the store; what the guard decides has none. */
static int ban_json(struct store_tx *tx, const struct api_switch_names *names,
                    const struct guard_ban *ban, json_t **out, struct fault *f)
{
    struct store_ban row = {0};
    int rc = ERR_MISSING;

    if (ban->attack == ATTACK_OPERATOR)
        rc = store_ban_get(tx, &ban->network, &row, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    *out = api_ban_json(names, ban, row.note, row.actor);
    return *out ? 0 : fault_nomem(f);
}

/* ---- the list ---- */

struct listing {
    struct network network; /* family 0: all */
    bool by_attack, by_observed, observed;
    enum attack attack;
    int64_t switch_id; /* 0: all */
    struct api_walk walk;
};

static int query_attack(struct api *api, struct listing *l, struct fault *f)
{
    struct span word = target_query_get(&api->target.query, "attack");

    if (!word.p)
        return 0;
    for (int i = 0; i < ATTACKS; i++) {
        if (!span_is(word, guard_attack_name((enum attack)i)))
            continue;
        l->attack = (enum attack)i;
        l->by_attack = true;
        return 0;
    }
    return api_refuse_parameter(api, "attack", f, "attack \"%s\" is none that a ban can be for",
                                ESCAPED(word));
}

static int read_listing(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct listing *l = api->state;
    int rc = api_walk_begin(api, &l->walk, sizeof(struct guard_ban), f);

    if (!rc)
        rc = api_query_network(api, "network", &l->network, f);
    if (!rc)
        rc = api_query_bool(api, "observed", &l->by_observed, &l->observed, f);
    if (!rc)
        rc = query_attack(api, l, f);
    if (!rc)
        rc = api_query_switch(api, tx, &l->switch_id, f);
    return rc;
}

static bool next_ban(const struct guard_room *room, size_t *cursor, void *ban)
{
    return guard_next_ban(room->guard, room->now, cursor, ban);
}

static bool wants_ban(const void *listing, const void *item)
{
    const struct listing *l = listing;
    const struct guard_ban *ban = item;

    return (!l->network.family || exempts_overlap(&l->network, &ban->network)) &&
           (!l->by_attack || ban->attack == l->attack) &&
           (!l->by_observed || ban->observed == l->observed) &&
           (!l->switch_id || (ban->switch_id == l->switch_id && guard_attack_counted(ban->attack)));
}

static int list_bans(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct listing *l = api->state;

    (void)f;
    api_walk(&l->walk, room, next_ban, wants_ban, l);
    return 0;
}

static int show_ban(struct store_tx *tx, const void *listing, const struct api_switch_names *names,
                    const void *ban, json_t **out, struct fault *f)
{
    (void)listing;
    return ban_json(tx, names, ban, out, f);
}

static int answer_bans(struct api *api, struct store_tx *tx, struct fault *f)
{
    const struct listing *l = api->state;

    return api_walk_answer(api, tx, &l->walk, show_ban, l, f);
}

int api_bans_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, read_listing, sizeof(struct listing), f);
    case 1: return api_ask_first(api, list_bans);
    case 2: return api_read_first(api, answer_bans, 0, f);
    }
    return 0;
}

/* ---- one ---- */

struct act {
    struct network network;
    uint32_t seconds;
    struct span note;
    int64_t order; /* the change that it is on record by */
    bool there;    /* a ban of exactly this network */
    struct guard_ban ban;
    int refused; /* by the guard, when the record stood already */
    struct fault why;
    bool covered; /* by a wider ban, when its own has ended */
};

/* What holds goes before what is only on record. */
static bool find(const struct guard_room *room, const struct network *network,
                 struct guard_ban *out)
{
    return guard_find_ban(room->guard, room->now, network, false, out) ||
           guard_find_ban(room->guard, room->now, network, true, out);
}

static bool find_wider(const struct guard_room *room, const struct network *network,
                       struct guard_ban *out)
{
    struct guard_ban around[16];
    size_t n = guard_bans_around(room->guard, room->now, network, around, 16);

    for (size_t i = 0; i < n; i++) {
        if (around[i].observed)
            continue;
        *out = around[i];
        return true;
    }
    return false;
}

static int find_one(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;
    char text[ADDRESS_TEXT_MAX], wide[ADDRESS_TEXT_MAX];
    struct guard_ban wider;

    if (find(room, &act->network, &act->ban))
        return 0;
    network_text(&act->network, text);
    if (find_wider(room, &act->network, &wider))
        return api_refuse(api, 404, f, ERR_MISSING,
                          "%s itself is not banned, but %s is, which it is part of", text,
                          network_text(&wider.network, wide));
    return api_refuse(api, 404, f, ERR_MISSING, "%s is not banned", text);
}

static int begin_one(struct api *api, struct fault *f)
{
    struct act *act = api->state = reader_alloc(&api->reader, sizeof(*act));

    if (!act)
        return fault_nomem(f);
    return api_param_network(api, 0, &act->network, f);
}

static int answer_one(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct api_switch_names names;
    json_t *json;
    int rc = api_switch_names(api, tx, &names, f);

    if (!rc)
        rc = ban_json(tx, &names, &act->ban, &json, f);
    return rc ? rc : api_answer(api, strcmp(api->route->method, "POST") == 0 ? 201 : 200, json, f);
}

int api_ban_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    int rc;

    (void)tx;
    switch (api->step) {
    case 0: rc = begin_one(api, f); return rc ? rc : api_ask_first(api, find_one);
    case 1: return api_read_first(api, answer_one, 0, f);
    }
    return 0;
}

/* ---- banning ---- */

static int read_ban(struct api *api, struct fault *f)
{
    struct act *act = api->state = reader_alloc(&api->reader, sizeof(*act));
    struct span network = {NULL, 0};
    int64_t seconds = 0;
    const struct field fields[] = {
        {.name = "network", .kind = FIELD_BYTES, .out = &network, .required = true, .max = 64},
        {.name = "seconds",
         .kind = FIELD_INTEGER,
         .out = &seconds,
         .nullable = true,
         .min = 1,
         .max = 315360000},
        {.name = "note", .kind = FIELD_TEXT, .out = act ? &act->note : NULL, .max = STORE_TEXT_MAX},
    };
    json_t *json;
    int rc = act ? api_json(api, &json, f) : fault_nomem(f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 3, f);
    if (!rc)
        rc = api_field_network(api, "", "network", network, &act->network, f);
    if (rc)
        return rc;
    act->seconds = (uint32_t)seconds;
    if (api->caller.from.family && network_has(&act->network, &api->caller.from))
        api_harm(api,
                 &(struct api_harm){
                     "caller-banned", "this request comes from within the network to be banned",
                     "この要求は、遮断しようとするネットワークの中から送られています。"});
    return api_consented(api, f);
}

/* Before there is a record: what the guard would refuse leaves none. */
static int may_ban(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;

    return guard_may_ban(room->guard, &act->network, f);
}

static int record_ban(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct store_ban ban = {.network = act->network, .note = act->note};
    struct store_by by;
    int64_t id;
    int rc = api_by(api, tx, &by, f);

    if (act->seconds)
        ban.until = instant_wall_s(store_tx_now(tx)) + act->seconds;
    rc = rc ? rc : store_ban_put(tx, &by, &ban, &id, f);
    rc = rc ? rc : store_ban_get(tx, &act->network, &ban, f);
    act->order = ban.change;
    return rc;
}

static int ban_now(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;

    (void)f;
    act->refused = guard_ban(room->guard, room->now, &act->network, act->seconds,
                             (uint64_t)act->order, &act->why);
    if (!act->refused && !guard_find_ban(room->guard, room->now, &act->network, false, &act->ban))
        act->refused = fault(&act->why, ERR_CONFLICT, "the ban has been lifted at once");
    return 0;
}

/* It stands in the records, and nobody is dropped: it must not come back with the next start. */
static int take_back(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    return rc ? rc : store_unban(tx, &by, &act->network, f);
}

int api_bans_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    char text[ADDRESS_TEXT_MAX];
    int rc;

    (void)tx;
    switch (api->step) {
    case 0: rc = read_ban(api, f); return rc ? rc : api_ask_first(api, may_ban);
    case 1: return api_write_first(api, record_ban);
    case 2: return api_ask_first(api, ban_now);
    case 3:
        if (act->refused)
            return api_write_first(api, take_back);
        return api_read_first(api, answer_one, 0, f);
    }
    if (act->refused)
        return fault(f, act->refused, "%s", act->why.text);
    network_text(&act->network, text);
    api_path(api->location, sizeof(api->location), "/v1/bans/", span_of(text));
    return 0;
}

/* ---- lifting ---- */

static int record_unban(struct api *api, struct store_tx *tx, struct fault *f)
{
    return take_back(api, tx, f);
}

static int unban_now(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct act *act = api->state;

    (void)f;
    /* What it says is known: it was found before, and whether a wider one stands is asked for next. */
    guard_unban(room->guard, room->now, &act->network, NULL);
    act->covered = find_wider(room, &act->network, &act->ban);
    return 0;
}

int api_ban_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct act *act = api->state;
    int rc;

    (void)tx;
    switch (api->step) {
    case 0: rc = begin_one(api, f); return rc ? rc : api_ask_first(api, find_one);
    case 1: return api_write_first(api, record_unban);
    case 2: return api_ask_first(api, unban_now);
    case 3:
        return act->covered ? api_read_first(api, answer_one, 0, f) : api_answer_empty(api, 204);
    }
    return 0;
}
