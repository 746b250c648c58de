/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_ATLAS_DRAW_H
#define SEKISHO_NUMBERING_ATLAS_DRAW_H

#include "base/fault.h"
#include "numbering/atlas_region.h"
#include "numbering/site_internal.h"

struct atlas {
    struct site plain; /* the plan alone */
    bool open_ended;   /* atlas_open_ended() */
    struct atlas_region *regions;
    size_t n, cap;
};

/* Fills the empty atlas of `plain`. On failure what was drawn stays, for atlas_free(). */
int atlas_draw(struct atlas *atlas, struct fault *f);

/* What is meant by `dialled` as a canonical form: by itself, or else as what + leads to. */
bool atlas_look_up(const struct site *site, struct span dialled, struct number *out);
struct atlas_traits atlas_traits_of(const struct number *number);

#endif
