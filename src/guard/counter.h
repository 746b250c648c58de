/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_COUNTER_H
#define SEKISHO_GUARD_COUNTER_H

#include "guard/attempt.h"

/*
 * How many attempts within the last `window` seconds, each witness for itself.
 *
 * The window has four parts; the oldest falls out when a new one begins. So what happened within the last
 * three quarters of the window always counts, and what is older than the window never does. A part counts
 * to 255. Zeroed memory is a counter of nothing. `t` is in seconds and never goes back; the window must be the
 * same in all calls, at least COUNTER_PARTS seconds.
 */
#define COUNTER_PARTS 4

struct counter {
    uint32_t part;            /* number of the current part since t = 0 */
    uint32_t seen[WITNESSES]; /* the parts, a byte each, the current one lowest */
};

/* One more by this witness. */
void counter_add(struct counter *counter, uint32_t t, uint32_t window, enum witness witness);
/* What one witness has counted by parts, as `seen` is at `t`; and such parts set again as those of `t`, after a
 * restart. */
uint32_t counter_parts(const struct counter *counter, uint32_t t, uint32_t window,
                       enum witness witness);
void counter_set(struct counter *counter, uint32_t t, uint32_t window, enum witness witness,
                 uint32_t parts);
/* How many they are together. */
uint32_t counter_sum(uint32_t parts);
/* Of one witness, in the parts that began after `since`: never more than happened since. */
uint32_t counter_since(const struct counter *counter, uint32_t t, uint32_t window,
                       enum witness witness, uint32_t since);
/* Of one witness. */
uint32_t counter_of(const struct counter *counter, uint32_t t, uint32_t window,
                    enum witness witness);
/* The largest of all witnesses. */
uint32_t counter_most(const struct counter *counter, uint32_t t, uint32_t window);

#endif
