/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_ARENA_H
#define SEKISHO_STORE_ARENA_H

#include "base/span.h"

/* Memory that is given back all at once: what one job hands out. Zero-initialised is empty. */
struct arena {
    struct arena_block *blocks;
    size_t used; /* of the first block */
};

/* Aligned for anything, zeroed; NULL when there is no memory. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy with a NUL behind it. `*ok` becomes false when there is no memory, and is not touched
 * otherwise: check once, at the end. */
struct span arena_copy(struct arena *a, struct span s, bool *ok);
void arena_free(struct arena *a);

#endif
