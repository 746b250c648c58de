/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_ARENA_H
#define SEKISHO_CLI_DOCTOR_ARENA_H

#include "base/span.h"

/*
 * Memory that is given back as a whole. The doctor reads, says what it found and is gone: where memory
 * runs out it says so and ends the process with exit status 1 instead of giving an error to every
 * caller. For the command only.
 */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);

/* Zeroed, aligned for anything. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy with a NUL behind it. */
struct span arena_copy(struct arena *a, struct span s);
__attribute__((format(printf, 2, 3))) const char *arena_format(struct arena *a, const char *format,
                                                               ...);

/* Makes room for one element more in an array of `n` and gives the place: `p` moves. */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);
#define ARENA_ADD(a, array, n)                                                                     \
    (*((array) = arena_grow((a), (array), (n), sizeof(*(array))), (n)++, (array) + (n)-1))

#endif
