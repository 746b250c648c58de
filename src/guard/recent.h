/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_RECENT_H
#define SEKISHO_GUARD_RECENT_H

#include "guard/table.h"

/*
 * What happened a moment ago and counts for a while: credentials that were seen, proofs that vouch, notices that
 * were given, pairs that are refused. When a bucket is full, the one that would end soonest gives way.
 */
struct recent {
    uint64_t key;
    uint32_t until;
    uint8_t n[4]; /* the user's */
};

static inline int recent_init(struct table *table, size_t bytes)
{
    return table_init(table, bytes, sizeof(struct recent), 0);
}

/* NULL when it is not there, or over. */
struct recent *recent_find(const struct table *table, uint64_t key, uint32_t t);
/* Begins it anew, with n = 0. */
struct recent *recent_begin(struct table *table, uint64_t key, uint32_t t, uint32_t seconds);
/* True the first time within `seconds`. */
bool recent_first(struct table *table, uint64_t key, uint32_t t, uint32_t seconds);

#endif
