/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_accounts.h"

#include <inttypes.h>
#include <stdio.h>

#include "serve/api_common.h"
#include "serve/api_rank.h"
#include "serve/api_stops.h"

static const char *const states[] = {"active", "suspended", "locked", NULL};

void api_account_fields(struct store_account *a, struct field fields[ACCOUNT_FIELDS])
{
    fields[0] = (struct field){.name = "tenant", .kind = FIELD_NAME, .out = &a->tenant};
    fields[1] =
        (struct field){.name = "state", .kind = FIELD_CHOICE, .out = &a->state, .choices = states};
    fields[2] =
        (struct field){.name = "note", .kind = FIELD_TEXT, .out = &a->note, .max = STORE_TEXT_MAX};
    fields[3] =
        (struct field){.name = "name", .kind = FIELD_ACCOUNT, .out = &a->name, .required = true};
    fields[4] = (struct field){.name = "switch", .kind = FIELD_NAME, .out = &a->switch_name};
}

int api_account_read(struct reader *r, const char *at, json_t *json, enum api_fields which,
                     struct store_account *a, struct fault *f)
{
    bool patch = which == FIELDS_PATCH;
    struct field fields[ACCOUNT_FIELDS];

    api_account_fields(a, fields);
    fields[2].nullable = patch;
    fields[3].required = !patch;
    return reader_fields(r, at, json, fields, which == FIELDS_PUT ? 3 : patch ? 4 : 5, f);
}

static json_t *account_json(const struct store_account *a)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:s, s:o, s:b, s:b, s:o, s:I}", "id", (json_int_t)a->id,
                     "switch", api_text(a->switch_name), "name", api_text(a->name), "tenant",
                     api_text(a->tenant), "state", store_state_name(a->state), "note",
                     api_text(a->note), "adopted", a->adopted, "stopped", a->stopped, "created",
                     api_time_ms(a->created_ms), "change", (json_int_t)a->change);
}

static int answer(struct api *api, unsigned status, const struct store_account *a, struct fault *f)
{
    if (status == 201)
        snprintf(api->location, sizeof(api->location), "/v1/accounts/%" PRId64, a->id);
    return api_answer_tagged(api, status, a->change, account_json(a), f);
}

static int answer_by_id(struct api *api, struct store_tx *tx, unsigned status, int64_t id,
                        struct fault *f)
{
    struct store_account account;
    int rc = store_account_get(tx, id, &account, f);

    return rc ? rc : answer(api, status, &account, f);
}

/* The filters of a list. */
static int read_query(struct api *api, struct store_tx *tx, struct store_account_query *query,
                      struct fault *f)
{
    struct span state = target_query_get(&api->target.query, "state");
    struct span adopted = target_query_get(&api->target.query, "adopted");
    struct span text = target_query_get(&api->target.query, "q");
    int rc = api_query_page(api, &query->page, f);

    if (!rc)
        rc = api_query_within(api, tx, &query->within, f);
    if (!rc)
        rc = api_query_name(api, "switch", &query->switch_name, f);
    if (rc)
        return rc;
    if (state.p && !store_state_parse(state, &query->state))
        return api_refuse_parameter(api, "state", f,
                                    "state \"%s\" is not one of active, suspended, locked",
                                    ESCAPED(state));
    if (adopted.p && !span_is(adopted, "true") && !span_is(adopted, "false"))
        return api_refuse_parameter(api, "adopted", f, "adopted must be true or false");
    if (text.p && (!text.n || text.n > 64))
        return api_refuse_parameter(api, "q", f, "q must have 1 to 64 bytes");
    query->by_state = state.p != NULL;
    query->adopted = span_is(adopted, "true");
    query->text = text;
    return 0;
}

int api_accounts_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account_query query = {0};
    struct store_account_list list;
    json_t *items;
    int rc = read_query(api, tx, &query, f);

    if (!rc)
        rc = store_account_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, account_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

/* Where a tenant's token makes accounts: its own tenant when none is named, and never outside. */
static int check_tenant(struct api *api, struct store_tx *tx, struct store_account *a,
                        struct fault *f)
{
    struct store_tenant tenant;
    int rc;

    if (!a->tenant.n && !api_within(api))
        return 0;
    rc = a->tenant.n ? api_find_tenant(api, tx, a->tenant, &tenant, f)
                     : store_tenant_get(tx, api_within(api), &tenant, f);
    if (rc == ERR_MISSING) {
        api->status = 422;
        return reader_refuse(&api->reader, "", "tenant", f, ERR_RANGE, "there is no tenant \"%s\"",
                             ESCAPED(a->tenant));
    }
    if (!rc)
        a->tenant = tenant.name;
    return rc;
}

/* A tenant must not tell from the answer whether a switch exists that does not serve it. */
static int check_switch(struct api *api, struct store_tx *tx, struct store_account *a,
                        struct fault *f)
{
    struct store_switch found;
    int rc;

    if (!a->switch_name.n && !api_within(api))
        return 0;
    rc = a->switch_name.n ? api_find_switch(api, tx, a->switch_name, &found, f)
                          : api_only_switch(api, tx, &found, f);
    if (rc == ERR_MISSING) {
        api->status = 422;
        return reader_refuse(&api->reader, "", "switch", f, ERR_RANGE, "there is no switch \"%s\"",
                             ESCAPED(a->switch_name));
    }
    if (!rc)
        a->switch_name = found.name;
    return rc;
}

/* Is it suspended by somebody who stands above the caller? */
static int check_suspended(struct api *api, struct store_tx *tx, const struct store_account *a,
                           bool *above, struct fault *f)
{
    bool may = true;
    int rc = 0;

    if (a->state == STORE_SUSPENDED)
        rc = rank_may_undo(api, tx, rank_of(tx, a->state_actor), &may, f);
    if (!rc)
        *above = !may;
    return rc;
}

/* Locking and unlocking is the guard's and the operator's; a suspension is lifted by who made it, or by
 * who is above him. `before` is NULL for a new account. */
static int check_state(struct api *api, struct store_tx *tx, const struct store_account *before,
                       enum store_state after, struct fault *f)
{
    enum store_state was = before ? before->state : STORE_ACTIVE;
    bool above = false;
    int rc;

    if (was == after || !api_within(api))
        return 0;
    if (was == STORE_LOCKED || after == STORE_LOCKED) {
        api->status = 403;
        return reader_refuse(&api->reader, "", "state", f, ERR_DENIED,
                             "only the operator locks and unlocks");
    }
    rc = before ? check_suspended(api, tx, before, &above, f) : 0;
    if (rc || !above)
        return rc;
    api->status = 403;
    return reader_refuse(&api->reader, "", "state", f, ERR_DENIED,
                         "who is above this tenant suspended it, and only they lift that");
}

/* A lock, a suspension or a stop from above holds an account by its id: a tenant must not free the name
 * for a new one that has none of them. */
static int check_held(struct api *api, struct store_tx *tx, const struct store_account *a,
                      struct fault *f)
{
    bool held = a->state == STORE_LOCKED;
    int rc = 0;

    if (!api_within(api))
        return 0;
    if (!held)
        rc = check_suspended(api, tx, a, &held, f);
    if (!rc && !held)
        rc = api_stop_binds(api, tx, a->id, &held, f);
    if (rc || !held)
        return rc;
    return api_refuse(
        api, 403, f, ERR_DENIED,
        "it is locked, or suspended or stopped from above: only they rename or delete it");
}

int api_accounts_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account account = {.state = STORE_ACTIVE};
    struct store_by by;
    json_t *json;
    int64_t id;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = api_account_read(&api->reader, "", json, FIELDS_NEW, &account, f);
    if (!rc)
        rc = check_tenant(api, tx, &account, f);
    if (!rc)
        rc = check_switch(api, tx, &account, f);
    if (!rc)
        rc = check_state(api, tx, NULL, account.state, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_account_add(tx, &by, &account, &id, f);
    return rc ? rc : answer_by_id(api, tx, 201, id, f);
}

static int find_by_id(struct api *api, struct store_tx *tx, struct store_account *out,
                      struct fault *f)
{
    int64_t id;
    int rc = api_param_id(api, 0, &id, f);

    return rc ? rc : api_find_account(api, tx, id, out, f);
}

int api_account_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account account;
    int rc = find_by_id(api, tx, &account, f);

    return rc ? rc : answer(api, 200, &account, f);
}

/* Whoever stands higher and suspends it again makes the suspension his own: it is lifted and made anew,
 * or who made it first could still lift it. */
static int take_over(struct api *api, struct store_tx *tx, const struct store_by *by,
                     const struct store_account *before, struct fault *f)
{
    struct store_account lifted = *before;
    bool above = false;
    int rc = check_suspended(api, tx, before, &above, f);

    if (rc || above || rank_of(tx, before->state_actor) == api_within(api))
        return rc;
    lifted.state = STORE_ACTIVE;
    return store_account_update(tx, by, &lifted, f);
}

/* Writes `a` over `before`, which the caller has found. `said`: the caller named the state. */
static int update(struct api *api, struct store_tx *tx, const struct store_account *before,
                  struct store_account *a, bool said, struct fault *f)
{
    struct store_by by;
    int rc = check_tenant(api, tx, a, f);

    if (!rc)
        rc = check_state(api, tx, before, a->state, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc && said && before->state == STORE_SUSPENDED && a->state == STORE_SUSPENDED)
        rc = take_over(api, tx, &by, before, f);
    if (!rc)
        rc = store_account_update(tx, &by, a, f);
    return rc ? rc : answer_by_id(api, tx, 200, a->id, f);
}

int api_account_patch(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account before;
    struct store_account after;
    json_t *json;
    int rc = find_by_id(api, tx, &before, f);

    if (!rc)
        rc = api_precondition(api, true, before.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (rc)
        return rc;
    after = before;
    rc = api_account_read(&api->reader, "", json, FIELDS_PATCH, &after, f);
    if (!rc && !span_eq_nocase(before.name, after.name))
        rc = check_held(api, tx, &before, f);
    return rc ? rc : update(api, tx, &before, &after, json_object_get(json, "state"), f);
}

int api_account_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account account;
    struct store_by by;
    int rc = find_by_id(api, tx, &account, f);

    if (!rc)
        rc = api_precondition(api, true, account.change, f);
    if (!rc)
        rc = check_held(api, tx, &account, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_account_delete(tx, &by, account.id, f);
    return rc ? rc : api_answer_empty(api, 204);
}

/* The account of the path's switch and name; `*out` with id 0 where that name is free. What belongs
 * to another tenant is not found. */
static int find_by_name(struct api *api, struct store_tx *tx, struct store_account *out,
                        struct fault *f)
{
    struct store_switch found;
    struct store_account account = {0};
    bool seen = true;
    int rc = api_find_switch(api, tx, api->params[0], &found, f);

    if (rc)
        return rc;
    if (!reader_is_account(api->params[1]))
        return api_refuse_parameter(
            api, "name", f,
            "\"%s\" is no account's name: 1 to 64 of A-Z, a-z, 0-9, . _ @ + - are allowed",
            ESCAPED(api->params[1]));
    rc = store_account_find(tx, found.name, api->params[1], &account, f);
    if (rc == ERR_MISSING) {
        *out = (struct store_account){.switch_name = found.name, .name = api->params[1]};
        return 0;
    }
    if (!rc)
        rc = api_may_see(api, tx, account.tenant_id, &seen, f);
    if (!rc && !seen)
        return api_refuse(api, 404, f, ERR_MISSING, "there is no account \"%s\" on switch \"%s\"",
                          ESCAPED(api->params[1]), ESCAPED(api->params[0]));
    if (!rc)
        *out = account;
    return rc;
}

int api_account_named_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account account = {0};
    int rc = find_by_name(api, tx, &account, f);

    if (!rc && !account.id)
        return api_refuse(api, 404, f, ERR_MISSING, "there is no account \"%s\" on switch \"%s\"",
                          ESCAPED(api->params[1]), ESCAPED(api->params[0]));
    return rc ? rc : answer(api, 200, &account, f);
}

int api_account_named_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_account before = {0};
    struct store_account after;
    struct store_by by;
    json_t *json;
    int64_t id;
    int rc = find_by_name(api, tx, &before, f);

    if (!rc)
        rc = api_precondition(api, before.id != 0, before.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (rc)
        return rc;
    after = before;
    after.state = STORE_ACTIVE;
    after.note = (struct span){"", 0};
    rc = api_account_read(&api->reader, "", json, FIELDS_PUT, &after, f);
    if (rc || before.id)
        return rc ? rc : update(api, tx, &before, &after, json_object_get(json, "state"), f);
    rc = check_tenant(api, tx, &after, f);
    if (!rc)
        rc = check_state(api, tx, NULL, after.state, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_account_add(tx, &by, &after, &id, f);
    return rc ? rc : answer_by_id(api, tx, 201, id, f);
}
