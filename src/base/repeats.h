/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_REPEATS_H
#define SEKISHO_BASE_REPEATS_H

#include "base/address.h"

/*
 * For log lines about what an address does, so that who does it over and over does not fill the log: the
 * first time is told at once; what follows is counted, and told once a minute for as long as there is
 * something to tell. IPv6 counts by /64. Pure.
 *
 * At most REPEATS_MAX addresses are remembered. Beyond that the one that was told of the longest time ago
 * is forgotten, with what was counted since; its next time is a first time again. That many addresses
 * write a line each: what bounds them together is the log (log.h).
 */
#define REPEATS_MAX 64
#define REPEATS_QUIET_NS (60 * INT64_C(1000000000))

struct repeat {
    struct address address; /* as it was seen last */
    int64_t told_ns;
    uint64_t untold; /* times since */
};

struct repeats {
    struct repeat at[REPEATS_MAX];
    size_t n;
    int64_t due_ns; /* INT64_MAX: never; earlier than anything is due does no harm */
};

void repeats_begin(struct repeats *repeats);

/* One more time. True if it is to be told now. Whatever else is due is told first (repeats_due()). */
bool repeats_count(struct repeats *repeats, const struct address *address, int64_t boot_ns);

/* True if something was held back for a minute: who, and how often since the last line. To be called
 * until it is false. */
bool repeats_due(struct repeats *repeats, int64_t boot_ns, struct address *address,
                 uint64_t *times);

/* When repeats_due() is to be called; INT64_MAX: never. */
static inline int64_t repeats_due_ns(const struct repeats *repeats)
{
    return repeats->due_ns;
}

#endif
