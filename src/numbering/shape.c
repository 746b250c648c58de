/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/shape.h"

#include <stdlib.h>

#define ENDS_MAX 4096
#define DEPTH_MAX 8

/* A recursive descent over the text that carries the set of nodes reached so far, so that a shape is
 * laid into the trie while it is read. */
struct reader {
    struct trie *trie;
    struct span whole, rest;
    unsigned depth;
    struct fault *f;
};

static int either(struct reader *r, const struct shape_ends *from, struct shape_ends *to);

static int complain(struct reader *r, const char *why)
{
    return fault(r->f, ERR_SYNTAX, "\"%s\" is no shape: %s", ESCAPED(r->whole), why);
}

static int ends_add(struct reader *r, struct shape_ends *e, uint16_t node)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->nodes[i] == node)
            return 0;
    if (e->n == ENDS_MAX)
        return fault(r->f, ERR_RANGE, "\"%s\" stands for more than %d codes", ESCAPED(r->whole),
                     ENDS_MAX);
    if (e->n == e->cap) {
        size_t cap = e->cap ? 2 * e->cap : 8;
        uint16_t *nodes = reallocarray(e->nodes, cap, sizeof(*nodes));

        if (!nodes)
            return fault_nomem(r->f);
        e->nodes = nodes;
        e->cap = cap;
    }
    e->nodes[e->n++] = node;
    return 0;
}

static int ends_join(struct reader *r, struct shape_ends *e, const struct shape_ends *more)
{
    for (size_t i = 0; i < more->n; i++) {
        int rc = ends_add(r, e, more->nodes[i]);

        if (rc)
            return rc;
    }
    if (e->longest < more->longest)
        e->longest = more->longest;
    return 0;
}

void shape_ends_free(struct shape_ends *ends)
{
    free(ends->nodes);
    *ends = (struct shape_ends){NULL, 0, 0, 0};
}

static bool at(const struct reader *r, char c)
{
    return r->rest.n && r->rest.p[0] == c;
}

static bool take(struct reader *r, char c)
{
    if (!at(r, c))
        return false;
    r->rest = span_skip(r->rest, 1);
    return true;
}

/* "13-5]": the set behind a '['. */
static int key_class(struct reader *r, unsigned *keys)
{
    unsigned set = 0;

    while (!take(r, ']')) {
        int from = r->rest.n ? trie_key(r->rest.p[0]) : -1;
        int to = from;

        if (from < 0)
            return complain(r, "a [ needs keys and a ]");
        r->rest = span_skip(r->rest, 1);
        if (take(r, '-')) {
            to = r->rest.n ? trie_key(r->rest.p[0]) : -1;
            if (to < from || to > 9)
                return complain(r, "a range in [ ] goes from a digit to a higher one");
            r->rest = span_skip(r->rest, 1);
        }
        for (int k = from; k <= to; k++)
            set |= 1u << k;
    }
    if (!set)
        return complain(r, "an empty [ ]");
    *keys = set;
    return 0;
}

/* The keys that one letter of a shape stands for, as a bit set. */
static int letter(struct reader *r, unsigned *keys)
{
    if (take(r, '['))
        return key_class(r, keys);
    if (take(r, '\\')) {
        if (!take(r, 'd'))
            return complain(r, "only a d may follow a backslash");
        *keys = 0x3ff;
        return 0;
    }
    char c = r->rest.n ? r->rest.p[0] : '\0';
    int key = trie_key(c);

    if (key >= 0)
        *keys = 1u << key;
    else if (c == 'X')
        *keys = 0x3ff;
    else if (c == 'Z')
        *keys = 0x3fe;
    else if (c == 'N')
        *keys = 0x3fc;
    else
        return complain(r, "allowed are 0-9 * # X Z N [ ] ( | ) ?");
    r->rest = span_skip(r->rest, 1);
    return 0;
}

static int step(struct reader *r, const struct shape_ends *from, unsigned keys,
                struct shape_ends *to)
{
    if (to->longest < from->longest + 1)
        to->longest = from->longest + 1;
    for (size_t i = 0; i < from->n; i++) {
        for (unsigned k = 0; k < TRIE_KEYS; k++) {
            uint16_t child;
            int rc;

            if (!(keys & 1u << k))
                continue;
            rc = trie_grow(r->trie, from->nodes[i], k, &child, r->f);
            if (rc == 0)
                rc = ends_add(r, to, child);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* A letter or a group, and the '?' behind it. */
static int piece(struct reader *r, const struct shape_ends *from, struct shape_ends *to)
{
    int rc;

    if (take(r, '(')) {
        if (take(r, '?') && !take(r, ':'))
            return complain(r, "a (? must go on with :");
        rc = either(r, from, to);
        if (rc == 0 && !take(r, ')'))
            rc = complain(r, "a ( needs its )");
    } else {
        unsigned keys = 0;

        rc = letter(r, &keys);
        if (rc == 0)
            rc = step(r, from, keys, to);
    }
    if (rc == 0 && take(r, '?'))
        rc = ends_join(r, to, from);
    return rc;
}

static int sequence(struct reader *r, const struct shape_ends *from, struct shape_ends *to)
{
    struct shape_ends here = {NULL, 0, 0, 0};
    int rc = ends_join(r, &here, from);

    while (rc == 0 && r->rest.n && !at(r, '|') && !at(r, ')')) {
        struct shape_ends next = {NULL, 0, 0, 0};

        rc = piece(r, &here, &next);
        shape_ends_free(&here);
        here = next;
    }
    if (rc == 0)
        rc = ends_join(r, to, &here);
    shape_ends_free(&here);
    return rc;
}

static int either(struct reader *r, const struct shape_ends *from, struct shape_ends *to)
{
    int rc;

    if (++r->depth > DEPTH_MAX)
        return complain(r, "groups in groups in groups");
    do {
        rc = sequence(r, from, to);
    } while (rc == 0 && take(r, '|'));
    r->depth--;
    return rc;
}

int shape_lay(struct trie *t, struct span shape, struct shape_ends *ends, struct fault *f)
{
    struct reader r = {.trie = t, .whole = shape, .rest = shape, .f = f};
    struct shape_ends root = {(uint16_t[]){0}, 1, 1, 0}, found = {NULL, 0, 0, 0};
    int rc = either(&r, &root, &found);

    if (rc == 0 && r.rest.n)
        rc = complain(&r, "a ) without its (");
    for (size_t i = 0; rc == 0 && i < found.n; i++)
        if (found.nodes[i] == 0)
            rc = complain(&r, "nothing at all would fit it");
    if (rc) {
        shape_ends_free(&found);
        return rc;
    }
    *ends = found;
    return 0;
}
