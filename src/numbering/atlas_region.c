/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/atlas_region.h"

bool atlas_traits_equal(const struct atlas_traits *a, const struct atlas_traits *b)
{
    return a->class == b->class && a->kind == b->kind && a->risk == b->risk &&
           a->country == b->country && a->open_ended == b->open_ended;
}

int atlas_region_order(const struct atlas_region *r, struct span prefix)
{
    size_t n = r->n < prefix.n ? r->n : prefix.n;
    int order = n ? memcmp(r->prefix, prefix.p, n) : 0;

    return order ? order : r->n < prefix.n ? -1 : 0;
}
