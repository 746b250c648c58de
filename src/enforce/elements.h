/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_ELEMENTS_H
#define SEKISHO_ENFORCE_ELEMENTS_H

#include "enforce/netlink.h"
#include "enforce/networks.h"
#include "enforce/table.h"

/* Elements of the table's sets, straight to and from the kernel. */

struct element {
    uint8_t key[16];
    uint64_t left_ms; /* 0: no end. Never above 0 where a set has no ends */
    bool end;         /* of ranges: the first address that is no longer within */
};

/* Into the transaction that has begun. False where it has no more room (then nothing was added). */
bool elements_put(struct netlink *nl, enum table_set set, const struct element *elements, size_t n);
/* The same, but the transaction fails with EEXIST where one is there already. */
bool elements_put_new(struct netlink *nl, enum table_set set, const struct element *elements,
                      size_t n);
bool elements_take(struct netlink *nl, enum table_set set, const struct element *elements,
                   size_t n);
bool elements_clear(struct netlink *nl, enum table_set set);

/* The whole set, in a transaction of its own: what was in it goes as the new comes. 0 or errno. */
int elements_replace(struct netlink *nl, enum table_set set, const struct element *elements,
                     size_t n);
/* The same with the ranges of a list; ends are `now_ms` away, and the set has none where `ends` is false. */
int elements_replace_ranges(struct netlink *nl, enum table_set set, const struct networks *list,
                            int64_t now_ms);

/* What NEWSETELEM and DELSETELEM messages of our table hold, from a dump or a notice. */
void elements_each(const struct nlmsghdr *message,
                   void (*each)(void *context, enum table_set set, const struct element *element),
                   void *context);

/* A question for all elements of the set. */
struct nlmsghdr *elements_question(struct netlink *nl, enum table_set set);
/* Whether that one is there, and how long still. 0, ENOENT, or another errno. */
int elements_look(struct netlink *nl, enum table_set set, struct element *element);
/* The ranges of an interval set are added to `list`, with ends from `now_ms` on. 0 or errno. */
int elements_read_ranges(struct netlink *nl, enum table_set set, struct networks *list,
                         int64_t now_ms);

#endif
