/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_LIFTS_H
#define SEKISHO_DAEMON_GUARD_LIFTS_H

#include "base/address.h"
#include "store/store.h"

/*
 * The operator's bans that somebody lifted by hand, in the kernel: on their way into the store, so that they do not come
 * back with the next start. For the guard's thread, which does not wait for the disk.
 */
struct guard_lifts;

int guard_lifts_new(struct guard_lifts **out, struct fault *f);
/* When the store is closed. */
void guard_lifts_free(struct guard_lifts *lifts);

/* Takes one, which stood by the operator's change `seen`: what he has ordered since stays. There is room for as many as the operator may have; without memory it is told in the log. */
void guard_lifts_add(struct guard_lifts *lifts, int64_t seen, const struct network *network);
/* Writes what waits, unless something is being written. What the store does not take is tried again. */
void guard_lifts_write(struct guard_lifts *lifts, struct store *store);

#endif
