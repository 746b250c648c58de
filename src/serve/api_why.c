/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_why.h"

#include "serve/api_guard.h"
#include "serve/api_lockouts.h"
#include "serve/why.h"
#include "store/guard_lists.h"
#include "store/guard_records.h"

#define DECISIONS 20

struct question {
    struct why why;
    struct span gate; /* the account's switch */
    struct api_switch_names names;
};

/* ---- what is asked ---- */

static int find_gate(struct api *api, struct store_tx *tx, struct question *q, struct fault *f)
{
    struct span name = {NULL, 0};
    struct store_switch gate;
    int rc = api_query_name(api, "switch", &name, f);

    if (!rc)
        rc = name.p ? api_find_switch(api, tx, name, &gate, f) : api_only_switch(api, tx, &gate, f);
    if (rc == ERR_RANGE && !name.p)
        return api_refuse_parameter(api, "switch", f, "there are several switches: say which one");
    if (rc)
        return rc;
    q->why.switch_id = gate.id;
    q->gate = api_switch_name(&q->names, gate.id);
    return 0;
}

static int read_question(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct question *q = api->state;
    int rc = api_switch_names(api, tx, &q->names, f);

    if (!rc)
        rc = api_query_network(api, "address", &q->why.network, f);
    if (!rc)
        rc = api_query_tried(api, &q->why.account, f);
    if (rc)
        return rc;
    if (!q->why.account.p == !q->why.network.family)
        return api_refuse_parameter(api, "address", f,
                                    "give either an address, or an account and its switch");
    if (q->why.network.family && target_query_get(&api->target.query, "switch").p)
        return api_refuse_parameter(api, "switch", f,
                                    "an address is of no switch: leave \"switch\" out");
    return q->why.network.family ? 0 : find_gate(api, tx, q, f);
}

static int gather(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct question *q = api->state;

    (void)f;
    why_gather(&q->why, room);
    return 0;
}

/* ---- JSON ---- */

static json_t *line_json(const struct question *q, const struct why_line *line)
{
    return json_pack("{s:o, s:s, s:o, s:b, s:b, s:I, s:I, s:I, s:s}", "of",
                     line->of.family ? api_network(&line->of) : api_strange(q->why.account), "what",
                     line->what, "witness",
                     line->any_witness ? json_null() : json_string(witness_name(line->witness)),
                     "proved", line->proved, "observed", line->observed, "count",
                     (json_int_t)line->count, "threshold", (json_int_t)line->limit.count, "window",
                     (json_int_t)line->limit.window, "leads_to", line->leads_to);
}

static json_t *counted_json(const struct api_switch_names *names, const struct store_counted *c)
{
    struct network source = keys_host(&c->source);

    if (!c->source.family)
        source = (struct network){0};
    return json_pack("{s:n, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
                     "at", api_time_ms(c->at_ms), "switch", api_switch_or_null(names, c->switch_id),
                     "witness", witness_name(c->witness), "outcome", outcome_name(c->outcome),
                     "proof", proof_name(c->proof), "transport", transport_name(c->transport),
                     "method", method_name(c->method), "source", api_network_or_null(&source),
                     "account", api_text_or_null(c->account), "dialled",
                     api_text_or_null(c->dialled), "user_agent", api_text_or_null(c->user_agent),
                     "call_id", api_text_or_null(c->call_id));
}

static json_t *decision_json(const struct api_switch_names *names, const struct store_decision *d)
{
    bool counted = guard_attack_counted(d->attack);
    json_t *attempts = json_array();

    for (size_t i = 0; i < d->n_attempts; i++)
        json_array_append_new(attempts, counted_json(names, &d->attempts[i]));
    return json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:o}", "at",
        api_time_ms(d->at_ms), "event", guard_event_name(d->kind), "attack",
        guard_attack_name(d->attack), "network", api_network_or_null(&d->network), "switch",
        api_text_or_null(d->switch_name), "account", api_text_or_null(d->account), "observed",
        d->observed, "witness", counted ? json_string(witness_name(d->witness)) : json_null(),
        "proof", counted ? json_string(proof_name(d->proof)) : json_null(), "threshold",
        (json_int_t)d->threshold, "count", (json_int_t)d->count, "window", (json_int_t)d->window,
        "until", d->seconds ? api_time_ms(d->at_ms + (int64_t)d->seconds * 1000) : json_null(),
        "named", (json_int_t)d->n_named, "attempts", attempts);
}

static int decisions_json(struct api *api, struct store_tx *tx, json_t *json, struct fault *f)
{
    struct question *q = api->state;
    struct store_decision_query query = {
        .page = {.limit = DECISIONS},
        .network = q->why.network,
        .switch_name = q->gate,
        .account = q->why.account,
    };
    struct store_decision_list list;
    json_t *decisions = json_array();
    int rc = store_decision_list(tx, &query, &list, f);

    for (size_t i = 0; i < list.n && !rc; i++)
        json_array_append_new(decisions, decision_json(&q->names, &list.items[i]));
    if (!rc && list.n) {
        q->why.last_event = guard_event_name(list.items[0].kind);
        q->why.last_ms = list.items[0].at_ms;
    }
    json_object_set_new(json, "decisions", decisions);
    return rc;
}

static int bans_json(struct api *api, struct store_tx *tx, json_t *json, struct fault *f)
{
    struct question *q = api->state;
    json_t *bans = json_array();

    json_object_set_new(json, "bans", bans);
    for (size_t i = 0; i < q->why.n_bans; i++) {
        const struct guard_ban *ban = &q->why.bans[i];
        struct store_ban row = {0};
        int rc = ERR_MISSING;

        if (ban->attack == ATTACK_OPERATOR)
            rc = store_ban_get(tx, &ban->network, &row, f);
        if (rc && rc != ERR_MISSING)
            return rc;
        q->why.notes[i] = row.note;
        json_array_append_new(bans, api_ban_json(&q->names, ban, row.note, row.actor));
    }
    return 0;
}

static int lock_json(struct api *api, struct store_tx *tx, json_t *json, struct fault *f)
{
    struct question *q = api->state;
    json_t *lock = NULL;
    int64_t tenant;
    int rc = q->why.locked ? api_lock_json(tx, &q->names, &q->why.lock, &tenant, &lock, f) : 0;

    json_object_set_new(json, "lock", lock ? lock : json_null());
    return rc;
}

static int know_account(struct store_tx *tx, struct question *q, struct fault *f)
{
    struct store_account account;
    int rc = q->why.network.family ? ERR_MISSING
                                   : store_account_find(tx, q->gate, q->why.account, &account, f);

    q->why.account_there = rc == 0; /* what a stranger tried may be no name at all */
    return rc == ERR_MISSING || rc == ERR_RANGE || rc == ERR_SYNTAX ? 0 : rc;
}

static json_t *inside_json(const struct why *why)
{
    return why->wide ? json_pack("{s:I, s:I, s:I}", "banned", (json_int_t)why->banned_inside,
                                 "quenched", (json_int_t)why->quenched_inside, "observed",
                                 (json_int_t)why->observed_inside)
                     : json_null();
}

static const char *exempt_word(const struct why *why)
{
    switch (why->exempt) {
    case EXEMPT_NONE: return why->address_good ? "known-good" : NULL;
    case EXEMPT_NEVER_BAN: return "never-ban";
    case EXEMPT_TRUNK: return "trunk";
    }
    return NULL;
}

static json_t *subject_json(const struct question *q)
{
    const struct why *why = &q->why;
    json_t *good = json_array(), *counts = json_array(), *attempts = json_array();
    char undo[WHY_UNDO_MAX];

    why_undo(why, q->gate, undo);
    for (size_t i = 0; i < why->n_good; i++)
        json_array_append_new(good, api_network(&why->good[i]));
    for (size_t i = 0; i < why->n_lines; i++)
        json_array_append_new(counts, line_json(q, &why->lines[i]));
    for (size_t i = 0; i < why->n_attempts; i++)
        json_array_append_new(attempts, api_attempt_json(&q->names, &why->attempts[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "known",
                     why->network.family ? json_null() : json_boolean(why->account_there), "inside",
                     inside_json(why), "address", api_network_or_null(&why->network), "account",
                     api_strange(why->account), "switch", api_text_or_null(q->gate), "state",
                     why_state(why), "exempt", api_word_or_null(exempt_word(why)), "good", good,
                     "counts", counts, "attempts", attempts, "undo", api_word_or_null(undo));
}

static int answer(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct question *q = api->state;
    int rc = know_account(tx, q, f);
    json_t *json = rc ? NULL : subject_json(q);

    if (!rc && !json)
        rc = fault_nomem(f);

    if (!rc)
        rc = bans_json(api, tx, json, f);
    if (!rc)
        rc = lock_json(api, tx, json, f);
    if (!rc)
        rc = decisions_json(api, tx, json, f);
    if (rc) {
        json_decref(json);
        return rc;
    }
    json_object_set_new(json, "text", why_words(&q->why, &q->names));
    return api_answer(api, 200, json, f);
}

int api_why(struct api *api, struct store_tx *tx, struct fault *f)
{
    (void)tx;
    switch (api->step) {
    case 0: return api_read_first(api, read_question, sizeof(struct question), f);
    case 1: return api_ask_first(api, gather);
    case 2: return api_read_first(api, answer, 0, f);
    }
    return 0;
}
