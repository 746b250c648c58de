/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_ACCOUNTS_H
#define SEKISHO_POLICY_ACCOUNTS_H

#include "base/fault.h"
#include "policy/account_hash.h"
#include "policy/profile.h"

/*
 * The snapshot's table of accounts: open addressing, for one writer and readers under RCU. An entry's
 * hash and id never change while it can be read, only its profile does, which is one pointer. What
 * is removed leaves a tombstone; when the table is full of entries and tombstones, a new one takes
 * its place.
 *
 * A slot has 32 bytes, so that two are a cache line and none lies on two; a search begins at the first
 * of its line, so that most need no other. At least 60 % of a table that has grown are
 * entries: 37 bytes an account beyond the 16 of the hash.
 */

struct account_slot {
    struct account_hash hash;
    int64_t id;
    const struct profile *profile; /* NULL: never used; accounts_gone: a tombstone */
};

struct accounts {
    size_t capacity; /* slots, an even number */
    size_t used;     /* entries and tombstones */
    size_t live;     /* entries */
    struct accounts *next_retired;
    struct account_slot *slots;
};

/* Room for `n` entries. */
int accounts_new(struct accounts **out, size_t n, struct fault *f);
/* Frees the table, not the profiles. NULL is fine. */
void accounts_free(struct accounts *table);

/* For readers who will search soon: has the place of `hash` brought near meanwhile. Does not wait. */
void accounts_touch(const struct accounts *table, const struct account_hash *hash);

/* For readers: the profile, and the id in `id`; NULL where there is none. */
const struct profile *accounts_find(const struct accounts *table, const struct account_hash *hash,
                                    int64_t *id);

/* For readers with several questions, between the two above: looks at the first line only. False where
 * that is not enough; then the next line is on its way, and accounts_find() is to be called. */
bool accounts_look(const struct accounts *table, const struct account_hash *hash,
                   const struct profile **out, int64_t *id);

/* Whether `n` further entries fit. */
bool accounts_fit(const struct accounts *table, size_t n);
/* A table with the entries of `table` and room for `n` more and some growth. */
int accounts_grown(const struct accounts *table, size_t n, struct accounts **out, struct fault *f);

/* For the writer, where it fits: the profile that was replaced, or NULL. */
const struct profile *accounts_put(struct accounts *table, const struct account_hash *hash,
                                   int64_t id, const struct profile *profile);
const struct profile *accounts_remove(struct accounts *table, const struct account_hash *hash);

/* Calls `each` with the profile of every entry. */
void accounts_each(const struct accounts *table, void (*each)(void *arg, const struct profile *p),
                   void *arg);

#endif
