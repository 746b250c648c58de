/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_ATLAS_REGION_H
#define SEKISHO_NUMBERING_ATLAS_REGION_H

#include "numbering/number.h"

/* What all numbers of a region are. */
struct atlas_traits {
    enum number_class class; /* NATIONAL … INTERNATIONAL, or EMERGENCY */
    enum number_kind kind;
    enum number_risk risk;
    const struct country *country; /* NULL where the numbers have none (short codes) */
    /* The call goes on to wherever an operator is told: the prefix is only where rules begin. */
    bool open_ended;
};

bool atlas_traits_equal(const struct atlas_traits *a, const struct atlas_traits *b);

#define ATLAS_PREFIX_MAX 31 /* keys; longer numbers are not in it */

/*
 * Numbers that begin with `prefix` and have one of `lengths` keys in all (bit n: n keys; never 0).
 * Of what begins so and is so long, every string is either such a number or no number at all, and some
 * are. No two regions share a string. Regions with the same prefix have no length in common; a region below
 * another prefix begins where that has no length left: a number that stands alone at the beginning of
 * others ("100") is a region with its own length only.
 */
struct atlas_region {
    char prefix[ATLAS_PREFIX_MAX + 1];
    uint8_t n; /* keys of the prefix */
    uint32_t lengths;
    struct atlas_traits traits;
};

/* How a region's prefix stands to `prefix` where both are cut to its length: 0 where the region begins with it. */
int atlas_region_order(const struct atlas_region *r, struct span prefix);

#endif
