/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_STACK_H
#define SEKISHO_SERVE_STACK_H

#include "policy/prove.h"
#include "store/store.h"

/*
 * The rules that bear on an owner, through all levels: as they are in the store, or as they would be
 * if his own were others. In a read or write job; lives no longer than that.
 */
struct stack {
    struct zones *zones;
    struct ruleset_pool *pool;
    const struct ruleset *account, *operator_rules, *mandatory;
    const struct ruleset *tenants[STORE_TENANT_DEPTH_MAX];
    const char *names[STORE_TENANT_DEPTH_MAX]; /* of the tenants, outward */
    struct decide_rules rules;
    struct holidays holidays;
};

/* What to put together. */
struct stack_plan {
    struct store_ref owner; /* an account, a tenant, the operator; a preset stands for an account of
                               its own that belongs to no tenant */
    const struct rule *own; /* in place of the owner's; NULL: those that it has */
    size_t n_own;
    /* Unless empty, an access prefix: only rules on numbers behind it. A shorter one counts for the
     * access prefix where it is mandatory, else not at all. */
    struct span behind;
};

/* ERR_MISSING: no such owner. */
int stack_of(struct stack *out, struct store_tx *tx, const struct stack_plan *plan,
             struct fault *f);

/* Nothing but these rules, as if of an account. */
int stack_alone(struct stack *out, struct store_tx *tx, const struct rule *rules, size_t n,
                struct fault *f);

/* A zeroed one is fine. */
void stack_free(struct stack *stack);

/* All that a proof asks about it, at this moment. */
struct prove_question stack_question(const struct stack *stack, const struct store_tx *tx);

#endif
