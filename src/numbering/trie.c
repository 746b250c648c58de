/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/trie.h"

#include <stdlib.h>

#define NODES_FIRST 16

static int reserve(struct trie *t, struct fault *f)
{
    if (t->n < t->cap)
        return 0;
    if (t->n > UINT16_MAX)
        return fault(f, ERR_FULL, "too many codes: a table has room for %d steps", UINT16_MAX);
    size_t cap = 2 * t->cap;
    struct trie_node *nodes = reallocarray(t->nodes, cap, sizeof(*nodes));

    if (!nodes)
        return fault_nomem(f);
    t->nodes = nodes;
    t->cap = cap;
    return 0;
}

int trie_new(struct trie *t, struct fault *f)
{
    struct trie_node *nodes = calloc(NODES_FIRST, sizeof(*nodes));

    if (!nodes)
        return fault_nomem(f);
    *t = (struct trie){nodes, 1, NODES_FIRST};
    return 0;
}

void trie_free(struct trie *t)
{
    free(t->nodes);
    *t = (struct trie){NULL, 0, 0};
}

int trie_grow(struct trie *t, uint16_t node, unsigned key, uint16_t *child, struct fault *f)
{
    if (t->nodes[node].child[key] == 0) {
        int rc = reserve(t, f);

        if (rc)
            return rc;
        t->nodes[t->n] = (struct trie_node){0};
        t->nodes[node].child[key] = (uint16_t)t->n++;
    }
    *child = t->nodes[node].child[key];
    return 0;
}

uint16_t trie_find(const struct trie *t, struct span digits)
{
    uint16_t node = 0;

    for (size_t i = 0; i < digits.n; i++) {
        node = trie_step(t, node, digits.p[i]);
        if (node == 0)
            return 0;
    }
    return node;
}
