/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/nonces.h"

#include <stdlib.h>

#include "base/pages.h"
#include "intake/keyed_hash.h"

/* Of a nonce, and of each pair of a shared one and an address. */
struct entry {
    uint64_t id; /* 0: free */
    uint64_t to;
    uint64_t realm;
    int64_t sent_ns;
    bool shared; /* others may have it too */
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

/* What stands for a shared nonce at one address. */
static uint64_t pair_id(uint64_t id, uint64_t destination)
{
    uint64_t pair = id ^ (destination << 17 | destination >> 47);

    return pair ? pair : 1;
}

static struct entry *put(struct nonces *n, uint64_t id, int64_t boot_ns)
{
    struct entry *e = &n->entries[id % n->buckets * NONCES_WAYS];

    for (struct entry *other = e + 1, *end = e + NONCES_WAYS; other < end; other++)
        if (gives_way(other, e, boot_ns))
            e = other;
    *e = (struct entry){.id = id, .sent_ns = boot_ns};
    return e;
}

static void put_pair(struct nonces *n, uint64_t id, uint64_t destination, bool came,
                     int64_t boot_ns)
{
    uint64_t pair = pair_id(id, destination);
    struct entry *e = find(n, pair, boot_ns);

    if (!e)
        e = put(n, pair, boot_ns);
    e->sent_ns = boot_ns;
    e->came |= came;
}

bool nonces_sent(struct nonces *n, uint64_t id, const struct address *to, struct span realm,
                 bool shared, int64_t boot_ns)
{
    uint64_t destination = hash_address(n, to), first;
    struct entry *e = find(n, id, boot_ns);
    bool came, was_shared;

    if (!e) {
        e = put(n, id, boot_ns);
        e->to = destination;
        e->realm = nonces_realm_id(n, realm);
    }
    e->sent_ns = boot_ns;
    shared |= e->to != destination;
    if (!shared && !e->shared)
        return false;
    was_shared = e->shared;
    first = e->to;
    came = e->came;
    e->shared = true;
    /* From here on another entry may be in its place. */
    if (!was_shared && first != destination)
        put_pair(n, id, first, came, boot_ns);
    put_pair(n, id, destination, false, boot_ns);
    return true;
}

enum nonce_found nonces_came(struct nonces *n, uint64_t id, const struct address *from,
                             int64_t boot_ns)
{
    struct entry *e = find(n, id, boot_ns), *pair;
    uint64_t source = hash_address(n, from);

    if (!e)
        return NONCE_UNKNOWN;
    if (e->shared) {
        pair = find(n, pair_id(id, source), boot_ns);
        if (!pair)
            return NONCE_ELSEWHERE;
        pair->came = e->came = true;
        return NONCE_SHARED;
    }
    if (e->to != source)
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

bool nonces_unused(const struct nonces *n, uint64_t id, const struct address *to, int64_t boot_ns)
{
    uint64_t destination = hash_address(n, to);
    const struct entry *e = find(n, id, boot_ns);

    if (e && e->shared)
        e = find(n, pair_id(id, destination), boot_ns);
    else if (e && e->to != destination)
        return false;
    return e && !e->came;
}

/* ---- */

#define OF_SECOND_LETTERS 32 /* 24 bytes: two times of four each and an MD5 */
#define DAY_S 86400

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool nonces_of_second(struct span nonce, int64_t wall_s)
{
    uint64_t bits = 0;
    int64_t ends, begins;

    if (nonce.n != OF_SECOND_LETTERS)
        return false;
    for (size_t i = 0; i < nonce.n; i++) {
        int value = base64_value(nonce.p[i]);

        if (value < 0)
            return false;
        if (i < 10) /* sixty bits, of which the times take all */
            bits = bits << 6 | (uint64_t)value;
        else if (i == 10)
            bits = bits << 4 | (uint64_t)value >> 2;
    }
    ends = (int64_t)(bits >> 32);
    begins = (int64_t)(bits & UINT32_MAX);
    return begins >= wall_s - DAY_S && begins <= wall_s + DAY_S && ends >= begins &&
           ends <= begins + DAY_S;
}
