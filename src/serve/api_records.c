/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_records.h"

#include "serve/api_common.h"

static json_t *refusal_json(const struct store_refusal *r)
{
    return json_pack(
        "{s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
        "id", (json_int_t)r->id, "first", api_time_ms(r->first_ms), "last", api_time_ms(r->last_ms),
        "count", (json_int_t)r->count, "switch", api_text(r->switch_name), "account",
        api_text(r->account), "account_id",
        r->account_id ? json_integer(r->account_id) : json_null(), "tenant",
        api_text_or_null(r->tenant), "dialled", api_text(r->dialled), "class", api_text(r->class),
        "e164", api_text_or_null(r->e164), "country", api_text_or_null(r->country), "reason",
        api_text(r->reason), "rule", api_text_or_null(r->rule), "level", api_text_or_null(r->level),
        "remote", api_text_or_null(r->remote), "observed", r->observed);
}

int api_refusals_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_refusal_query query = {
        .account = target_query_get(&api->target.query, "name"),
        .reason = target_query_get(&api->target.query, "reason"),
    };
    struct store_refusal_list list;
    json_t *items;
    int rc = api_query_page(api, &query.page, f);

    if (!rc)
        rc = api_query_within(api, tx, &query.within, f);
    if (!rc)
        rc = api_query_name(api, "switch", &query.switch_name, f);
    if (!rc)
        rc = api_query_id(api, "account", &query.account_id, f);
    if (!rc)
        rc = api_query_time_ms(api, "since", &query.since_ms, f);
    if (!rc)
        rc = store_refusal_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, refusal_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

static json_t *audit_json(const struct store_audit *a)
{
    json_t *detail =
        a->detail.n ? json_loadb(a->detail.p, a->detail.n, JSON_DECODE_ANY, NULL) : NULL;

    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "id", (json_int_t)a->id, "at",
                     api_time_ms(a->at_ms), "by", api_text(a->actor), "action", api_text(a->action),
                     "object", api_text(a->object), "name", api_text(a->object_name), "rows",
                     (json_int_t)a->rows, "detail", detail ? detail : json_null());
}

int api_audit_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_audit_query query = {
        .object = target_query_get(&api->target.query, "object"),
        .actor = target_query_get(&api->target.query, "by"),
        .action = target_query_get(&api->target.query, "action"),
    };
    struct store_audit_list list;
    json_t *items;
    int rc = api_query_page(api, &query.page, f);

    if (!rc)
        rc = api_query_within(api, tx, &query.within, f);
    if (!rc)
        rc = api_query_id(api, "account", &query.account, f);
    if (!rc)
        rc = api_query_time_ms(api, "since", &query.since_ms, f);
    if (!rc)
        rc = api_query_time_ms(api, "until", &query.until_ms, f);
    if (!rc)
        rc = store_audit_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, audit_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}
