/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_templates.h"

#include <stdio.h>

#include "serve/api_common.h"
#include "serve/api_prove.h"
#include "serve/api_rules.h"
#include "serve/atlases.h"
#include "serve/template_json.h"

#define OWNERS_MAX 100
/* As many as one proof can have: in memory, as JSON, that is some hundred MB. */
#define RANGES_MAX 131072

int api_templates_list(struct api *api, struct store_tx *tx, struct fault *f)
{
    return api_answer_list(api, templates_json(), (struct span){"", 0}, f);
}

/* ---- the question ---- */

struct asked {
    struct template_wish wish;
    json_t *owners; /* array, or NULL */
    struct span plan, gate;
    struct rule terms; /* until and schedule */
    enum prove_json_ranges ranges;
};

static int read_countries(struct api *api, json_t *array, struct template_wish *wish,
                          struct fault *f)
{
    size_t n = json_array_size(array);
    struct span *countries = reader_alloc(&api->reader, (n + 1) * sizeof(*countries));

    if (!countries)
        return fault_nomem(f);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(array, i);
        char place[24];

        snprintf(place, sizeof(place), "%zu", i);
        if (!json_is_string(item))
            return reader_refuse(&api->reader, "/countries", place, f, ERR_SYNTAX,
                                 "a country is a string, as \"US\"");
        countries[i] = (struct span){json_string_value(item), json_string_length(item)};
    }
    wish->countries = countries;
    wish->n_countries = n;
    return 0;
}

static int read_fields(struct api *api, bool preview, struct asked *out, json_t **countries,
                       struct fault *f)
{
    const struct field fields[] = {
        {.name = "countries", .kind = FIELD_ARRAY, .out = countries, .max = TEMPLATE_COUNTRIES_MAX},
        {.name = "owners",
         .kind = FIELD_ARRAY,
         .out = &out->owners,
         .required = !preview,
         .max = OWNERS_MAX},
        {.name = "plan", .kind = FIELD_TEXT, .out = &out->plan, .max = STORE_TEXT_MAX},
        {.name = "switch", .kind = FIELD_NAME, .out = &out->gate},
        {.name = "until", .kind = FIELD_TIME, .out = &out->terms.until, .nullable = true},
        {.name = "schedule",
         .kind = FIELD_TEXT,
         .out = &out->terms.schedule,
         .nullable = true,
         .max = RULE_SCHEDULE_MAX},
        {.name = "ranges", .kind = FIELD_CHOICE, .out = &out->ranges, .choices = api_prove_ranges},
    };
    size_t n = sizeof(fields) / sizeof(fields[0]) - (preview ? 0 : 1);
    json_t *json;
    int rc = api_json(api, &json, f);

    return rc ? rc : reader_fields(&api->reader, "", json, fields, n, f);
}

static int check_schedule(struct api *api, struct span schedule, struct fault *f)
{
    const struct rule rule = {.action = RULE_EXCEPT, .prefix = {"0", 1}, .schedule = schedule};
    struct fault why;
    int rc = rule_check(&rule, &why);

    return rc ? reader_refuse(&api->reader, "", "schedule", f, rc, "%s", why.text) : 0;
}

static int read_asked(struct api *api, bool preview, struct asked *out, struct fault *f)
{
    json_t *countries = NULL;
    int rc;

    *out = (struct asked){.wish.template = template_find(api->params[0]),
                          .terms.schedule = {"", 0},
                          .ranges = PROVE_JSON_NONE};
    if (!out->wish.template)
        return api_refuse(api, 404, f, ERR_MISSING, "there is no template \"%s\"",
                          ESCAPED(api->params[0]));
    rc = read_fields(api, preview, out, &countries, f);
    if (!rc)
        rc = read_countries(api, countries, &out->wish, f);
    if (!rc)
        rc = check_schedule(api, out->terms.schedule, f);
    if (!rc && out->owners && json_array_size(out->owners) == 0)
        return reader_refuse(&api->reader, "", "owners", f, ERR_RANGE,
                             "owners is empty: whose rules are meant?");
    return rc;
}

/* ---- whose rules ---- */

struct owner {
    char at[24];          /* its place in the body */
    struct store_ref ref; /* of nobody where `text` is empty */
    struct span text, label, plan;
    struct store_rules before;
};

static int see_account(struct api *api, struct store_tx *tx, struct owner *owner, struct fault *f)
{
    struct store_account account;
    int rc = api_find_account(api, tx, owner->ref.id, &account, f);
    size_t size = rc ? 0 : account.name.n + account.switch_name.n + 2;
    char *label = rc ? NULL : store_tx_alloc(tx, size);

    if (rc)
        return rc;
    if (!label)
        return fault_nomem(f);
    snprintf(label, size, "%.*s@%.*s", SPAN_FMT(account.name), SPAN_FMT(account.switch_name));
    owner->label = span_of(label);
    return api_account_plan(tx, &account, &owner->plan, f);
}

/* What there is not, and what the caller may not change, is missing alike. */
static int see_owner(struct api *api, struct store_tx *tx, struct owner *owner, struct fault *f)
{
    bool seen = true;
    int rc = store_ref_parse(tx, owner->text, &owner->ref, f);

    owner->label = owner->text;
    if (!rc)
        switch (owner->ref.scope) {
        case SCOPE_ACCOUNT: rc = see_account(api, tx, owner, f); break;
        case SCOPE_TENANT: rc = api_may_see(api, tx, owner->ref.id, &seen, f); break;
        case SCOPE_OPERATOR:
        case SCOPE_PRESET: seen = api->caller.who == API_OPERATOR; break;
        case SCOPE_SWITCH: rc = ERR_SYNTAX; break;
        }
    api->status = 0;
    if (rc == ERR_SYNTAX)
        return reader_refuse(&api->reader, owner->at, "owner", f, rc,
                             "\"%s\" is none of operator, tenant:NAME, preset:NAME, account:ID",
                             ESCAPED(owner->text));
    if (rc == ERR_MISSING || (!rc && !seen))
        return reader_refuse(&api->reader, owner->at, "owner", f, ERR_MISSING, "there is no \"%s\"",
                             ESCAPED(owner->text));
    return rc;
}

static int read_owner(struct api *api, struct store_tx *tx, const struct asked *asked, size_t i,
                      struct owner *out, struct fault *f)
{
    int64_t change = 0;
    const struct field fields[] = {
        {.name = "owner",
         .kind = FIELD_TEXT,
         .out = &out->text,
         .required = true,
         .max = STORE_TEXT_MAX},
        {.name = "change", .kind = FIELD_INTEGER, .out = &change, .min = 0, .max = INT64_MAX},
    };
    int rc;

    *out = (struct owner){.plan = {NULL, 0}};
    snprintf(out->at, sizeof(out->at), "/owners/%zu", i);
    rc = reader_fields(&api->reader, out->at, json_array_get(asked->owners, i), fields, 2, f);
    if (!rc)
        rc = see_owner(api, tx, out, f);
    if (!rc)
        rc = store_rules_get(tx, out->ref, &out->before, f);
    if (!rc)
        rc = api_precondition(api, true, out->before.change, f);
    if (!rc && change && change != out->before.change) {
        api->status = 409;
        return reader_refuse(&api->reader, out->at, "change", f, ERR_CONFLICT,
                             "the rules of %s were changed meanwhile: its change number is %lld",
                             ESCAPED(out->text), (long long)out->before.change);
    }
    return rc;
}

/* ---- the list for one dial plan ---- */

struct computed {
    const struct atlas *atlas; /* open */
    struct template_list *list;
    struct rule *rules, *alone; /* of the owner as they will be; of the list itself */
    size_t n, n_alone;
};

static int open_atlas(struct api *api, struct store_tx *tx, const struct asked *asked,
                      struct owner *owner, const struct atlas **out, struct fault *f)
{
    const char *wrong = "plan";
    struct fault why;
    int rc = 0;

    if (!owner->plan.n)
        rc = api_plan(api, tx, asked->plan, asked->gate, &owner->plan, &wrong, &why);
    if (!rc)
        rc = atlases_open(api->services->atlases, owner->plan, out, &why);
    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    return rc ? reader_refuse(&api->reader, "", wrong, f, rc, "%s", why.text) : 0;
}

static int new_list(struct api *api, const struct asked *asked, const struct atlas *atlas,
                    struct template_list **out, struct fault *f)
{
    size_t wrong = SIZE_MAX;
    char place[24];
    struct fault why;
    int rc = template_new(out, &asked->wish, atlas, MINIMAL_WITH_EXCEPTIONS, &wrong, &why);

    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    if (!rc)
        return 0;
    snprintf(place, sizeof(place), "%zu", wrong);
    return wrong == SIZE_MAX
               ? reader_refuse(&api->reader, "", "countries", f, rc, "%s", why.text)
               : reader_refuse(&api->reader, "/countries", place, f, rc, "%s", why.text);
}

static void forget(struct api *api, struct computed *c)
{
    template_free(c->list);
    if (c->atlas)
        atlases_close(api->services->atlases);
    *c = (struct computed){.list = NULL};
}

static int check_clash(struct api *api, const struct owner *owner, const struct template_list *list,
                       struct fault *f)
{
    const struct rule *rule = template_clash(list, owner->before.items, owner->before.n);

    if (!rule)
        return 0;
    return reader_refuse(&api->reader, owner->at, "owner", f, ERR_RANGE,
                         "the mandatory restricted number %s does not hold at all times, and the "
                         "template's cannot stand beside it: change or delete it first",
                         ESCAPED(rule->prefix));
}

static int compute(struct api *api, struct store_tx *tx, const struct asked *asked,
                   struct owner *owner, struct computed *out, struct fault *f)
{
    struct computed c = {.list = NULL};
    size_t room;
    int rc = open_atlas(api, tx, asked, owner, &c.atlas, f);

    if (!rc)
        rc = new_list(api, asked, c.atlas, &c.list, f);
    if (!rc)
        rc = check_clash(api, owner, c.list, f);
    if (rc) {
        forget(api, &c);
        return rc;
    }
    room = template_rules(c.list) + 1;
    c.alone = store_tx_alloc(tx, room * sizeof(*c.alone));
    c.rules = store_tx_alloc(tx, (room + owner->before.n) * sizeof(*c.rules));
    if (!c.alone || !c.rules) {
        forget(api, &c);
        return fault_nomem(f);
    }
    c.n_alone = template_apply(c.list, atlas_access(c.atlas), NULL, 0, &asked->terms, c.alone);
    c.n = template_apply(c.list, atlas_access(c.atlas), owner->before.items, owner->before.n,
                         &asked->terms, c.rules);
    *out = c;
    return 0;
}

/* ---- the preview ---- */

static bool same(const struct rule *a, const struct rule *b)
{
    return a->action == b->action && a->until == b->until && span_eq(a->prefix, b->prefix) &&
           span_eq(a->schedule, b->schedule);
}

/* The rules that are in the first list and not in the second. */
static json_t *only_in(const struct rule *rules, size_t n, const struct rule *others,
                       size_t n_others)
{
    json_t *items = json_array();

    for (size_t i = 0; i < n; i++) {
        size_t twin = 0;

        while (twin < n_others && !same(&rules[i], &others[twin]))
            twin++;
        if (twin == n_others)
            json_array_append_new(items, api_rule_json(&rules[i]));
    }
    return items;
}

static int difference(struct store_tx *tx, const struct atlas *atlas, const struct stack *first,
                      const struct stack *second, struct prove_difference *out, struct fault *f)
{
    const struct prove_question one = stack_question(first, tx), two = stack_question(second, tx);

    return prove_compare(out, atlas, &one, &two, f);
}

/* What follows from the rules, into `item`: the proof of all levels, what changes, and whether other
 * levels or rules let it be what the template says. */
struct outlook {
    struct stack now, then, abroad, alone;
    struct prove_difference effect, deviation;
    json_t *proof;
};

static int look_ahead(struct store_tx *tx, const struct owner *owner, const struct computed *c,
                      enum prove_json_ranges ranges, struct outlook *out, struct fault *f)
{
    const struct stack_plan now = {.owner = owner->ref};
    const struct stack_plan then = {.owner = owner->ref, .own = c->rules, .n_own = c->n};
    const struct stack_plan abroad = {
        .owner = owner->ref, .own = c->rules, .n_own = c->n, .behind = atlas_access(c->atlas)};
    int rc = stack_of(&out->now, tx, &now, f);

    if (!rc)
        rc = stack_of(&out->then, tx, &then, f);
    if (!rc)
        rc = stack_of(&out->abroad, tx, &abroad, f);
    if (!rc)
        rc = stack_alone(&out->alone, tx, c->alone, c->n_alone, f);
    if (!rc)
        rc = difference(tx, c->atlas, &out->then, &out->now, &out->effect, f);
    if (!rc)
        rc = difference(tx, c->atlas, &out->abroad, &out->alone, &out->deviation, f);
    return rc ? rc : api_proof(tx, c->atlas, &out->then, ranges, &out->proof, f);
}

static void outlook_free(struct outlook *o)
{
    stack_free(&o->now);
    stack_free(&o->then);
    stack_free(&o->abroad);
    stack_free(&o->alone);
}

static json_t *owner_json(const struct owner *owner, const struct computed *c)
{
    bool there = owner->text.n > 0;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "owner", api_text_or_null(owner->text),
                     "label", api_text_or_null(owner->label), "change",
                     there ? json_integer(owner->before.change) : json_null(), "plan",
                     api_text(owner->plan), "rules", api_rules_json(c->rules, c->n), "added",
                     only_in(c->rules, c->n, owner->before.items, owner->before.n), "removed",
                     only_in(owner->before.items, owner->before.n, c->rules, c->n));
}

/* Takes all of them. */
static int preview_json(const struct owner *owner, const struct computed *c, json_t *proof,
                        json_t *effect, json_t *deviation, json_t **out, struct fault *f)
{
    json_t *item = owner_json(owner, c);
    bool as_meant = json_is_null(deviation);
    int failed = json_object_set_new(item, "proof", proof);

    failed |= json_object_set_new(item, "effect", effect);
    failed |= json_object_set_new(item, "as_meant", json_boolean(as_meant));
    failed |= json_object_set_new(item, "deviation", deviation);
    if (failed) {
        json_decref(item);
        return fault_nomem(f);
    }
    *out = item;
    return 0;
}

static int preview_owner(struct store_tx *tx, const struct owner *owner, const struct computed *c,
                         enum prove_json_ranges ranges, json_t **out, struct fault *f)
{
    struct outlook look = {.proof = NULL};
    int rc = look_ahead(tx, owner, c, ranges, &look, f);

    outlook_free(&look);
    if (rc)
        return rc;
    return preview_json(owner, c, look.proof, prove_difference_json(c->atlas, &look.effect),
                        look.deviation.numbers == PROVE_EQUAL
                            ? json_null()
                            : prove_difference_json(c->atlas, &look.deviation),
                        out, f);
}

/* The list alone, for nobody. */
static int preview_list(struct store_tx *tx, const struct owner *owner, const struct computed *c,
                        enum prove_json_ranges ranges, json_t **out, struct fault *f)
{
    struct stack alone = {.pool = NULL};
    json_t *proof = NULL;
    int rc = stack_alone(&alone, tx, c->alone, c->n_alone, f);

    if (!rc)
        rc = api_proof(tx, c->atlas, &alone, ranges, &proof, f);
    stack_free(&alone);
    return rc ? rc : preview_json(owner, c, proof, json_null(), json_null(), out, f);
}

static int answer(struct api *api, const struct asked *asked, json_t *items, struct fault *f)
{
    json_t *countries = json_array();

    for (size_t i = 0; i < asked->wish.n_countries; i++)
        json_array_append_new(countries, api_text(asked->wish.countries[i]));
    return api_answer(api, 200,
                      json_pack("{s:o, s:o, s:o}", "template", template_json(asked->wish.template),
                                "countries", countries, "items", items),
                      f);
}

/* Of all owners together, since one may have as many as a proof can have. */
static int count_ranges(struct api *api, const json_t *item, size_t *n, struct fault *f)
{
    *n += json_array_size(json_object_get(json_object_get(item, "proof"), "ranges"));
    if (*n <= RANGES_MAX)
        return 0;
    return reader_refuse(&api->reader, "", "ranges", f, ERR_RANGE,
                         "the owners have more than %d ranges together: ask about fewer of them, "
                         "or for ranges \"none\"",
                         RANGES_MAX);
}

int api_template_preview(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct asked asked;
    json_t *items = json_array();
    int rc = read_asked(api, true, &asked, f);
    size_t n = rc ? 0 : asked.owners ? json_array_size(asked.owners) : 1, ranges = 0;

    for (size_t i = 0; i < n && !rc; i++) {
        struct owner owner = {.plan = {NULL, 0}};
        struct computed c = {.list = NULL};
        json_t *item = NULL;

        if (asked.owners)
            rc = read_owner(api, tx, &asked, i, &owner, f);
        if (!rc)
            rc = compute(api, tx, &asked, &owner, &c, f);
        if (!rc)
            rc = asked.owners ? preview_owner(tx, &owner, &c, asked.ranges, &item, f)
                              : preview_list(tx, &owner, &c, asked.ranges, &item, f);
        if (!rc)
            rc = json_array_append_new(items, item) ? fault_nomem(f) : 0;
        if (!rc)
            rc = count_ranges(api, item, &ranges, f);
        forget(api, &c);
    }
    if (rc) {
        json_decref(items);
        return rc;
    }
    return answer(api, &asked, items, f);
}

/* ---- applying ---- */

static int apply_owner(struct api *api, struct store_tx *tx, const struct asked *asked,
                       struct owner *owner, json_t *items, struct fault *f)
{
    struct computed c = {.list = NULL};
    struct store_by by;
    int rc = api_by(api, tx, &by, f);

    if (!rc)
        rc = compute(api, tx, asked, owner, &c, f);
    if (!rc)
        rc = store_rules_replace(tx, &by, owner->ref, c.rules, c.n, f);
    if (!rc)
        rc = store_rules_get(tx, owner->ref, &owner->before, f);
    forget(api, &c);
    if (rc)
        return rc;
    return json_array_append_new(
               items, json_pack("{s:o, s:o, s:I, s:o, s:o}", "owner", api_text(owner->text),
                                "label", api_text(owner->label), "change",
                                (json_int_t)owner->before.change, "plan", api_text(owner->plan),
                                "rules", api_rules_json(owner->before.items, owner->before.n)))
               ? fault_nomem(f)
               : 0;
}

int api_template_apply(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct asked asked;
    json_t *items = json_array();
    int rc = read_asked(api, false, &asked, f);

    for (size_t i = 0; !rc && i < json_array_size(asked.owners); i++) {
        struct owner owner;

        rc = read_owner(api, tx, &asked, i, &owner, f);
        if (!rc)
            rc = apply_owner(api, tx, &asked, &owner, items, f);
    }
    if (rc) {
        json_decref(items);
        return rc;
    }
    return answer(api, &asked, items, f);
}
