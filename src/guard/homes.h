/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_HOMES_H
#define SEKISHO_GUARD_HOMES_H

#include "guard/keys.h"
#include "guard/table.h"

/*
 * What is registered at an address (of IPv6: in a /64, and in a /48): the accounts that lately succeeded there, up
 * to eight, and how many pairs of account and source make it known good. Only successes make entries. An entry
 * that is known good is not pushed out; what is merely registered gives way to it.
 */
#define HOME_ACCOUNTS 8
#define HOME_CARRIES_S (24 * 3600u) /* how long a success counts as registered */

struct home {
    uint64_t key;
    uint32_t good;                   /* pairs that are known good */
    uint16_t good_day;               /* of their last success */
    uint16_t idle_days;              /* when they end without any */
    uint32_t account[HOME_ACCOUNTS]; /* parts of keys */
    uint16_t quarter[HOME_ACCOUNTS]; /* quarters of an hour, 0: free */
};

static inline int homes_init(struct table *homes, size_t bytes)
{
    return table_init(homes, bytes, sizeof(struct home), 0);
}

/* NULL: nothing is registered there. */
const struct home *homes_find(const struct table *homes, const struct keys *keys,
                              const struct network *network);
/* A success without a failure before it. Nothing happens when there is no room. */
void homes_carry(struct table *homes, const struct keys *keys, const struct network *network,
                 uint64_t account, uint32_t t);
/* A pair became known good, or has a success on another day. False when there is no room: it must not become good. */
bool homes_good(struct table *homes, const struct keys *keys, const struct network *network,
                uint16_t day, uint32_t idle_days, bool one_more, uint32_t t);
/* A pair is no longer. */
void homes_not_good(struct table *homes, const struct keys *keys, const struct network *network);

bool home_is_good(const struct home *home, uint16_t day); /* NULL: false */
/* Accounts registered there but for this one; NULL: 0. */
uint32_t home_carries(const struct home *home, uint64_t but, uint32_t t);

#endif
