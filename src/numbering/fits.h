/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_FITS_H
#define SEKISHO_NUMBERING_FITS_H

#include "numbering/site_internal.h"

/* A code of the plan, and how many keys at the front of the string fitted its shape. */
struct fit {
    const struct code *code;
    size_t n;
};

/* The shapes of a plan, and of every plan, that fit the front of a string: the longest last. */
#define FITS_MAX (2 * PLAN_SHAPE_MAX)
struct fits {
    struct fit strip[FITS_MAX], whole[FITS_MAX];
    size_t n_strip, n_whole;
    bool begins; /* the whole string is the beginning of a longer shape */
};

void fits_find(const struct site *site, struct span keys, struct fits *found);

/* Is a string of n keys as long as the code says? A row without lengths is exactly its shape. */
enum length { LENGTH_SHORT, LENGTH_RIGHT, LENGTH_WRONG };
enum length fit_length(const struct fit *fit, size_t n);

#endif
