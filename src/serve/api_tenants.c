/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_tenants.h"

#include <stdio.h>

#include "base/mail_address.h"
#include "serve/api_common.h"
#include "store/notices.h"

static const char *const modes[] = {"inherit", "enforce", "observe", NULL};
static const char *const languages[] = {"ja", "en", NULL};

/* The store has them with commas between them. */
static int read_mail(struct reader *r, json_t *mail, struct span *out, struct fault *f)
{
    char *text = reader_alloc(r, NOTICE_ADDRESSES_MAX * (MAIL_ADDRESS_MAX + 1));
    json_t *item;
    size_t i, n = 0;

    if (!text)
        return fault_nomem(f);
    json_array_foreach(mail, i, item)
    {
        struct span one = {json_string_value(item), json_string_length(item)};

        if (!json_is_string(item) || !mail_address_ok(one))
            return reader_refuse(
                r, "", "mail", f, ERR_SYNTAX,
                "mail is a list of up to %d addresses, name@host.example in ASCII; "
                "the one at %zu is none",
                NOTICE_ADDRESSES_MAX, i);
        if (n)
            text[n++] = ',';
        memcpy(text + n, one.p, one.n);
        n += one.n;
    }
    *out = (struct span){text, n};
    if (notice_addresses_check(*out, f) != 0)
        return reader_refuse(r, "", "mail", f, ERR_RANGE, "mail has an address twice");
    return 0;
}

static json_t *mail_json(struct span mail)
{
    json_t *list = json_array();

    for (struct span rest = mail; rest.n;)
        json_array_append_new(list, api_text(span_cut(rest, ',', &rest)));
    return list;
}

int api_tenant_read(struct reader *r, json_t *json, enum api_fields which, struct store_tenant *out,
                    struct fault *f)
{
    bool patch = which == FIELDS_PATCH;
    unsigned language = span_is(out->language, "en") ? 1 : 0;
    json_t *mail = NULL;
    const struct field fields[] = {
        {.name = "title",
         .kind = FIELD_TEXT,
         .out = &out->title,
         .nullable = patch,
         .max = STORE_TEXT_MAX},
        {.name = "parent", .kind = FIELD_NAME, .out = &out->parent, .nullable = true},
        {.name = "mode", .kind = FIELD_CHOICE, .out = &out->mode, .choices = modes},
        {.name = "preset", .kind = FIELD_NAME, .out = &out->preset, .nullable = true},
        {.name = "language", .kind = FIELD_CHOICE, .out = &language, .choices = languages},
        {.name = "area",
         .kind = FIELD_TEXT,
         .out = &out->area,
         .nullable = patch,
         .max = STORE_TEXT_MAX},
        {.name = "mail", .kind = FIELD_ARRAY, .out = &mail, .max = NOTICE_ADDRESSES_MAX},
        {.name = "name", .kind = FIELD_NAME, .out = &out->name, .required = true},
    };
    size_t n = sizeof(fields) / sizeof(fields[0]) - (which == FIELDS_NEW ? 0 : 1);
    int rc = reader_fields(r, "", json, fields, n, f);

    if (!rc)
        out->language = span_of(languages[language]);
    return rc || !mail ? rc : read_mail(r, mail, &out->mail, f);
}

static struct store_tenant initial(struct span name)
{
    return (struct store_tenant){
        .name = name,
        .title = {"", 0},
        .parent = {"", 0},
        .mode = STORE_INHERIT,
        .preset = {"", 0},
        .language = {"ja", 2},
        .area = {"", 0},
        .mail = {"", 0},
    };
}

static json_t *tenant_json(const struct store_tenant *t)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:I}", "name",
                     api_text(t->name), "title", api_text(t->title), "parent",
                     api_text_or_null(t->parent), "mode", store_mode_name(t->mode), "preset",
                     api_text_or_null(t->preset), "language", api_text(t->language), "area",
                     api_text(t->area), "mail", mail_json(t->mail), "stopped", t->stopped, "change",
                     (json_int_t)t->change);
}

static int answer(struct api *api, struct store_tx *tx, unsigned status, int64_t id,
                  struct fault *f)
{
    struct store_tenant t;
    int rc = store_tenant_get(tx, id, &t, f);

    if (rc)
        return rc;
    if (status == 201)
        snprintf(api->location, sizeof(api->location), "/v1/tenants/%.*s", SPAN_FMT(t.name));
    return api_answer_tagged(api, status, t.change, tenant_json(&t), f);
}

int api_tenants_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_tenant_query query = {0};
    struct store_tenant_list list;
    json_t *items;
    int rc = api_query_page(api, &query.page, f);

    if (!rc)
        rc = api_query_within(api, tx, &query.within, f);
    if (!rc)
        rc = store_tenant_list(tx, &query, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, tenant_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

static int add(struct api *api, struct store_tx *tx, const struct store_tenant *t, struct fault *f)
{
    struct store_by by;
    int64_t id;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = store_tenant_add(tx, &by, t, &id, f);
    return rc ? rc : answer(api, tx, 201, id, f);
}

static int update(struct api *api, struct store_tx *tx, const struct store_tenant *t,
                  struct fault *f)
{
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = store_tenant_update(tx, &by, t, f);
    return rc ? rc : answer(api, tx, 200, t->id, f);
}

int api_tenants_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_tenant t = initial((struct span){"", 0});
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = api_tenant_read(&api->reader, json, FIELDS_NEW, &t, f);
    return rc ? rc : add(api, tx, &t, f);
}

int api_tenant_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_tenant t;
    int rc = api_find_tenant(api, tx, api->params[0], &t, f);

    return rc ? rc : answer(api, tx, 200, t.id, f);
}

int api_tenant_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_tenant before = {0};
    struct store_tenant t = initial(api->params[0]);
    json_t *json;
    int rc;

    if (!reader_is_name(api->params[0]))
        return api_refuse_parameter(api, "name", f, "\"%s\" is no name", ESCAPED(api->params[0]));
    rc = store_tenant_find(tx, api->params[0], &before, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    t.id = rc ? 0 : before.id;
    rc = api_precondition(api, t.id != 0, before.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = api_tenant_read(&api->reader, json, FIELDS_PUT, &t, f);
    if (rc)
        return rc;
    return t.id ? update(api, tx, &t, f) : add(api, tx, &t, f);
}

int api_tenant_patch(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_tenant t;
    json_t *json;
    int rc = api_find_tenant(api, tx, api->params[0], &t, f);

    if (!rc)
        rc = api_precondition(api, true, t.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = api_tenant_read(&api->reader, json, FIELDS_PATCH, &t, f);
    return rc ? rc : update(api, tx, &t, f);
}

int api_tenant_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_tenant t;
    struct store_by by;
    int rc = api_find_tenant(api, tx, api->params[0], &t, f);

    if (!rc)
        rc = api_precondition(api, true, t.change, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_tenant_delete(tx, &by, t.id, f);
    return rc ? rc : api_answer_empty(api, 204);
}
