/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_switches.h"

#include <stdio.h>

#include "serve/api_common.h"

static const char *const modes[] = {"inherit", "enforce", "observe", NULL};
static const char *const unknowns[] = {"born", "deny", NULL};
static const char *const forms[] = {"dialled", "+e164", "e164", NULL};

/* An array of strings; `names`: they must be names. */
static int read_strings(struct reader *r, const char *at, json_t *array, bool names,
                        const struct span **out, size_t *n, struct fault *f)
{
    size_t count = json_array_size(array);
    struct span *list = reader_alloc(r, count * sizeof(*list));

    if (!list)
        return fault_nomem(f);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(array, i);
        char place[24];

        snprintf(place, sizeof(place), "%zu", i);
        if (!json_is_string(item))
            return reader_refuse(r, at, place, f, ERR_SYNTAX, "this must be a string");
        list[i] = (struct span){json_string_value(item), json_string_length(item)};
        if (names && !reader_is_name(list[i]))
            return reader_refuse(r, at, place, f, ERR_RANGE, "\"%s\" is no name", ESCAPED(list[i]));
    }
    *out = list;
    *n = count;
    return 0;
}

static int read_arrays(struct reader *r, json_t *addresses, json_t *tenants,
                       struct store_switch *out, struct fault *f)
{
    int rc = 0;

    if (addresses)
        rc = read_strings(r, "/addresses", addresses, false, &out->addresses, &out->n_addresses, f);
    if (!rc && tenants)
        rc = read_strings(r, "/tenants", tenants, true, &out->tenants, &out->n_tenants, f);
    return rc;
}

int api_switch_read(struct reader *r, json_t *json, enum api_fields which, struct store_switch *out,
                    struct fault *f)
{
    bool patch = which == FIELDS_PATCH;
    json_t *addresses = NULL;
    json_t *tenants = NULL;
    const struct field fields[] = {
        {.name = "addresses", .kind = FIELD_ARRAY, .out = &addresses, .max = STORE_ADDRESSES_MAX},
        {.name = "plan", .kind = FIELD_TEXT, .out = &out->plan, .required = !patch, .max = 2},
        {.name = "outside", .kind = FIELD_TEXT, .out = &out->outside, .max = STORE_TEXT_MAX},
        {.name = "extensions", .kind = FIELD_TEXT, .out = &out->extensions, .max = STORE_TEXT_MAX},
        {.name = "area", .kind = FIELD_TEXT, .out = &out->area, .max = STORE_TEXT_MAX},
        {.name = "form", .kind = FIELD_CHOICE, .out = &out->form, .choices = forms},
        {.name = "mode", .kind = FIELD_CHOICE, .out = &out->mode, .choices = modes},
        {.name = "unknown", .kind = FIELD_CHOICE, .out = &out->unknown, .choices = unknowns},
        {.name = "adopt_tenant", .kind = FIELD_NAME, .out = &out->adopt_tenant, .nullable = true},
        {.name = "tenants", .kind = FIELD_ARRAY, .out = &tenants, .max = STORE_REACH_MAX},
        {.name = "sip_account",
         .kind = FIELD_TEXT,
         .out = &out->sip_account,
         .max = STORE_HEADER_MAX},
        {.name = "sip_allow",
         .kind = FIELD_INTEGER,
         .out = &out->sip_allow,
         .min = 300,
         .max = 699},
        {.name = "sip_deny", .kind = FIELD_INTEGER, .out = &out->sip_deny, .min = 300, .max = 699},
        {.name = "fail_open", .kind = FIELD_BOOL, .out = &out->fail_open},
        {.name = "note",
         .kind = FIELD_TEXT,
         .out = &out->note,
         .nullable = patch,
         .max = STORE_TEXT_MAX},
        {.name = "name", .kind = FIELD_NAME, .out = &out->name, .required = true},
    };
    size_t n = sizeof(fields) / sizeof(fields[0]) - (which == FIELDS_NEW ? 0 : 1);
    int rc = reader_fields(r, "", json, fields, n, f);

    if (!rc && out->mode == STORE_INHERIT)
        return reader_refuse(r, "", "mode", f, ERR_RANGE, "mode of a switch is enforce or observe");
    return rc ? rc : read_arrays(r, addresses, tenants, out, f);
}

static struct store_switch initial(struct span name)
{
    return (struct store_switch){
        .name = name,
        .outside = {"", 0},
        .extensions = {"", 0},
        .area = {"", 0},
        .form = FORM_DIALLED,
        .mode = STORE_ENFORCE,
        .unknown = STORE_DENY,
        .adopt_tenant = {"", 0},
        .note = {"", 0},
    };
}

static json_t *strings(const struct span *list, size_t n)
{
    json_t *items = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, api_text(list[i]));
    return items;
}

static json_t *switch_json(const struct api *api, const struct store_switch *s)
{
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:I}", "name", api_text(s->name),
                  "plan", api_text(s->plan), "outside", api_text(s->outside), "extensions",
                  api_text(s->extensions), "area", api_text(s->area), "form",
                  store_form_name(s->form), "mode", store_mode_name(s->mode), "unknown",
                  store_unknown_name(s->unknown), "change", (json_int_t)s->change);

    if (!json || api_within(api))
        return json;
    if (json_object_set_new(json, "addresses", strings(s->addresses, s->n_addresses)) ||
        json_object_set_new(json, "adopt_tenant", api_text_or_null(s->adopt_tenant)) ||
        json_object_set_new(json, "tenants", strings(s->tenants, s->n_tenants)) ||
        json_object_set_new(json, "sip_account", api_text(s->sip_account)) ||
        json_object_set_new(json, "sip_allow", json_integer(s->sip_allow)) ||
        json_object_set_new(json, "sip_deny", json_integer(s->sip_deny)) ||
        json_object_set_new(json, "fail_open", json_boolean(s->fail_open)) ||
        json_object_set_new(json, "note", api_text(s->note))) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static int answer(struct api *api, struct store_tx *tx, unsigned status, int64_t id,
                  struct fault *f)
{
    struct store_switch s;
    int rc = store_switch_get(tx, id, &s, f);

    if (rc)
        return rc;
    if (status == 201)
        snprintf(api->location, sizeof(api->location), "/v1/switches/%.*s", SPAN_FMT(s.name));
    return api_answer_tagged(api, status, s.change, switch_json(api, &s), f);
}

int api_switches_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_page page = {0};
    struct store_switch_list list;
    json_t *items;
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_switch_list(tx, &page, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++) {
        bool serves = false;

        rc = api_serves(api, tx, &list.items[i], &serves, f);
        if (rc) {
            json_decref(items);
            return rc;
        }
        if (serves)
            json_array_append_new(items, switch_json(api, &list.items[i]));
    }
    return api_answer_list(api, items, list.next, f);
}

static int add(struct api *api, struct store_tx *tx, struct store_switch *s, struct fault *f)
{
    struct store_by by;
    int64_t id;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = store_switch_add(tx, &by, s, &id, f);
    return rc ? rc : answer(api, tx, 201, id, f);
}

static int update(struct api *api, struct store_tx *tx, const struct store_switch *s,
                  struct fault *f)
{
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = store_switch_update(tx, &by, s, f);
    return rc ? rc : answer(api, tx, 200, s->id, f);
}

int api_switches_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_switch s = initial((struct span){"", 0});
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = api_switch_read(&api->reader, json, FIELDS_NEW, &s, f);
    return rc ? rc : add(api, tx, &s, f);
}

int api_switch_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_switch s;
    int rc = api_find_switch(api, tx, api->params[0], &s, f);

    return rc ? rc : answer(api, tx, 200, s.id, f);
}

int api_switch_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_switch before = {0};
    struct store_switch s = initial(api->params[0]);
    json_t *json;
    int rc;

    if (!reader_is_name(api->params[0]))
        return api_refuse_parameter(api, "name", f, "\"%s\" is no name", ESCAPED(api->params[0]));
    rc = store_switch_find(tx, api->params[0], &before, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    s.id = rc ? 0 : before.id;
    rc = api_precondition(api, s.id != 0, before.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = api_switch_read(&api->reader, json, FIELDS_PUT, &s, f);
    if (rc)
        return rc;
    return s.id ? update(api, tx, &s, f) : add(api, tx, &s, f);
}

int api_switch_patch(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_switch s;
    json_t *json;
    int rc = api_find_switch(api, tx, api->params[0], &s, f);

    if (!rc)
        rc = api_precondition(api, true, s.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = api_switch_read(&api->reader, json, FIELDS_PATCH, &s, f);
    return rc ? rc : update(api, tx, &s, f);
}

int api_switch_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_switch s;
    struct store_by by;
    int rc = api_find_switch(api, tx, api->params[0], &s, f);

    if (!rc)
        rc = api_precondition(api, true, s.change, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_switch_delete(tx, &by, s.id, f);
    return rc ? rc : api_answer_empty(api, 204);
}
