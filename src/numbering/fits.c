/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/fits.h"

void fits_find(const struct site *site, struct span keys, struct fits *found)
{
    const struct plan *plans[] = {site->any, site->plan};
    uint16_t node[] = {0, 0};
    size_t i;

    found->n_strip = found->n_whole = 0;
    found->begins = false;
    for (i = 0; i < keys.n && i < PLAN_SHAPE_MAX; i++) {
        for (int p = 0; p < 2; p++) {
            const struct trie *t = &plans[p]->trie;

            if (i > 0 && node[p] == 0)
                continue;
            node[p] = trie_step(t, node[p], keys.p[i]);

            const struct trie_node *at = &t->nodes[node[p]];

            if (node[p] && at->value[PLAN_STRIP])
                found->strip[found->n_strip++] =
                    (struct fit){&plans[p]->code[at->value[PLAN_STRIP]], i + 1};
            if (node[p] && at->value[PLAN_WHOLE])
                found->whole[found->n_whole++] =
                    (struct fit){&plans[p]->code[at->value[PLAN_WHOLE]], i + 1};
        }
        if (!node[0] && !node[1])
            return;
    }
    for (int p = 0; p < 2 && i == keys.n; p++)
        for (unsigned k = 0; node[p] && k < TRIE_KEYS; k++)
            found->begins = found->begins || plans[p]->trie.nodes[node[p]].child[k];
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
