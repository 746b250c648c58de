/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_common.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int api_json(struct api *api, json_t **out, struct fault *f)
{
    int rc = 0;

    if (!api->json && !api->body.n && api->route->body == API_JSON_OPTIONAL) {
        api->json = json_object();
        rc = api->json ? 0 : fault_nomem(f);
    } else if (!api->json) {
        rc = reader_parse(&api->reader, buf_span(&api->body), &api->json, f);
        if (rc == ERR_SYNTAX)
            api->status = 400;
    }
    if (!rc)
        *out = api->json;
    return rc;
}

/* ---- parameters ---- */

static bool number_of(struct span text, int64_t *out)
{
    int64_t value = 0;

    if (!text.n || text.n > 18 || text.p[0] == '0')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (text.p[i] - '0');
    }
    *out = value;
    return true;
}

int api_query_page(struct api *api, struct store_page *page, struct fault *f)
{
    struct span limit = target_query_get(&api->target.query, "limit");
    struct span cursor = target_query_get(&api->target.query, "cursor");
    int64_t value = STORE_PAGE_DEFAULT;

    if (limit.p && (!number_of(limit, &value) || value > STORE_PAGE_MAX))
        return api_refuse_parameter(api, "limit", f, "limit \"%s\" must be 1 to %d", ESCAPED(limit),
                                    STORE_PAGE_MAX);
    if (cursor.n > 200)
        return api_refuse_parameter(api, "cursor", f, "the cursor is not one that a list gave");
    page->limit = (uint32_t)value;
    page->cursor = cursor;
    return 0;
}

int api_query_name(struct api *api, const char *key, struct span *out, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, key);

    if (!text.p)
        return 0;
    if (!reader_is_name(text))
        return api_refuse_parameter(api, key, f, "%s \"%s\" is no name", key, ESCAPED(text));
    *out = text;
    return 0;
}

int api_query_id(struct api *api, const char *key, int64_t *out, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, key);

    if (text.p && !number_of(text, out))
        return api_refuse_parameter(api, key, f, "%s \"%s\" must be an id, 1 and up", key,
                                    ESCAPED(text));
    return 0;
}

int api_query_time_ms(struct api *api, const char *key, int64_t *out, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, key);
    struct fault why;
    int64_t seconds;

    if (!text.p)
        return 0;
    if (reader_time(text, &seconds, &why))
        return api_refuse_parameter(api, key, f, "%s: %s", key, why.text);
    *out = seconds * 1000;
    return 0;
}

int api_param_id(struct api *api, size_t i, int64_t *out, struct fault *f)
{
    if (!number_of(api->params[i], out))
        return api_refuse(api, 404, f, ERR_MISSING, "there is nothing with the id \"%s\"",
                          ESCAPED(api->params[i]));
    return 0;
}

/* ---- who asks, and what he may see ---- */

static bool tenant_caller(const struct api *api)
{
    return api->caller.who == API_TENANT;
}

int64_t api_within(const struct api *api)
{
    return tenant_caller(api) ? api->caller.id : 0;
}

int api_by(struct api *api, struct store_tx *tx, struct store_by *by, struct fault *f)
{
    struct store_ref scope = {SCOPE_TENANT, api->caller.id};
    char *text = store_tx_alloc(tx, STORE_ACTOR_MAX);
    struct span name = {"", 0};

    if (!text)
        return fault_nomem(f);
    if (tenant_caller(api)) {
        int rc = store_ref_text(tx, scope, &name, f);

        if (rc)
            return rc;
    }
    if (!api->caller.token)
        snprintf(text, STORE_ACTOR_MAX, "uid:%u", api->caller.uid);
    else
        snprintf(text, STORE_ACTOR_MAX, "token:%" PRId64 "%s%.*s", api->caller.token,
                 name.n ? " " : "", SPAN_FMT(name));
    *by = (struct store_by){.actor = span_of(text)};
    return 0;
}

struct store_by api_by_operator(const struct api *api, char actor[STORE_ACTOR_MAX])
{
    if (api->caller.token)
        snprintf(actor, STORE_ACTOR_MAX, "token:%" PRId64, api->caller.token);
    else
        snprintf(actor, STORE_ACTOR_MAX, "uid:%u", api->caller.uid);
    return (struct store_by){.actor = span_of(actor)};
}

int api_may_see(struct api *api, struct store_tx *tx, int64_t tenant, bool *out, struct fault *f)
{
    if (!tenant_caller(api)) {
        *out = true;
        return 0;
    }
    return store_tenant_within(tx, tenant, api->caller.id, out, f);
}

/* Is one tenant of the two below the other, or the same? */
static int related(struct store_tx *tx, int64_t one, int64_t other, bool *out, struct fault *f)
{
    int rc = store_tenant_within(tx, one, other, out, f);

    if (!rc && !*out)
        rc = store_tenant_within(tx, other, one, out, f);
    return rc;
}

int api_serves(struct api *api, struct store_tx *tx, const struct store_switch *s, bool *out,
               struct fault *f)
{
    bool serves = !tenant_caller(api) || s->n_tenants == 0;

    for (size_t i = 0; i < s->n_tenants && !serves; i++) {
        struct store_tenant tenant;
        int rc = store_tenant_find(tx, s->tenants[i], &tenant, f);

        if (!rc)
            rc = related(tx, tenant.id, api->caller.id, &serves, f);
        if (rc)
            return rc;
    }
    *out = serves;
    return 0;
}

/* Counts only what the caller may see: a tenant must not learn how many there are beside. */
int api_only_switch(struct api *api, struct store_tx *tx, struct store_switch *out, struct fault *f)
{
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_switch_list list;
    unsigned n = 0;

    do {
        int rc = store_switch_list(tx, &page, &list, f);

        for (size_t i = 0; !rc && i < list.n; i++) {
            bool serves = false;

            rc = api_serves(api, tx, &list.items[i], &serves, f);
            if (!rc && serves && n++ == 0)
                *out = list.items[i];
        }
        if (rc)
            return rc;
        page.cursor = list.next;
    } while (list.next.n && n < 2);
    if (n == 1)
        return 0;
    return fault(f, ERR_RANGE,
                 n ? "there are several switches: say which one is meant" : "there is no switch");
}

static int not_found(struct api *api, struct fault *f, const char *what, struct span name)
{
    return api_refuse(api, 404, f, ERR_MISSING, "there is no %s \"%s\"", what, ESCAPED(name));
}

int api_find_account(struct api *api, struct store_tx *tx, int64_t id, struct store_account *out,
                     struct fault *f)
{
    struct store_account account;
    bool seen = false;
    int rc = store_account_get(tx, id, &account, f);

    if (!rc)
        rc = api_may_see(api, tx, account.tenant_id, &seen, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    if (rc || !seen)
        return api_refuse(api, 404, f, ERR_MISSING, "there is no account %" PRId64, id);
    *out = account;
    return 0;
}

int api_find_tenant(struct api *api, struct store_tx *tx, struct span name,
                    struct store_tenant *out, struct fault *f)
{
    struct store_tenant tenant;
    bool seen = false;
    int rc = reader_is_name(name) ? store_tenant_find(tx, name, &tenant, f) : ERR_MISSING;

    if (!rc)
        rc = api_may_see(api, tx, tenant.id, &seen, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    if (rc || !seen)
        return not_found(api, f, "tenant", name);
    *out = tenant;
    return 0;
}

int api_find_switch(struct api *api, struct store_tx *tx, struct span name,
                    struct store_switch *out, struct fault *f)
{
    struct store_switch found;
    bool seen = false;
    int rc = reader_is_name(name) ? store_switch_find(tx, name, &found, f) : ERR_MISSING;

    if (!rc)
        rc = api_serves(api, tx, &found, &seen, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    if (rc || !seen)
        return not_found(api, f, "switch", name);
    *out = found;
    return 0;
}

int api_query_within(struct api *api, struct store_tx *tx, int64_t *within, struct fault *f)
{
    struct span name = {NULL, 0};
    struct store_tenant tenant;
    int rc = api_query_name(api, "tenant", &name, f);

    *within = api_within(api);
    if (rc || !name.p)
        return rc;
    rc = api_find_tenant(api, tx, name, &tenant, f);
    if (rc == ERR_MISSING)
        return api_refuse_parameter(api, "tenant", f, "there is no tenant \"%s\"", ESCAPED(name));
    if (!rc)
        *within = tenant.id;
    return rc;
}

/* ---- JSON ---- */

json_t *api_text(struct span text)
{
    return json_stringn(text.p ? text.p : "", text.n);
}

json_t *api_text_or_null(struct span text)
{
    return text.n ? api_text(text) : json_null();
}

json_t *api_word_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

static json_t *time_text(int64_t wall_s)
{
    time_t t = (time_t)wall_s;
    struct tm tm;
    char text[40];

    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

json_t *api_time_ms(int64_t wall_ms)
{
    return time_text(wall_ms / 1000);
}

json_t *api_time_or_null(int64_t wall_s)
{
    return wall_s ? time_text(wall_s) : json_null();
}

int api_answer_list(struct api *api, json_t *items, struct span next, struct fault *f)
{
    if (!items)
        return fault_nomem(f);
    return api_answer(api, 200,
                      json_pack("{s:o, s:o}", "items", items, "next", api_text_or_null(next)), f);
}
