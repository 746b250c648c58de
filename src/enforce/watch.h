/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_WATCH_H
#define SEKISHO_ENFORCE_WATCH_H

#include "enforce/elements.h"

/*
 * Hears what others do to the table (`flush ruleset`, `nft delete element` …), from the kernel's notices.
 * What this process does itself by `own` is not heard: the kernel drops it before it is queued, so that
 * a hundred thousand bans cannot hide one `flush ruleset`.
 */
struct watch;

struct watch_heard {
    bool rules; /* a table, chain, rule, set or counter of ours came or went */
    bool lost;  /* notices were lost: anything may have happened */
};

int watch_open(struct watch **out, const struct netlink *own, struct fault *f);
void watch_close(struct watch *watch);
int watch_descriptor(const struct watch *watch);

/* Reads all that is there, without waiting. Elements that others took away go to `taken`. */
struct watch_heard watch_read(struct watch *watch,
                              void (*taken)(void *context, enum table_set set,
                                            const struct element *element),
                              void *context);

#endif
