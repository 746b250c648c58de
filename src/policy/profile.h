/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_PROFILE_H
#define SEKISHO_POLICY_PROFILE_H

#include "policy/decide.h"

/*
 * All that a decision needs to know of an account, interned: accounts with the same rules, tenant and
 * state share one, so that any change of an account is the change of one pointer. Immutable but for
 * what the writer keeps in it.
 */
struct profile {
    const struct ruleset *rules; /* holds a reference; may be NULL */
    uint32_t tenant;             /* handle (handles.h) */
    uint8_t state;               /* enum account_state */
    bool stopped;
    /* The writer's. */
    uint32_t hash;
    uint32_t refs;
    struct profile *next_retired;
};

/* For one thread (the writer). */
struct profile_pool;

int profile_pool_new(struct profile_pool **out, const uint8_t key[16], struct fault *f);
/* Frees the profiles that are left too; gives their rules back to `rulesets`. */
void profile_pool_free(struct profile_pool *pool, struct ruleset_pool *rulesets);
size_t profile_pool_count(const struct profile_pool *pool);

/* The profile that says the same as `wanted` (whose writer's part is ignored), with one reference more. */
int profile_intern(struct profile_pool *pool, const struct profile *wanted, struct profile **out,
                   struct fault *f);
void profile_ref(struct profile *profile);

/* Gives one reference back. True with the last one: the profile is no longer in the pool, and the
 * caller frees it with profile_free() when no reader can see it. */
bool profile_unref(struct profile_pool *pool, struct profile *profile);
void profile_free(struct profile *profile, struct ruleset_pool *rulesets);

#endif
