/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_numbers.h"

#include "numbering/numbering.h"
#include "numbering/site.h"
#include "policy/complement.h"
#include "policy/snapshot.h"
#include "serve/api_common.h"

/* ---- /v1/complement ---- */

static int clean(struct api *api, const char *parameter, struct span text, struct span *out,
                 struct fault *f)
{
    char *digits = reader_alloc(&api->reader, RULE_PREFIX_MAX + 1);
    struct fault why;
    int rc = digits ? rule_prefix_clean(text, digits, &why) : fault_nomem(f);

    if (rc == ERR_NOMEM)
        return rc;
    if (rc)
        return api_refuse_parameter(api, parameter, f, "%s: %s", parameter, why.text);
    *out = span_of(digits);
    return 0;
}

static json_t *complement_json(struct span root, const struct span *allowed, size_t n,
                               const struct complement *list)
{
    json_t *allow = json_array();
    json_t *restricted = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(allow, api_text(allowed[i]));
    for (size_t i = 0; i < complement_count(list); i++)
        json_array_append_new(restricted, api_text(complement_prefix(list, i)));
    return json_pack("{s:o, s:o, s:o}", "root", api_text(root), "allow", allow, "restrict",
                     restricted);
}

int api_complement(struct api *api, struct store_tx *tx, struct fault *f)
{
    const struct target_query *query = &api->target.query;
    struct span text = target_query_get(query, "root");
    struct span allowed[TARGET_PAIRS_MAX];
    struct span root = {"", 0};
    struct complement *list = NULL;
    struct fault why;
    size_t n = 0;
    int rc;

    if (!text.p)
        return api_refuse_parameter(api, "root", f, "root is missing");
    rc = clean(api, "root", text, &root, f);
    for (size_t i = 0; !rc && i < query->n; i++) {
        if (span_is(query->pairs[i].key, "allow"))
            rc = clean(api, "allow", query->pairs[i].value, &allowed[n++], f);
    }
    if (rc)
        return rc;
    if (!n || n > 100)
        return api_refuse_parameter(api, "allow", f, "allow must be given 1 to 100 times");
    rc = complement_new(&list, root, allowed, n, &why);
    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    if (rc)
        return api_refuse_parameter(api, "allow", f, "%s", why.text);
    rc = api_answer(api, 200, complement_json(root, allowed, n, list), f);
    complement_free(list);
    return rc;
}

/* ---- /v1/number ---- */

static json_t *country_name(const struct country *country)
{
    if (!country)
        return json_null();
    return json_pack("{s:s, s:s}", "en", country->name_en, "ja", country->name_ja);
}

static json_t *number_json(const struct site *site, const struct number *n, enum number_form form)
{
    char dial[NUMBER_DIGITS_MAX] = "";

    if (numbering_dial(site, n, form, dial))
        dial[0] = 0;
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s}", "class", number_class_name(n->class),
        "kind", api_word_or_null(number_kind_name(n->kind)), "e164", api_word_or_null(n->e164),
        "country", api_word_or_null(n->country ? n->country->iso : ""), "country_name",
        country_name(n->country), "dial", api_word_or_null(dial), "dialled",
        api_word_or_null(n->dialled), "risk", number_risk_name(n->risk), "presentation",
        number_presentation_name(n->presentation), "target", number_class_name(n->target));
}

static struct span number_asked(const struct api *api)
{
    return target_query_get(&api->target.query, "number");
}

static int by_plan(struct api *api, struct span plan, struct fault *f)
{
    const struct target_query *query = &api->target.query;
    const struct site_config config = {
        .plan = plan,
        .outside = target_query_get(query, "outside"),
        .extensions = target_query_get(query, "extensions"),
        .area = target_query_get(query, "area"),
    };
    struct number number;
    struct site *site;
    struct fault why;
    int rc = site_new(&site, api->services->tables(api->services->arg), &config, &why);

    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    if (rc)
        return api_refuse_parameter(api, "plan", f, "%s", why.text);
    numbering_parse(site, number_asked(api), &number);
    rc = api_answer(api, 200, number_json(site, &number, FORM_DIALLED), f);
    site_free(site);
    return rc;
}

static int by_switch(struct api *api, struct span name, struct fault *f)
{
    const struct levels_gate *gate;
    struct number number;
    json_t *json = NULL;

    snapshot_read_lock();
    gate = snapshot_switch_by_name(api->services->snapshot, name);
    if (gate) {
        numbering_parse(gate->site, number_asked(api), &number);
        json = number_json(gate->site, &number, gate->form);
    }
    snapshot_read_unlock();
    if (!gate)
        return api_refuse(api, 404, f, ERR_MISSING, "there is no switch \"%s\"", ESCAPED(name));
    return api_answer(api, 200, json, f);
}

/* In a read job: a tenant sees only the switches that serve it. */
static int see_switch(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_switch found;

    return api_find_switch(api, tx, target_query_get(&api->target.query, "switch"), &found, f);
}

int api_number(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct span plan = target_query_get(&api->target.query, "plan");
    struct span name = target_query_get(&api->target.query, "switch");

    if (!number_asked(api).p)
        return api_refuse_parameter(api, "number", f, "number is missing");
    if (!plan.p == !name.p)
        return api_refuse_parameter(api, plan.p ? "switch" : "plan", f,
                                    "either plan or switch must be given, and not both");
    if (plan.p)
        return by_plan(api, plan, f);
    if (api->caller.who == API_TENANT && !api->step) {
        api->first = see_switch;
        return API_READ_FIRST;
    }
    return by_switch(api, name, f);
}
