/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_presets.h"

#include <stdio.h>

#include "serve/api_common.h"
#include "serve/api_rules.h"

int api_preset_read(struct reader *r, json_t *json, enum api_fields which, struct store_preset *out,
                    struct fault *f)
{
    bool patch = which == FIELDS_PATCH;
    json_t *rules = NULL;
    const struct field fields[] = {
        {.name = "title",
         .kind = FIELD_TEXT,
         .out = &out->title,
         .nullable = patch,
         .max = STORE_TEXT_MAX},
        {.name = "rules",
         .kind = FIELD_ARRAY,
         .out = &rules,
         .required = !patch,
         .max = STORE_RULES_MAX},
        {.name = "name", .kind = FIELD_NAME, .out = &out->name, .required = true},
    };
    int rc = reader_fields(r, "", json, fields, which == FIELDS_NEW ? 3 : 2, f);

    if (!rc && rules)
        rc = api_rules_read(r, "/rules", rules, &out->rules, &out->n_rules, f);
    return rc;
}

static struct store_preset initial(struct span name)
{
    return (struct store_preset){.name = name, .title = {"", 0}};
}

static json_t *preset_json(const struct store_preset *p)
{
    return json_pack("{s:o, s:o, s:o, s:I}", "name", api_text(p->name), "title", api_text(p->title),
                     "rules", api_rules_json(p->rules, p->n_rules), "change",
                     (json_int_t)p->change);
}

static int find(struct api *api, struct store_tx *tx, struct span name, struct store_preset *out,
                struct fault *f)
{
    int rc = reader_is_name(name) ? store_preset_find(tx, name, out, f) : ERR_MISSING;

    if (rc == ERR_MISSING)
        return api_refuse(api, 404, f, rc, "there is no preset \"%s\"", ESCAPED(name));
    return rc;
}

static int answer(struct api *api, struct store_tx *tx, unsigned status, int64_t id,
                  struct fault *f)
{
    struct store_preset p;
    int rc = store_preset_get(tx, id, &p, f);

    if (rc)
        return rc;
    if (status == 201)
        snprintf(api->location, sizeof(api->location), "/v1/presets/%.*s", SPAN_FMT(p.name));
    return api_answer_tagged(api, status, p.change, preset_json(&p), f);
}

int api_presets_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_page page = {0};
    struct store_preset_list list;
    json_t *items;
    int rc = api_query_page(api, &page, f);

    if (!rc)
        rc = store_preset_list(tx, &page, &list, f);
    if (rc)
        return rc;
    items = json_array();
    for (size_t i = 0; i < list.n; i++)
        json_array_append_new(items, preset_json(&list.items[i]));
    return api_answer_list(api, items, list.next, f);
}

static int add(struct api *api, struct store_tx *tx, const struct store_preset *p, struct fault *f)
{
    struct store_by by;
    int64_t id;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = store_preset_add(tx, &by, p, &id, f);
    return rc ? rc : answer(api, tx, 201, id, f);
}

static int update(struct api *api, struct store_tx *tx, const struct store_preset *p,
                  struct fault *f)
{
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = store_preset_update(tx, &by, p, f);
    return rc ? rc : answer(api, tx, 200, p->id, f);
}

int api_presets_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_preset p = initial((struct span){"", 0});
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = api_preset_read(&api->reader, json, FIELDS_NEW, &p, f);
    return rc ? rc : add(api, tx, &p, f);
}

int api_preset_get(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_preset p;
    int rc = find(api, tx, api->params[0], &p, f);

    return rc ? rc : answer(api, tx, 200, p.id, f);
}

int api_preset_put(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_preset before = {0};
    struct store_preset p = initial(api->params[0]);
    json_t *json;
    int rc;

    if (!reader_is_name(api->params[0]))
        return api_refuse_parameter(api, "name", f, "\"%s\" is no name", ESCAPED(api->params[0]));
    rc = store_preset_find(tx, api->params[0], &before, f);
    if (rc && rc != ERR_MISSING)
        return rc;
    p.id = rc ? 0 : before.id;
    rc = api_precondition(api, p.id != 0, before.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = api_preset_read(&api->reader, json, FIELDS_PUT, &p, f);
    if (rc)
        return rc;
    return p.id ? update(api, tx, &p, f) : add(api, tx, &p, f);
}

int api_preset_patch(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_preset p;
    json_t *json;
    int rc = find(api, tx, api->params[0], &p, f);

    if (!rc)
        rc = api_precondition(api, true, p.change, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = api_preset_read(&api->reader, json, FIELDS_PATCH, &p, f);
    return rc ? rc : update(api, tx, &p, f);
}

int api_preset_delete(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_preset p;
    struct store_by by;
    int rc = find(api, tx, api->params[0], &p, f);

    if (!rc)
        rc = api_precondition(api, true, p.change, f);
    if (!rc)
        rc = api_by(api, tx, &by, f);
    if (!rc)
        rc = store_preset_delete(tx, &by, p.id, f);
    return rc ? rc : api_answer_empty(api, 204);
}
