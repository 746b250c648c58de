/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_SWEEP_HOUSE_H
#define SEKISHO_STORE_SWEEP_HOUSE_H

#include "store/db.h"
#include "store/sweep_plan.h"

/*
 * What a sweep has to know beside an account's own row: what rule sets say of international calls, on the account's
 * level and on those above, and what tenants have decided for all of their accounts. One view of sekisho.db.
 */
struct house {
    struct db *main;
    const struct sweep_plan *plan; /* its switches and terms */
    struct house_tenant *tenants;  /* by id */
    size_t n_tenants;
    struct house_opinions {
        struct house_opinion *slots;
        size_t n, size;
    } opinions;
    int64_t operator_set;
};

/* Who did something, and when; ms is HISTORY_NEVER where nobody did. */
struct house_deed {
    int64_t ms;
    char by[STORE_ACTOR_MAX + 1];
};

struct house_tenant {
    int64_t id, rule_set;
    struct house_tenant *parent; /* NULL: directly under the operator */
    char scope[sizeof("tenant:") + STORE_NAME_MAX];
    struct house_deed objected; /* itself; those above count too */
    uint32_t lifted_at;         /* of which switch `lifted` is told; UINT32_MAX: of none yet */
    struct house_deed lifted;
};

/* `main` is in a transaction already, and outlives the house, as `plan` does. */
int house_open(struct house *house, struct db *main, const struct sweep_plan *plan,
               struct fault *f);
void house_close(struct house *house);

/* NULL: it is not in this view. */
struct house_tenant *house_tenant(const struct house *house, int64_t id);

/* What an account with these rules may do abroad, and whose rules say so ("account", "tenant:NAME", "operator"). */
int house_rules(struct house *house, struct house_tenant *tenant, int64_t rule_set, uint32_t at,
                enum sweep_rules *out, struct span *by, struct fault *f);

/* Objections and liftings of the tenant and those above: the nearest that objected, the last that lifted. */
const struct house_deed *house_objected(const struct house_tenant *tenant);
int house_lifted(struct house *house, struct house_tenant *tenant, uint32_t at,
                 const struct house_deed **out, struct fault *f);

/* The last change that took away the account's restriction, by itself. */
int house_lifted_account(struct house *house, int64_t account, uint32_t at, struct house_deed *out,
                         struct fault *f);

#endif
