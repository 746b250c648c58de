/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/penalties.h"

#include <sodium.h>
#include <stdlib.h>

#define SETS 512
#define WAYS 4
#define REFILL_NS (PENALTIES_REFILL_S * INT64_C(1000000000))

struct slot {
    uint8_t family; /* of an empty slot 0xff */
    uint8_t ip[16];
    int64_t full_ns; /* when nothing counts any more; each wrong token adds REFILL_NS */
};

struct penalties {
    unsigned char key[16];
    struct slot slots[SETS][WAYS];
};

int penalties_new(struct penalties **out, const unsigned char key[16], struct fault *f)
{
    struct penalties *p = calloc(1, sizeof(*p));

    if (!p)
        return fault_nomem(f);
    memcpy(p->key, key, sizeof(p->key));
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < WAYS; j++)
            p->slots[i][j].family = 0xff;
    }
    *out = p;
    return 0;
}

void penalties_free(struct penalties *p)
{
    free(p);
}

static struct slot *find(struct penalties *p, const struct slot *wanted)
{
    unsigned char hash[crypto_shorthash_BYTES];
    struct slot *set;
    struct slot *oldest;

    crypto_shorthash(hash, wanted->ip, sizeof(wanted->ip), p->key);
    set = p->slots[(hash[0] | hash[1] << 8) % SETS];
    oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].family == wanted->family &&
            memcmp(set[i].ip, wanted->ip, sizeof(wanted->ip)) == 0)
            return &set[i];
        if (set[i].full_ns < oldest->full_ns)
            oldest = &set[i];
    }
    *oldest = *wanted;
    return oldest;
}

unsigned penalties_wrong(struct penalties *p, const struct address *from, int64_t boot_ns)
{
    struct slot wanted = {.family = from->family};
    struct slot *slot;
    int64_t wait;

    memcpy(wanted.ip, from->ip, from->family == 6 ? 8 : 4);
    slot = find(p, &wanted);
    if (slot->full_ns < boot_ns)
        slot->full_ns = boot_ns;
    wait = slot->full_ns + REFILL_NS - boot_ns - PENALTIES_BURST * REFILL_NS;
    if (wait > 0)
        return (unsigned)((wait + 999999999) / 1000000000);
    slot->full_ns += REFILL_NS;
    return 0;
}
