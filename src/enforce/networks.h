/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_NETWORKS_H
#define SEKISHO_ENFORCE_NETWORKS_H

#include "base/address.h"

/*
 * A bounded list of networks of one family, each with an end. Networks may lie in one another, which the
 * kernel's interval sets do not allow: networks_draw() makes ranges of them that do not overlap, each
 * lasting as long as the longest of those that cover it. Pure. Zero-initialised is empty.
 */
#define NETWORKS_MAX 1024
#define NETWORKS_RANGES_MAX (2 * NETWORKS_MAX)
#define NETWORKS_FOREVER INT64_MAX

struct networks {
    size_t n;
    struct networks_entry {
        struct network network;
        int64_t end_ms; /* in whatever clock the caller uses */
    } of[NETWORKS_MAX]; /* by address, the wider first */
};

struct networks_range {
    uint8_t first[16], last[16]; /* both within */
    int64_t end_ms;
};

/* Adds the network, or gives it another end. ERR_FULL. */
int networks_add(struct networks *list, const struct network *network, int64_t end_ms);
/* Exactly this network; whether it was there. */
bool networks_remove(struct networks *list, const struct network *network);
/* Forgets what has ended by `now_ms`; whether there was such. */
bool networks_expire(struct networks *list, int64_t now_ms);
/* Whether all of `network` lies within one of the list. */
bool networks_cover(const struct networks *list, const struct network *network);
/* Returns how many ranges were drawn, ascending: at most twice as many as there are networks, less one. */
size_t networks_draw(const struct networks *list, struct networks_range *out);
/* Adds the fewest networks that make up the range. ERR_FULL. */
int networks_add_range(struct networks *list, uint8_t family, const struct networks_range *range);

#endif
