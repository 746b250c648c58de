/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/fits.h"

/* A walk down the trie of one plan. */
struct path {
    const struct plan *plan;
    uint16_t node; /* 0 where the walk is at its beginning, or has left the trie */
};

/* One key further, and notes what ends there; n keys have been walked with it. */
static inline bool step(struct path *path, char key, size_t n, struct fits *found)
{
    const struct plan *plan = path->plan;

    path->node = trie_step(&plan->trie, path->node, key);
    if (!path->node)
        return false;

    const uint16_t *value = plan->trie.nodes[path->node].value;

    if (value[PLAN_STRIP])
        found->strip[found->n_strip++] = (struct fit){&plan->code[value[PLAN_STRIP]], n};
    if (value[PLAN_WHOLE])
        found->whole[found->n_whole++] = (struct fit){&plan->code[value[PLAN_WHOLE]], n};
    return true;
}

static bool goes_on(const struct path *path)
{
    const struct trie_node *at = &path->plan->trie.nodes[path->node];

    for (unsigned k = 0; path->node && k < TRIE_KEYS; k++)
        if (at->child[k])
            return true;
    return false;
}

void fits_find(const struct site *site, struct span keys, struct fits *found)
{
    struct path any = {site->any, 0}, own = {site->plan, 0};
    bool in_any = true, in_own = true;
    size_t n;

    found->n_strip = found->n_whole = 0;
    found->begins = false;
    for (n = 0; n < keys.n && n < PLAN_SHAPE_MAX && (in_any || in_own); n++) {
        in_any = in_any && step(&any, keys.p[n], n + 1, found);
        in_own = in_own && step(&own, keys.p[n], n + 1, found);
    }
    if (n == keys.n)
        found->begins = goes_on(&any) || goes_on(&own);
}

enum length fit_length(const struct fit *fit, size_t n)
{
    uint32_t lengths = fit->code->lengths ? fit->code->lengths : UINT32_C(1) << fit->n;

    if (n >= 32)
        return LENGTH_WRONG;
    if (lengths & UINT32_C(1) << n)
        return LENGTH_RIGHT;
    return lengths >> n ? LENGTH_SHORT : LENGTH_WRONG;
}
