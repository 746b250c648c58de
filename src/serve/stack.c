/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/stack.h"

#include <sodium.h>

#include "base/zoneinfo.h"

static int begin(struct stack *s, struct store_tx *tx, struct fault *f)
{
    uint8_t key[16];
    int err;

    *s = (struct stack){.holidays = store_holidays(tx)};
    randombytes_buf(key, sizeof(key));
    err = zones_new(&s->zones, zoneinfo_read, NULL, f);
    return err ? err : ruleset_pool_new(&s->pool, s->zones, key, f);
}

void stack_free(struct stack *s)
{
    ruleset_pool_free(s->pool);
    zones_free(s->zones);
    *s = (struct stack){.pool = NULL};
}

/* ---- one set ---- */

/* Which rules of an owner make a set. */
struct sieve {
    bool mandatory;     /* these, or all others */
    struct span behind; /* see struct stack_plan */
};

static bool passes(const struct sieve *sieve, const struct rule *rule, struct rule *out)
{
    if (rule->mandatory != sieve->mandatory)
        return false;
    *out = *rule;
    out->mandatory = false;
    if (span_starts(rule->prefix, sieve->behind))
        return true;
    if (!rule->mandatory || !span_starts(sieve->behind, rule->prefix))
        return false;
    out->prefix = sieve->behind;
    return true;
}

static bool same(const struct rule *a, const struct rule *b)
{
    return a->action == b->action && span_eq(a->prefix, b->prefix);
}

static int intern(struct stack *s, struct store_tx *tx, const struct sieve *sieve,
                  const struct rule *rules, size_t n, const struct ruleset **out, struct fault *f)
{
    struct rule *copy = store_tx_alloc(tx, (n + 1) * sizeof(*copy));
    size_t count = 0;

    if (!copy)
        return fault_nomem(f);
    for (size_t i = 0; i < n; i++) {
        size_t twin = 0;

        if (!passes(sieve, &rules[i], &copy[count]))
            continue;
        /* Shorter ones that were moved to the access prefix may meet there: what has no end stays. */
        while (sieve->mandatory && twin < count && !same(&copy[twin], &copy[count]))
            twin++;
        if (!sieve->mandatory || twin == count)
            count++;
        else if (!copy[count].until && !copy[count].schedule.n)
            copy[twin] = copy[count];
    }
    return ruleset_intern(s->pool, copy, count, out, f);
}

/* ---- levels ---- */

static int rules_of(struct store_tx *tx, const struct stack_plan *plan, struct store_ref ref,
                    struct store_rules *out, struct fault *f)
{
    if (plan->own && plan->owner.scope == ref.scope && plan->owner.id == ref.id) {
        *out = (struct store_rules){.items = plan->own, .n = plan->n_own};
        return 0;
    }
    return store_rules_get(tx, ref, out, f);
}

static int add_operator(struct stack *s, struct store_tx *tx, const struct stack_plan *plan,
                        struct fault *f)
{
    const struct sieve mandatory = {true, plan->behind}, others = {false, plan->behind};
    struct store_rules rules;
    int err = rules_of(tx, plan, (struct store_ref){SCOPE_OPERATOR, 0}, &rules, f);

    if (!err)
        err = intern(s, tx, &others, rules.items, rules.n, &s->operator_rules, f);
    return err ? err : intern(s, tx, &mandatory, rules.items, rules.n, &s->mandatory, f);
}

/* The tenant and those above it. */
static int add_tenants(struct stack *s, struct store_tx *tx, const struct stack_plan *plan,
                       int64_t id, struct fault *f)
{
    const struct sieve sieve = {false, plan->behind};
    struct store_tenant tenant;
    int err = store_tenant_get(tx, id, &tenant, f);

    while (!err && s->rules.n_tenants < STORE_TENANT_DEPTH_MAX) {
        struct store_ref ref = {SCOPE_TENANT, tenant.id};
        char *name = store_tx_alloc(tx, tenant.name.n + 1);
        struct store_rules rules;

        if (!name)
            return fault_nomem(f);
        memcpy(name, tenant.name.p, tenant.name.n);
        err = rules_of(tx, plan, ref, &rules, f);
        if (!err)
            err = intern(s, tx, &sieve, rules.items, rules.n, &s->tenants[s->rules.n_tenants], f);
        if (err)
            return err;
        s->names[s->rules.n_tenants++] = name;
        if (!tenant.parent.n)
            return 0;
        err = store_tenant_find(tx, tenant.parent, &tenant, f);
    }
    return err;
}

static int add_account(struct stack *s, struct store_tx *tx, const struct stack_plan *plan,
                       struct fault *f)
{
    const struct sieve sieve = {false, plan->behind};
    struct store_account account;
    struct store_rules rules;
    int err = rules_of(tx, plan, plan->owner, &rules, f);

    if (!err)
        err = intern(s, tx, &sieve, rules.items, rules.n, &s->account, f);
    if (err || plan->owner.scope == SCOPE_PRESET)
        return err;
    err = store_account_get(tx, plan->owner.id, &account, f);
    return err ? err : add_tenants(s, tx, plan, account.tenant_id, f);
}

static int add_levels(struct stack *s, struct store_tx *tx, const struct stack_plan *plan,
                      struct fault *f)
{
    switch (plan->owner.scope) {
    case SCOPE_ACCOUNT:
    case SCOPE_PRESET: return add_account(s, tx, plan, f);
    case SCOPE_TENANT: return add_tenants(s, tx, plan, plan->owner.id, f);
    case SCOPE_OPERATOR:
    case SCOPE_SWITCH: break;
    }
    return 0;
}

static void assemble(struct stack *s)
{
    s->rules.account = s->account;
    s->rules.tenants = s->tenants;
    s->rules.operator_rules = s->operator_rules;
    s->rules.mandatory = s->mandatory;
}

int stack_of(struct stack *out, struct store_tx *tx, const struct stack_plan *plan, struct fault *f)
{
    int err = begin(out, tx, f);

    if (!err)
        err = add_levels(out, tx, plan, f);
    if (!err)
        err = add_operator(out, tx, plan, f);
    if (err)
        stack_free(out);
    else
        assemble(out);
    return err;
}

int stack_alone(struct stack *out, struct store_tx *tx, const struct rule *rules, size_t n,
                struct fault *f)
{
    int err = begin(out, tx, f);

    if (!err)
        err = ruleset_intern(out->pool, rules, n, &out->account, f);
    if (err)
        stack_free(out);
    else
        assemble(out);
    return err;
}

struct prove_question stack_question(const struct stack *stack, const struct store_tx *tx)
{
    return (struct prove_question){
        .rules = &stack->rules,
        .when = {.now = instant_wall_s(store_tx_now(tx)), .extra = &stack->holidays},
    };
}
