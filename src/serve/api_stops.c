/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_stops.h"

#include "serve/api_common.h"
#include "serve/api_rank.h"

static json_t *stop_json(const struct store_stop *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "scope", api_text(s->scope_text), "label",
                     api_text(s->label), "since", api_time_ms(s->since_ms), "by",
                     api_text(s->actor), "note", api_text(s->note), "change",
                     (json_int_t)s->change);
}

int api_stops_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_stop_query query = {.within = api_within(api)};
    struct store_stop_list list;
    json_t *items;
    int rc = api_query_page(api, &query.page, f);

    if (!rc)
        rc = store_stop_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, stop_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

static int missing(struct api *api, struct fault *f)
{
    return api_refuse(api, 404, f, ERR_MISSING, "there is no \"%s\"", ESCAPED(api->params[0]));
}

/* What the path names, as far as the caller may see it. */
static int find_scope(struct api *api, struct store_tx *tx, struct store_ref *out, struct fault *f)
{
    struct store_account account;
    struct store_ref ref;
    bool seen = true;
    int rc = store_ref_parse(tx, api->params[0], &ref, f);

    if (rc == ERR_MISSING)
        return missing(api, f);
    if (rc == ERR_SYNTAX || (!rc && (ref.scope == SCOPE_SWITCH || ref.scope == SCOPE_PRESET)))
        return api_refuse_parameter(api, "scope", f,
                                    "scope \"%s\" is not operator, tenant:NAME or account:ID",
                                    ESCAPED(api->params[0]));
    if (!rc && ref.scope == SCOPE_OPERATOR && api_within(api))
        return api_refuse(api, 403, f, ERR_DENIED, "only the operator stops and starts everybody");
    if (!rc && ref.scope == SCOPE_TENANT)
        rc = api_may_see(api, tx, ref.id, &seen, f);
    if (!rc && ref.scope == SCOPE_ACCOUNT)
        rc = api_find_account(api, tx, ref.id, &account, f);
    if (rc == ERR_MISSING || (!rc && !seen))
        return missing(api, f);
    if (!rc)
        *out = ref;
    return rc;
}

int api_stop_binds(struct api *api, struct store_tx *tx, int64_t account, bool *out,
                   struct fault *f)
{
    struct store_stop stop;
    bool may = true;
    int rc = store_stop_get(tx, (struct store_ref){SCOPE_ACCOUNT, account}, &stop, f);

    if (!rc)
        rc = rank_may_undo(api, tx, rank_of(tx, stop.actor), &may, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    *out = !may;
    return 0;
}

/* Whoever stands higher and stops it again makes the stop his own: who made it first must not undo
 * it any more. */
static int take_over(struct api *api, struct store_tx *tx, const struct store_by *by,
                     const struct store_stop *stop, struct fault *f)
{
    int64_t stopped_by = rank_of(tx, stop->actor);
    bool higher = false;
    int rc = rank_may_undo(api, tx, stopped_by, &higher, f);

    if (rc || !higher || stopped_by == api_within(api))
        return rc;
    return store_stop_delete(tx, by, stop->scope, f);
}

int api_stop_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span note = {"", 0};
    const struct field fields[] = {
        {.name = "note", .kind = FIELD_TEXT, .out = &note, .max = STORE_TEXT_MAX}};
    struct store_stop stop = {0};
    struct store_ref scope;
    struct store_by by;
    json_t *json;
    bool there = false;
    int rc = find_scope(api, tx, &scope, f);

    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 1, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (rc)
        return rc;
    rc = store_stop_get(tx, scope, &stop, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    there = rc == 0;
    rc = there ? take_over(api, tx, &by, &stop, f) : 0;
    if (!rc)
        rc = store_stop_put(tx, &by, scope, note, f);
    if (!rc)
        rc = store_stop_get(tx, scope, &stop, f);
    return rc ? rc : api_answer(api, there ? 200 : 201, stop_json(&stop), f);
}

int api_stop_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_stop stop;
    struct store_ref scope;
    struct store_by by;
    bool may = false;
    int rc = find_scope(api, tx, &scope, f);

    if (!rc)
        rc = store_stop_get(tx, scope, &stop, f);
    if (rc == ERR_MISSING && !api->status)
        return api_refuse(api, 404, f, rc, "international calls of \"%s\" are not stopped",
                          ESCAPED(api->params[0]));
    if (!rc)
        rc = rank_may_undo(api, tx, rank_of(tx, stop.actor), &may, f);
    if (!rc && !may)
        return api_refuse(api, 403, f, ERR_DENIED,
                          "who is above this tenant stopped it, and only they undo that");
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_stop_delete(tx, &by, scope, f);
    return rc ? rc : api_answer_empty(api, 204);
}
