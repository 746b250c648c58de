/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_TRIE_H
#define SEKISHO_NUMBERING_TRIE_H

#include <stdint.h>

#include "base/fault.h"

/*
 * A trie over the twelve keys of a telephone, built once and then only read. A node is an index; the
 * root is 0, and 0 as a child means that there is none. Each node carries values for its builder's use,
 * 0 where nothing was set; so many that a node is 32 bytes.
 */
#define TRIE_KEYS 12 /* 0-9, *, # */
#define TRIE_VALUES 4

struct trie_node {
    uint16_t child[TRIE_KEYS];
    uint16_t value[TRIE_VALUES];
};

struct trie {
    struct trie_node *nodes;
    size_t n, cap;
};

/* A trie with nothing but its root. */
int trie_new(struct trie *t, struct fault *f);
void trie_free(struct trie *t);

/* The child of `node` under `key`, made where it was missing. A trie that grows over 65,535 nodes is
 * ERR_FULL. */
int trie_grow(struct trie *t, uint16_t node, unsigned key, uint16_t *child, struct fault *f);

/* The number of a key: '0'-'9' are 0-9, '*' is 10, '#' is 11, anything else -1. */
static inline int trie_key(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c == '*' ? 10 : c == '#' ? 11 : -1;
}

/* The node that `c` leads to from `node`, 0 where there is none. */
static inline uint16_t trie_step(const struct trie *t, uint16_t node, char c)
{
    int key = trie_key(c);

    return key < 0 ? 0 : t->nodes[node].child[key];
}

/* The node at the end of all of `digits`, 0 where there is none (and for no digits). */
uint16_t trie_find(const struct trie *t, struct span digits);

#endif
