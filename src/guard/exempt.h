/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_EXEMPT_H
#define SEKISHO_GUARD_EXEMPT_H

#include "guard/keys.h"

/*
 * Whom the guard never drops: never-ban networks (the operator's, loopback, the machine's own addresses) and
 * trunks (what the switch registers or sends to; proxies, behind which everybody has one address). What overlaps a
 * listed network is not banned either. Loopback, link-local and what is no sender's address (0.0.0.0,
 * multicast) are always exempt.
 */
enum exempt { EXEMPT_NONE, EXEMPT_NEVER_BAN, EXEMPT_TRUNK };

#define EXEMPT_MAX 1024

struct exempts {
    size_t n;
    struct exempt_network {
        struct network network;
        enum exempt why;
    } at[EXEMPT_MAX];
};

/* Replaces the list of one kind. ERR_RANGE beyond EXEMPT_MAX together: the list stays as it is. */
int exempts_set(struct exempts *exempts, enum exempt why, const struct network *networks, size_t n,
                struct fault *f);

/* Whether `network` is inside of a listed one, or has one inside. A trunk before never-ban. */
enum exempt exempts_of(const struct exempts *exempts, const struct network *network);

/* Whether the first bits of both that they have in common are the same. */
bool exempts_overlap(const struct network *a, const struct network *b);

#endif
