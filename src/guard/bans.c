/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/bans.h"

#include <string.h>

#include "base/fault.h"
#include "base/pages.h"

int bans_init(struct bans *b, size_t bytes)
{
    size_t slots = bytes / (sizeof(struct ban) + sizeof(uint32_t));

    *b = (struct bans){
        .slots = slots < 64 ? 64 : (uint32_t)slots, .free = BANS_NONE, .due = UINT32_MAX};
    b->at = pages_new(b->slots * sizeof(*b->at));
    b->heads = pages_new(b->slots * sizeof(*b->heads));
    if (!b->at || !b->heads) {
        bans_free(b);
        return ERR_NOMEM;
    }
    memset(b->heads, 0xff, b->slots * sizeof(*b->heads));
    return 0;
}

void bans_free(struct bans *b)
{
    pages_free(b->at, b->slots * sizeof(*b->at));
    pages_free(b->heads, b->slots * sizeof(*b->heads));
    *b = (struct bans){0};
}

void bans_present(struct bans *b)
{
    pages_present(b->at, b->slots * sizeof(*b->at));
    pages_present(b->heads, b->slots * sizeof(*b->heads));
}

size_t bans_bytes(const struct bans *b)
{
    return b->slots * (sizeof(*b->at) + sizeof(*b->heads));
}

static uint32_t *head_of(const struct bans *b, const struct keys *keys,
                         const struct network *network, bool observed)
{
    uint64_t key = keys_network(keys, network, observed ? 'o' : 'b');

    return &b->heads[(key >> 32) * b->slots >> 32];
}

static bool same(const struct network *a, const struct network *b)
{
    return a->family == b->family && a->bits == b->bits && memcmp(a->ip, b->ip, 16) == 0;
}

struct ban *bans_find(const struct bans *b, const struct keys *keys, const struct network *network,
                      bool observed)
{
    for (uint32_t i = *head_of(b, keys, network, observed); i != BANS_NONE; i = b->at[i].next)
        if (b->at[i].observed == observed && same(&b->at[i].network, network))
            return &b->at[i];
    return NULL;
}

struct ban *bans_covering(const struct bans *b, const struct keys *keys,
                          const struct network *network, bool observed, uint32_t t)
{
    const uint32_t *of_bits = b->of_bits[network->family == 6];
    struct address address = {.family = network->family};

    memcpy(address.ip, network->ip, sizeof(address.ip));
    for (unsigned bits = 0; bits <= network->bits; bits++) {
        struct network wider;
        struct ban *ban;

        if (!of_bits[bits])
            continue;
        wider = keys_around(&address, (uint8_t)bits);
        ban = bans_find(b, keys, &wider, observed);
        if (ban && ban_active(ban, t))
            return ban;
    }
    return NULL;
}

/* Memories of what has ended go, once a second at most: they are all gone then. */
static void make_room(struct bans *b, const struct keys *keys, uint32_t t)
{
    if (b->swept == t)
        return;
    b->swept = t;
    for (uint32_t i = 0; i < b->touched; i++)
        if (b->at[i].network.family && !ban_active(&b->at[i], t))
            bans_drop(b, keys, &b->at[i]);
}

struct ban *bans_take(struct bans *b, const struct keys *keys, const struct network *network,
                      bool observed, uint32_t t)
{
    struct ban *ban = bans_find(b, keys, network, observed);
    uint32_t *head, i;

    if (ban)
        return ban;
    if (b->used == b->slots)
        make_room(b, keys, t);
    if (b->used == b->slots)
        return NULL;
    if (b->free != BANS_NONE) {
        i = b->free;
        b->free = b->at[i].next;
    } else {
        i = b->touched++;
    }
    head = head_of(b, keys, network, observed);
    ban = &b->at[i];
    *ban = (struct ban){.network = *network, .observed = observed, .next = *head};
    *head = i;
    b->used++;
    b->of_bits[network->family == 6][network->bits]++;
    return ban;
}

bool bans_begin(struct bans *b, struct ban *ban, bool quench, uint32_t t, uint32_t length)
{
    if (quench && b->quenches >= b->slots / 4)
        return false;
    bans_end(b, ban);
    ban->active = true;
    ban->quench = quench;
    ban->told_heard = false;
    ban->heard = 0;
    ban->since = t;
    ban->length = length;
    ban->until = length && length < BAN_FOREVER - t ? t + length : BAN_FOREVER;
    b->quenches += quench;
    if (ban->until < b->due)
        b->due = ban->until;
    return true;
}

void bans_end(struct bans *b, struct ban *ban)
{
    b->quenches -= ban->active && ban->quench;
    ban->active = false;
}

void bans_drop(struct bans *b, const struct keys *keys, struct ban *ban)
{
    uint32_t i = (uint32_t)(ban - b->at);
    uint32_t *link = head_of(b, keys, &ban->network, ban->observed);

    bans_end(b, ban);
    while (*link != i)
        link = &b->at[*link].next;
    *link = ban->next;
    b->of_bits[ban->network.family == 6][ban->network.bits]--;
    b->used--;
    *ban = (struct ban){.next = b->free};
    b->free = i;
}

struct ban *bans_at(const struct bans *b, size_t slot)
{
    return b->at[slot].network.family ? &b->at[slot] : NULL;
}
