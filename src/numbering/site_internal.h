/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_SITE_INTERNAL_H
#define SEKISHO_NUMBERING_SITE_INTERNAL_H

#include "numbering/plan.h"
#include "numbering/ranges.h"
#include "numbering/site.h"

/* What numbering.c reads of a site; nobody else may. */
struct site {
    const struct plan *plan;
    const struct plan *any; /* codes that hold in every plan */
    const struct ranges *ranges;
    struct span outside, area; /* into `text` */
    struct trie extensions; /* value 0 is 1 where an extension ends; no nodes without extensions */
    char text[64];
};

/* Exactly an emergency number of the plan. */
static inline bool site_is_emergency(const struct site *site, struct span keys)
{
    const struct trie *t = &site->plan->trie;

    if (keys.n > site->plan->longest_emergency)
        return false;
    return t->nodes[trie_find(t, keys)].value[PLAN_EMERGENCY] != 0;
}

static inline bool site_is_extension(const struct site *site, struct span keys)
{
    const struct trie *t = &site->extensions;

    return t->nodes && t->nodes[trie_find(t, keys)].value[0] != 0;
}

#endif
