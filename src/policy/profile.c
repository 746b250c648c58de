/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/profile.h"

#include <sodium/crypto_shorthash.h>
#include <stdlib.h>

struct profile_pool {
    struct profile **slots; /* open addressing by hash, no tombstones */
    size_t n_slots;         /* a power of two */
    size_t count;
    uint8_t key[crypto_shorthash_KEYBYTES];
};

int profile_pool_new(struct profile_pool **out, const uint8_t key[16], struct fault *f)
{
    struct profile_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return fault_nomem(f);
    pool->n_slots = 64;
    pool->slots = calloc(pool->n_slots, sizeof(*pool->slots));
    if (!pool->slots) {
        free(pool);
        return fault_nomem(f);
    }
    memcpy(pool->key, key, sizeof(pool->key));
    *out = pool;
    return 0;
}

void profile_free(struct profile *profile, struct ruleset_pool *rulesets)
{
    if (!profile)
        return;
    ruleset_unref(rulesets, profile->rules);
    free(profile);
}

void profile_pool_free(struct profile_pool *pool, struct ruleset_pool *rulesets)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->n_slots; i++)
        profile_free(pool->slots[i], rulesets);
    free(pool->slots);
    free(pool);
}

size_t profile_pool_count(const struct profile_pool *pool)
{
    return pool->count;
}

static uint32_t hash_of(const struct profile_pool *pool, const struct profile *p)
{
    struct {
        const struct ruleset *rules;
        uint32_t tenant, flags;
    } said = {p->rules, p->tenant, p->state | (uint32_t)p->stopped << 8};
    uint64_t hash;

    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)&said, sizeof(said), pool->key);
    return (uint32_t)hash;
}

static bool same(const struct profile *a, const struct profile *b)
{
    return a->rules == b->rules && a->tenant == b->tenant && a->state == b->state &&
           a->stopped == b->stopped;
}

static void put(struct profile **slots, size_t n_slots, struct profile *profile)
{
    size_t i = profile->hash & (n_slots - 1);

    while (slots[i])
        i = (i + 1) & (n_slots - 1);
    slots[i] = profile;
}

/* Makes room for one more; at most half of the slots are taken. */
static int grow(struct profile_pool *pool, struct fault *f)
{
    size_t n = pool->n_slots * 2;
    struct profile **slots;

    if (pool->count * 2 < pool->n_slots)
        return 0;
    slots = calloc(n, sizeof(*slots));
    if (!slots)
        return fault_nomem(f);
    for (size_t i = 0; i < pool->n_slots; i++)
        if (pool->slots[i])
            put(slots, n, pool->slots[i]);
    free(pool->slots);
    pool->slots = slots;
    pool->n_slots = n;
    return 0;
}

int profile_intern(struct profile_pool *pool, const struct profile *wanted, struct profile **out,
                   struct fault *f)
{
    uint32_t hash = hash_of(pool, wanted);
    size_t mask = pool->n_slots - 1;
    struct profile *profile;
    int err;

    for (size_t i = hash & mask; pool->slots[i]; i = (i + 1) & mask)
        if (same(pool->slots[i], wanted)) {
            *out = pool->slots[i];
            profile_ref(*out);
            return 0;
        }
    err = grow(pool, f);
    if (err)
        return err;
    profile = malloc(sizeof(*profile));
    if (!profile)
        return fault_nomem(f);
    *profile = *wanted;
    profile->hash = hash;
    profile->refs = 1;
    profile->next_retired = NULL;
    ruleset_ref(profile->rules);
    put(pool->slots, pool->n_slots, profile);
    pool->count++;
    *out = profile;
    return 0;
}

void profile_ref(struct profile *profile)
{
    profile->refs++;
}

/* Takes it out and moves what was pushed behind it by collisions back. */
static void take_out(struct profile_pool *pool, const struct profile *profile)
{
    size_t mask = pool->n_slots - 1, i = profile->hash & mask;

    while (pool->slots[i] != profile)
        i = (i + 1) & mask;
    for (size_t k = (i + 1) & mask; pool->slots[k]; k = (k + 1) & mask) {
        size_t home = pool->slots[k]->hash & mask;

        if (((k - home) & mask) >= ((k - i) & mask)) {
            pool->slots[i] = pool->slots[k];
            i = k;
        }
    }
    pool->slots[i] = NULL;
    pool->count--;
}

bool profile_unref(struct profile_pool *pool, struct profile *profile)
{
    if (--profile->refs > 0)
        return false;
    take_out(pool, profile);
    return true;
}
