/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_objections.h"

#include "serve/api_common.h"
#include "store/objections.h"

static json_t *objection_json(const struct store_objection *o)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "scope", api_text(o->scope_text), "label",
                     api_text(o->label), "at", api_time_ms(o->at_ms), "by", api_text(o->actor),
                     "note", api_text(o->note), "change", (json_int_t)o->change);
}

int api_objections_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_objection_query query = {.within = api_within(api)};
    struct store_objection_list list;
    json_t *items;
    int rc = api_query_page(api, &query.page, f);

    if (!rc)
        rc = store_objection_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, objection_json(&list.items[i]));
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
    if (rc == ERR_SYNTAX || (!rc && ref.scope != SCOPE_TENANT && ref.scope != SCOPE_ACCOUNT))
        return api_refuse_parameter(api, "scope", f,
                                    "scope \"%s\" is not tenant:NAME or account:ID",
                                    ESCAPED(api->params[0]));
    if (!rc && ref.scope == SCOPE_TENANT)
        rc = api_may_see(api, tx, ref.id, &seen, f);
    else if (!rc)
        rc = api_find_account(api, tx, ref.id, &account, f);
    if (rc == ERR_MISSING || (!rc && !seen))
        return missing(api, f);
    if (!rc)
        *out = ref;
    return rc;
}

int api_objection_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span note = {"", 0};
    const struct field fields[] = {
        {.name = "note", .kind = FIELD_TEXT, .out = &note, .max = STORE_TEXT_MAX}};
    struct store_objection objection;
    struct store_ref scope;
    struct store_by by;
    json_t *json;
    int rc = find_scope(api, tx, &scope, f);

    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 1, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (rc)
        return rc;
    rc = store_objection_get(tx, scope, &objection, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    unsigned status = rc ? 201 : 200;
    rc = store_objection_put(tx, &by, scope, note, f);
    if (!rc)
        rc = store_objection_get(tx, scope, &objection, f);
    return rc ? rc : api_answer(api, status, objection_json(&objection), f);
}

int api_objection_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_ref scope;
    struct store_by by;
    int rc = find_scope(api, tx, &scope, f);

    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_objection_delete(tx, &by, scope, f);
    if (rc == ERR_MISSING && !api->status)
        return api_refuse(api, 404, f, rc, "nobody has objected for \"%s\"",
                          ESCAPED(api->params[0]));
    return rc ? rc : api_answer_empty(api, 204);
}
