/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/nonces.h"

#include <stdlib.h>

#include "base/pages.h"
#include "intake/keyed_hash.h"

struct entry {
    uint64_t id; /* 0: free */
    uint64_t to;
    uint64_t realm;
    int64_t sent_ns;
    bool shared; /* went out to several */
    bool came;
};

struct nonces {
    uint8_t key[16];
    size_t buckets;
    struct entry *entries;
};

struct nonces *nonces_new(size_t buckets, const uint8_t key[16])
{
    struct nonces *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    n->buckets = buckets;
    n->entries = pages_new_present(buckets * NONCES_WAYS * sizeof(*n->entries));
    if (!n->entries) {
        nonces_free(n);
        return NULL;
    }
    memcpy(n->key, key, sizeof(n->key));
    return n;
}

void nonces_free(struct nonces *n)
{
    if (!n)
        return;
    pages_free(n->entries, n->buckets * NONCES_WAYS * sizeof(*n->entries));
    free(n);
}

static uint64_t hash_address(const struct nonces *n, const struct address *a)
{
    return keyed_hash(n->key, a->family, (struct span){(const char *)a->ip, sizeof(a->ip)});
}

uint64_t nonces_id(const struct nonces *n, int64_t switch_id, struct span nonce)
{
    return keyed_hash(n->key, (uint64_t)switch_id, nonce);
}

static struct entry *find(const struct nonces *n, uint64_t id, int64_t boot_ns)
{
    struct entry *ways = &n->entries[id % n->buckets * NONCES_WAYS];

    for (size_t i = 0; i < NONCES_WAYS; i++)
        if (ways[i].id == id && boot_ns - ways[i].sent_ns < NONCES_KEPT_NS)
            return &ways[i];
    return NULL;
}

static bool gives_way(const struct entry *a, const struct entry *b, int64_t boot_ns)
{
    bool gone_a = !a->id || boot_ns - a->sent_ns >= NONCES_KEPT_NS;
    bool gone_b = !b->id || boot_ns - b->sent_ns >= NONCES_KEPT_NS;

    if (gone_a || gone_b)
        return gone_a && !gone_b;
    return a->came != b->came ? !a->came : a->sent_ns < b->sent_ns;
}

void nonces_sent(struct nonces *n, uint64_t id, const struct address *to, struct span realm,
                 int64_t boot_ns)
{
    uint64_t destination = hash_address(n, to);
    struct entry *e = find(n, id, boot_ns);

    if (e) {
        e->shared |= e->to != destination;
        e->sent_ns = boot_ns;
        return;
    }
    e = &n->entries[id % n->buckets * NONCES_WAYS];
    for (struct entry *other = e + 1, *end = e + NONCES_WAYS; other < end; other++)
        if (gives_way(other, e, boot_ns))
            e = other;
    *e = (struct entry){
        .id = id, .to = destination, .realm = nonces_realm_id(n, realm), .sent_ns = boot_ns};
}

enum nonce_found nonces_came(struct nonces *n, uint64_t id, const struct address *from,
                             int64_t boot_ns)
{
    struct entry *e = find(n, id, boot_ns);

    if (!e)
        return NONCE_UNKNOWN;
    if (e->shared || e->to != hash_address(n, from))
        return NONCE_ELSEWHERE;
    e->came = true;
    return NONCE_HERE;
}

uint64_t nonces_realm_id(const struct nonces *n, struct span realm)
{
    return keyed_hash(n->key, 0, realm);
}

uint64_t nonces_realm(const struct nonces *n, uint64_t id, int64_t boot_ns)
{
    const struct entry *e = find(n, id, boot_ns);

    return e ? e->realm : 0;
}

bool nonces_unused(const struct nonces *n, uint64_t id, int64_t boot_ns)
{
    const struct entry *e = find(n, id, boot_ns);

    return e && !e->came && !e->shared;
}
