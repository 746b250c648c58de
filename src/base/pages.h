/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_PAGES_H
#define SEKISHO_BASE_PAGES_H

#include <stddef.h>

/*
 * Memory for tables that are read at random: zeroed, aligned to a cache line, and from some megabytes
 * on in huge pages where the kernel has them, which spares half of the waits for page tables. Without
 * any they are pages as all others.
 */

/* NULL without memory. `size` > 0. */
void *pages_new(size_t size);

/* The same, and pages_present() at once. */
void *pages_new_present(size_t size);

/* Has the kernel give and clear all of it now: who writes to it first does not wait for that, a millisecond for each huge
 * page. What stands there stays. Nobody else may write to it meanwhile. */
void pages_present(void *p, size_t size);

/* Of the same size. NULL is fine. */
void pages_free(void *p, size_t size);

#endif
