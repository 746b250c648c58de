/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_rules.h"

#include <stdio.h>

#include "serve/api_common.h"

static const char *const actions[] = {"restrict", "except", NULL};

/* What a rule has beside its action and prefix. */
#define TERMS(rule)                                                                                \
    {.name = "until", .kind = FIELD_TIME, .out = &(rule)->until, .nullable = true},                \
        {.name = "schedule",                                                                       \
         .kind = FIELD_TEXT,                                                                       \
         .out = &(rule)->schedule,                                                                 \
         .nullable = true,                                                                         \
         .max = RULE_SCHEDULE_MAX},                                                                \
    {                                                                                              \
        .name = "mandatory", .kind = FIELD_BOOL, .out = &(rule)->mandatory                         \
    }

/* rule_check() knows no place; the schedule is the only thing left that can be wrong by itself. */
static int check(struct reader *r, const char *at, const struct rule *rule, struct fault *f)
{
    struct fault why;
    int rc = rule_check(rule, &why);

    if (!rc)
        return 0;
    return reader_refuse(r, at, rule->schedule.n ? "schedule" : NULL, f, rc, "%s", why.text);
}

static int clean(struct reader *r, struct span text, struct span *out, struct fault *f)
{
    char *digits = reader_alloc(r, RULE_PREFIX_MAX + 1);
    int rc = digits ? rule_prefix_clean(text, digits, f) : fault_nomem(f);

    if (!rc)
        *out = span_of(digits);
    return rc;
}

static int read_rule(struct reader *r, const char *at, json_t *json, struct rule *out,
                     struct fault *f)
{
    struct span prefix = {NULL, 0};
    struct fault why;
    const struct field fields[] = {
        {.name = "action",
         .kind = FIELD_CHOICE,
         .out = &out->action,
         .required = true,
         .choices = actions},
        {.name = "prefix", .kind = FIELD_BYTES, .out = &prefix, .required = true, .max = 128},
        TERMS(out),
    };
    int rc = reader_fields(r, at, json, fields, sizeof(fields) / sizeof(fields[0]), f);

    if (rc)
        return rc;
    rc = clean(r, prefix, &out->prefix, &why);
    if (rc)
        return reader_refuse(r, at, "prefix", f, rc, "%s", why.text);
    return check(r, at, out, f);
}

int api_rules_read(struct reader *r, const char *at, json_t *array, const struct rule **rules,
                   size_t *n, struct fault *f)
{
    size_t count = json_array_size(array);
    struct rule *list = reader_alloc(r, count * sizeof(*list));

    if (!list)
        return fault_nomem(f);
    for (size_t i = 0; i < count; i++) {
        char place[64];
        int rc;

        snprintf(place, sizeof(place), "%s/%zu", at, i);
        rc = read_rule(r, place, json_array_get(array, i), &list[i], f);
        if (rc)
            return rc;
    }
    *rules = list;
    *n = count;
    return 0;
}

json_t *api_rule_json(const struct rule *rule)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:b}", "action", rule_action_name(rule->action),
                     "prefix", api_text(rule->prefix), "until", api_time_or_null(rule->until),
                     "schedule", api_text_or_null(rule->schedule), "mandatory", rule->mandatory);
}

json_t *api_rules_json(const struct rule *rules, size_t n)
{
    json_t *items = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, api_rule_json(&rules[i]));
    return items;
}

/* ---- owners ---- */

/* Whose rules the path names, and how many of its parameters that takes. */
static int find_owner(struct api *api, struct store_tx *tx, enum store_scope scope,
                      struct store_ref *owner, struct fault *f)
{
    struct store_account account;
    struct store_tenant tenant;
    int64_t id = 0;
    int rc = 0;

    switch (scope) {
    case SCOPE_ACCOUNT:
        rc = api_param_id(api, 0, &id, f);
        if (!rc)
            rc = api_find_account(api, tx, id, &account, f);
        break;
    case SCOPE_TENANT:
        rc = api_find_tenant(api, tx, api->params[0], &tenant, f);
        id = rc ? 0 : tenant.id;
        break;
    case SCOPE_OPERATOR:
    case SCOPE_SWITCH:
    case SCOPE_PRESET: break;
    }
    if (!rc)
        *owner = (struct store_ref){scope, id};
    return rc;
}

/* The same for a change, with its preconditions. */
static int begin(struct api *api, struct store_tx *tx, enum store_scope scope,
                 struct store_ref *owner, struct store_rules *rules, struct store_by *by,
                 struct fault *f)
{
    int rc = find_owner(api, tx, scope, owner, f);

    if (!rc)
        rc = store_rules_get(tx, *owner, rules, f);
    if (!rc)
        rc = api_precondition(api, true, rules->change, f);
    if (!rc)
        rc = api_by(api, tx, by, f);
    return rc;
}

static int answer(struct api *api, struct store_tx *tx, struct store_ref owner, struct fault *f)
{
    struct store_rules rules;
    int rc = store_rules_get(tx, owner, &rules, f);

    if (rc)
        return rc;
    return api_answer_tagged(api, 200, rules.change,
                             json_pack("{s:o, s:I}", "items", api_rules_json(rules.items, rules.n),
                                       "change", (json_int_t)rules.change),
                             f);
}

static int get(struct api *api, struct store_tx *tx, enum store_scope scope, struct fault *f)
{
    struct store_ref owner;
    int rc = find_owner(api, tx, scope, &owner, f);

    return rc ? rc : answer(api, tx, owner, f);
}

static int replace(struct api *api, struct store_tx *tx, enum store_scope scope, struct fault *f)
{
    json_t *array = NULL;
    const struct field fields[] = {
        {.name = "items",
         .kind = FIELD_ARRAY,
         .out = &array,
         .required = true,
         .max = STORE_RULES_MAX},
    };
    const struct rule *rules;
    struct store_rules before;
    struct store_ref owner;
    struct store_by by;
    json_t *json;
    size_t n;
    int rc = begin(api, tx, scope, &owner, &before, &by, f);

    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, 1, f);
    if (!rc)
        rc = api_rules_read(&api->reader, "/items", array, &rules, &n, f);
    if (!rc)
        rc = store_rules_replace(tx, &by, owner, rules, n, f);
    return rc ? rc : answer(api, tx, owner, f);
}

/* ---- one rule ---- */

static const struct rule *find_rule(const struct store_rules *rules, enum rule_action action,
                                    struct span prefix)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (rules->items[i].action == action && span_eq(rules->items[i].prefix, prefix))
            return &rules->items[i];
    }
    return NULL;
}

/* The action and prefix at the end of the path. */
static int path_rule(struct api *api, enum store_scope scope, struct rule *out, struct fault *f)
{
    size_t at = scope == SCOPE_OPERATOR ? 0 : 1;
    struct fault why;
    int rc;

    if (span_is(api->params[at], "restrict"))
        out->action = RULE_RESTRICT;
    else if (span_is(api->params[at], "except"))
        out->action = RULE_EXCEPT;
    else
        return api_refuse_parameter(api, "action", f,
                                    "action \"%s\" is not one of restrict, except",
                                    ESCAPED(api->params[at]));
    rc = clean(&api->reader, api->params[at + 1], &out->prefix, &why);
    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    return rc ? api_refuse_parameter(api, "prefix", f, "%s", why.text) : 0;
}

static int answer_rule(struct api *api, struct store_tx *tx, unsigned status,
                       struct store_ref owner, const struct rule *wanted, struct fault *f)
{
    const struct rule *rule;
    struct store_rules rules;
    int rc = store_rules_get(tx, owner, &rules, f);

    if (rc)
        return rc;
    rule = find_rule(&rules, wanted->action, wanted->prefix);
    return api_answer_tagged(api, status, rules.change, api_rule_json(rule ? rule : wanted), f);
}

static int put(struct api *api, struct store_tx *tx, enum store_scope scope, struct fault *f)
{
    struct rule rule = {.schedule = {"", 0}};
    const struct field fields[] = {TERMS(&rule)};
    struct store_rules before;
    struct store_ref owner;
    struct store_by by;
    json_t *json;
    bool there;
    int rc = begin(api, tx, scope, &owner, &before, &by, f);

    if (!rc)
        rc = path_rule(api, scope, &rule, f);
    if (!rc)
        rc = api_json(api, &json, f);
    if (!rc)
        rc = reader_fields(&api->reader, "", json, fields, sizeof(fields) / sizeof(fields[0]), f);
    if (!rc)
        rc = check(&api->reader, "", &rule, f);
    if (rc)
        return rc;
    there = find_rule(&before, rule.action, rule.prefix) != NULL;
    rc = store_rule_put(tx, &by, owner, &rule, f);
    return rc ? rc : answer_rule(api, tx, there ? 200 : 201, owner, &rule, f);
}

static int delete (struct api *api, struct store_tx *tx, enum store_scope scope, struct fault *f)
{
    struct rule rule = {0};
    struct store_rules before;
    struct store_ref owner;
    struct store_by by;
    int rc = begin(api, tx, scope, &owner, &before, &by, f);

    if (!rc)
        rc = path_rule(api, scope, &rule, f);
    if (!rc && !find_rule(&before, rule.action, rule.prefix))
        return api_refuse(api, 404, f, ERR_MISSING, "there is no rule %s %.*s",
                          rule_action_name(rule.action), SPAN_FMT(rule.prefix));
    if (!rc)
        rc = store_rule_delete(tx, &by, owner, rule.action, rule.prefix, f);
    return rc ? rc : api_answer_empty(api, 204);
}

#define HANDLER(name, what, scope)                                                                 \
    int name(struct api *api, struct store_tx *tx, struct fault *f)                                \
    {                                                                                              \
        return what(api, tx, scope, f);                                                            \
    }

HANDLER(api_account_rules_get, get, SCOPE_ACCOUNT)
HANDLER(api_account_rules_put, replace, SCOPE_ACCOUNT)
HANDLER(api_account_rule_put, put, SCOPE_ACCOUNT)
HANDLER(api_account_rule_delete, delete, SCOPE_ACCOUNT)
HANDLER(api_tenant_rules_get, get, SCOPE_TENANT)
HANDLER(api_tenant_rules_put, replace, SCOPE_TENANT)
HANDLER(api_tenant_rule_put, put, SCOPE_TENANT)
HANDLER(api_tenant_rule_delete, delete, SCOPE_TENANT)
HANDLER(api_operator_rules_get, get, SCOPE_OPERATOR)
HANDLER(api_operator_rules_put, replace, SCOPE_OPERATOR)
HANDLER(api_operator_rule_put, put, SCOPE_OPERATOR)
HANDLER(api_operator_rule_delete, delete, SCOPE_OPERATOR)
