/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_prove.h"

#include "serve/api_common.h"
#include "serve/api_rules.h"
#include "serve/atlases.h"

const char *const api_prove_ranges[] = {"open", "all", "none", NULL};

/* ---- which dial plan ---- */

/* The one that all switches in sight have. */
static int common_plan(struct api *api, struct store_tx *tx, struct span *out, struct fault *f)
{
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_switch_list list;
    struct span plan = {NULL, 0};
    bool several = false;

    do {
        int rc = store_switch_list(tx, &page, &list, f);

        for (size_t i = 0; !rc && i < list.n; i++) {
            bool serves = false;

            rc = api_serves(api, tx, &list.items[i], &serves, f);
            if (rc || !serves)
                continue;
            several = several || (plan.p && !span_eq(plan, list.items[i].plan));
            plan = list.items[i].plan;
        }
        if (rc)
            return rc;
        page.cursor = list.next;
    } while (list.next.n && !several);
    if (!plan.p || several)
        return fault(f, ERR_RANGE, "%s: say which dial plan is meant (plan, as JP), or the switch",
                     several ? "the switches have different dial plans" : "there is no switch");
    *out = plan;
    return 0;
}

int api_plan(struct api *api, struct store_tx *tx, struct span plan, struct span gate,
             struct span *out, const char **wrong, struct fault *f)
{
    struct store_switch found;
    int rc;

    *wrong = gate.n ? "switch" : "plan";
    if (plan.n && gate.n)
        return fault(f, ERR_RANGE, "either plan or switch may be given, and not both");
    if (plan.n) {
        *out = plan;
        return 0;
    }
    if (!gate.n)
        return common_plan(api, tx, out, f);
    rc = api_find_switch(api, tx, gate, &found, f);
    if (rc == ERR_MISSING)
        api->status = 0;
    if (!rc)
        *out = found.plan;
    return rc;
}

int api_account_plan(struct store_tx *tx, const struct store_account *account, struct span *out,
                     struct fault *f)
{
    struct store_switch gate;
    int rc = store_switch_get(tx, account->switch_id, &gate, f);

    if (!rc)
        *out = gate.plan;
    return rc;
}

/* ---- proving ---- */

int api_proof(struct store_tx *tx, const struct atlas *atlas, const struct stack *stack,
              enum prove_json_ranges ranges, json_t **out, struct fault *f)
{
    const struct prove_question question = stack_question(stack, tx);
    const struct prove_json_options options = {ranges, stack->names, stack->rules.n_tenants};
    struct prove *proof = NULL;
    int rc = prove_new(&proof, atlas, &question, f);

    if (rc)
        return rc;
    *out = prove_json(atlas, proof, &options);
    prove_free(proof);
    return *out ? 0 : fault_nomem(f);
}

static int compare(struct store_tx *tx, const struct atlas *atlas, const struct stack *first,
                   const struct stack *second, json_t **out, struct fault *f)
{
    const struct prove_question one = stack_question(first, tx), two = stack_question(second, tx);
    struct prove_difference difference;
    int rc = prove_compare(&difference, atlas, &one, &two, f);

    if (rc)
        return rc;
    *out = prove_difference_json(atlas, &difference);
    return *out ? 0 : fault_nomem(f);
}

/* `second` may be NULL. */
static int answer(struct api *api, struct store_tx *tx, const struct atlas *atlas,
                  const struct stack *first, const struct stack *second,
                  enum prove_json_ranges ranges, struct fault *f)
{
    json_t *proof = NULL, *difference = NULL;
    int rc = api_proof(tx, atlas, first, ranges, &proof, f);

    if (!rc && second)
        rc = compare(tx, atlas, first, second, &difference, f);
    if (rc) {
        json_decref(proof);
        return rc;
    }
    return api_answer(
        api, 200,
        json_pack("{s:o, s:o}", "proof", proof, "difference", second ? difference : json_null()),
        f);
}

/* ---- POST /v1/prove ---- */

struct given {
    json_t *rules, *against; /* arrays */
    const struct rule *first, *second;
    size_t n_first, n_second;
    struct span plan, gate;
    enum prove_json_ranges ranges;
};

static int read_given(struct api *api, struct given *out, struct fault *f)
{
    const struct field fields[] = {
        {.name = "rules",
         .kind = FIELD_ARRAY,
         .out = &out->rules,
         .required = true,
         .max = STORE_RULES_MAX},
        {.name = "against", .kind = FIELD_ARRAY, .out = &out->against, .max = STORE_RULES_MAX},
        {.name = "plan", .kind = FIELD_TEXT, .out = &out->plan, .max = STORE_TEXT_MAX},
        {.name = "switch", .kind = FIELD_NAME, .out = &out->gate},
        {.name = "ranges", .kind = FIELD_CHOICE, .out = &out->ranges, .choices = api_prove_ranges},
    };
    struct reader *r = &api->reader;
    json_t *json;
    int rc = api_json(api, &json, f);

    if (!rc)
        rc = reader_fields(r, "", json, fields, sizeof(fields) / sizeof(fields[0]), f);
    if (!rc)
        rc = api_rules_read(r, "/rules", out->rules, &out->first, &out->n_first, f);
    if (!rc && out->against)
        rc = api_rules_read(r, "/against", out->against, &out->second, &out->n_second, f);
    return rc;
}

/* What the rules say against each other (twice the same, mandatory) stands in `where`. */
static int alone(struct api *api, struct store_tx *tx, const char *where, const struct rule *rules,
                 size_t n, struct stack *out, struct fault *f)
{
    struct fault why;
    int rc = stack_alone(out, tx, rules, n, &why);

    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    return rc ? reader_refuse(&api->reader, "", where, f, ERR_RANGE, "%s", why.text) : 0;
}

static int prove_given(struct api *api, struct store_tx *tx, const struct given *given,
                       const struct atlas *atlas, struct fault *f)
{
    struct stack first = {.pool = NULL}, second = {.pool = NULL};
    int rc = alone(api, tx, "rules", given->first, given->n_first, &first, f);

    if (!rc && given->against)
        rc = alone(api, tx, "against", given->second, given->n_second, &second, f);
    if (!rc)
        rc = answer(api, tx, atlas, &first, given->against ? &second : NULL, given->ranges, f);
    stack_free(&first);
    stack_free(&second);
    return rc;
}

int api_prove_post(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct given given = {.ranges = PROVE_JSON_OPEN};
    const char *wrong = "plan";
    struct span plan = {NULL, 0};
    const struct atlas *atlas;
    struct fault why;
    int rc = read_given(api, &given, f);

    if (rc)
        return rc;
    rc = api_plan(api, tx, given.plan, given.gate, &plan, &wrong, &why);
    if (!rc)
        rc = atlases_open(api->services->atlases, plan, &atlas, &why);
    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    if (rc)
        return reader_refuse(&api->reader, "", wrong, f, rc, "%s", why.text);
    rc = prove_given(api, tx, &given, atlas, f);
    atlases_close(api->services->atlases);
    return rc;
}

/* ---- owners ---- */

static int query_ranges(struct api *api, enum prove_json_ranges *out, struct fault *f)
{
    struct span word = target_query_get(&api->target.query, "ranges");

    *out = PROVE_JSON_OPEN;
    if (!word.p)
        return 0;
    for (unsigned i = 0; api_prove_ranges[i]; i++)
        if (span_is(word, api_prove_ranges[i])) {
            *out = (enum prove_json_ranges)i;
            return 0;
        }
    return api_refuse_parameter(api, "ranges", f, "ranges \"%s\" is not one of open, all, none",
                                ESCAPED(word));
}

/* `against` is NULL, or another owner of the same dial plan. */
static int prove_owner(struct api *api, struct store_tx *tx, struct span plan,
                       const struct store_ref *owner, const struct store_ref *against,
                       struct fault *f)
{
    const struct stack_plan one = {.owner = *owner};
    const struct stack_plan two = {.owner = against ? *against : *owner};
    struct stack first = {.pool = NULL}, second = {.pool = NULL};
    enum prove_json_ranges ranges;
    const struct atlas *atlas;
    int rc = query_ranges(api, &ranges, f);

    if (!rc)
        rc = stack_of(&first, tx, &one, f);
    if (!rc && against)
        rc = stack_of(&second, tx, &two, f);
    if (!rc)
        rc = atlases_open(api->services->atlases, plan, &atlas, f);
    if (!rc) {
        rc = answer(api, tx, atlas, &first, against ? &second : NULL, ranges, f);
        atlases_close(api->services->atlases);
    }
    stack_free(&first);
    stack_free(&second);
    return rc;
}

int api_account_prove(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_ref owner = {SCOPE_ACCOUNT, 0}, against = {SCOPE_ACCOUNT, 0};
    struct store_account account, other;
    struct span plan = {NULL, 0}, other_plan = {NULL, 0};
    int rc = api_param_id(api, 0, &owner.id, f);

    if (!rc)
        rc = api_find_account(api, tx, owner.id, &account, f);
    if (!rc)
        rc = api_account_plan(tx, &account, &plan, f);
    if (!rc)
        rc = api_query_id(api, "against", &against.id, f);
    if (rc || !against.id)
        return rc ? rc : prove_owner(api, tx, plan, &owner, NULL, f);
    rc = api_find_account(api, tx, against.id, &other, f);
    if (rc == ERR_MISSING)
        return api_refuse_parameter(api, "against", f, "there is no account %lld",
                                    (long long)against.id);
    if (!rc)
        rc = api_account_plan(tx, &other, &other_plan, f);
    if (!rc && !span_eq(plan, other_plan))
        return api_refuse_parameter(api, "against", f,
                                    "the two accounts dial by different plans, %s and %s",
                                    ESCAPED(plan), ESCAPED(other_plan));
    return rc ? rc : prove_owner(api, tx, plan, &owner, &against, f);
}

/* A parameter that names the other tenant. */
static int against_tenant(struct api *api, struct store_tx *tx, struct store_ref *out,
                          struct fault *f)
{
    struct span name = {NULL, 0};
    struct store_tenant tenant;
    int rc = api_query_name(api, "against", &name, f);

    if (rc || !name.p)
        return rc;
    rc = api_find_tenant(api, tx, name, &tenant, f);
    if (rc == ERR_MISSING)
        return api_refuse_parameter(api, "against", f, "there is no tenant \"%s\"", ESCAPED(name));
    if (!rc)
        out->id = tenant.id;
    return rc;
}

/* An owner that belongs to no switch: the dial plan is the one that is asked for. */
static int prove_by_plan(struct api *api, struct store_tx *tx, const struct store_ref *owner,
                         const struct store_ref *against, struct fault *f)
{
    const struct target_query *query = &api->target.query;
    struct span plan = {NULL, 0};
    const struct atlas *atlas;
    const char *wrong;
    struct fault why;
    int rc = api_plan(api, tx, target_query_get(query, "plan"), target_query_get(query, "switch"),
                      &plan, &wrong, &why);

    /* Here, so that what is wrong with the plan is said of its parameter. */
    if (!rc)
        rc = atlases_open(api->services->atlases, plan, &atlas, &why);
    if (rc == ERR_NOMEM)
        return fault_nomem(f);
    if (rc)
        return api_refuse_parameter(api, wrong, f, "%s", why.text);
    atlases_close(api->services->atlases);
    return prove_owner(api, tx, plan, owner, against, f);
}

int api_tenant_prove(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_ref owner = {SCOPE_TENANT, 0}, against = {SCOPE_TENANT, 0};
    struct store_tenant tenant;
    int rc = api_find_tenant(api, tx, api->params[0], &tenant, f);

    if (!rc)
        rc = against_tenant(api, tx, &against, f);
    if (rc)
        return rc;
    owner.id = tenant.id;
    return prove_by_plan(api, tx, &owner, against.id ? &against : NULL, f);
}

int api_operator_prove(struct api *api, struct store_tx *tx, struct fault *f)
{
    const struct store_ref owner = {SCOPE_OPERATOR, 0};

    return prove_by_plan(api, tx, &owner, NULL, f);
}
