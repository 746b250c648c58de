/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_tokens.h"

#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

#include "serve/api_common.h"

static json_t *token_json(const struct store_token *t)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)t->id, "scope",
                     api_text(t->scope_text), "label", api_text(t->label), "created",
                     api_time_ms(t->created_ms), "expires", api_time_or_null(t->expires));
}

int api_tokens_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_page page = {0};
    struct store_token_list list;
    json_t *items;
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_token_list(tx, &page, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, token_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

static int read_token(struct api *api, struct store_tx *tx, struct store_token *out,
                      struct fault *f)
{
    struct span scope = {NULL, 0};
    struct fault why;
    const struct field fields[] = {
        {.name = "scope", .kind = FIELD_BYTES, .out = &scope, .required = true, .max = 100},
        {.name = "label", .kind = FIELD_TEXT, .out = &out->label, .max = STORE_TEXT_MAX},
        {.name = "expires", .kind = FIELD_TIME, .out = &out->expires, .nullable = true},
    };
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 3, f);
    if (rc)
        return rc;
    rc = store_ref_parse(tx, scope, &out->scope, &why);
    if (rc == ERR_MISSING)
        return reader_refuse(&api->reader, "", "scope", f, ERR_RANGE, "there is no %s",
                             ESCAPED(scope));
    if (rc == ERR_SYNTAX ||
        (!rc && (out->scope.scope == SCOPE_ACCOUNT || out->scope.scope == SCOPE_PRESET)))
        return reader_refuse(&api->reader, "", "scope", f, ERR_RANGE,
                             "scope \"%s\" is not operator, tenant:NAME or switch:NAME",
                             ESCAPED(scope));
    if (rc)
        return fault(f, rc, "%s", why.text);
    if (out->expires && out->expires <= instant_wall_s(api->now))
        return reader_refuse(&api->reader, "", "expires", f, ERR_RANGE, "expires lies in the past");
    return 0;
}

int api_tokens_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_token token = {.label = {"", 0}};
    char secret[STORE_SECRET_MAX];
    struct store_by by;
    json_t *json;
    int64_t id;
    int rc = read_token(api, tx, &token, f);

    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_token_add(tx, &by, &token, &id, secret, f);
    if (!rc)
        rc = store_token_get(tx, id, &token, f);
    if (rc)
        return rc;
    json = token_json(&token);
    if (json)
        json_object_set_new(json, "token", json_string(secret));
    sodium_memzero(secret, sizeof(secret));
    snprintf(api->location, sizeof(api->location), "/v1/tokens/%" PRId64, id);
    return api_answer(api, 201, json, f);
}

int api_token_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_by by;
    int64_t id;
    int rc = api_param_id(api, 0, &id, f);

    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_token_revoke(tx, &by, id, f);
    if (rc == ERR_MISSING && !api->status)
        return api_refuse(api, 404, f, rc, "there is no token %" PRId64, id);
    return rc ? rc : api_answer_empty(api, 204);
}
