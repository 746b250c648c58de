/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_FAILALLOC_H
#define SEKISHO_TESTS_FAILALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes memory run out at a chosen point. A test that has failalloc_dep among its dependencies is
 * linked with malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign, strdup, strndup,
 * asprintf and vasprintf wrapped: allocations that our own code makes are counted and refused, those
 * inside of shared libraries are not. It counts per thread: arm it on the thread that allocates.
 *
 *     for (size_t n = 0;; n++) {
 *         failalloc_after(n);
 *         int err = thing_do(...);
 *         if (!failalloc_off()) {
 *             assert_int_equal(err, 0);
 *             break;
 *         }
 *         assert_int_equal(err, ERR_NOMEM);
 *         assert that the old state stands
 *     }
 */

/* The next `n` allocations of this thread succeed, all after them fail. */
void failalloc_after(size_t n);

/* The next `n` succeed, one fails, all after it succeed: for code that goes on after a failure. */
void failalloc_once(size_t n);

/* Allocations succeed again. Whether any failed since failalloc_after() or failalloc_once(). */
bool failalloc_off(void);

#endif
