/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE ((size_t)64)
#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE (2 * HUGE_PAGE)       /* less has hardly a whole one */
#define ANY_PAGE ((size_t)64 << 10) /* a multiple of what any machine calls a page */
#define SMALL_PAGE ((size_t)4 << 10)

static size_t round_up(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

/* A kernel joins only pages that lie as a huge one does: one is mapped too much, and cut off. What is left behind
 * the last whole one stays in small pages, of which none is unused. */
static void *map(size_t size)
{
    size_t whole = round_up(size, ANY_PAGE), before;
    char *p =
        mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    before = round_up((uintptr_t)p, HUGE_PAGE) - (uintptr_t)p;
    if (before > 0)
        munmap(p, before);
    munmap(p + before + whole, HUGE_PAGE - before);
    /* A refusal leaves pages of the usual size. */
    (void)madvise(p + before, whole, MADV_HUGEPAGE);
    return p + before;
}

void *pages_new(size_t size)
{
    void *p;

    if (size > SIZE_MAX / 2)
        return NULL;
    if (size >= LARGE)
        return map(size);
    size = round_up(size, CACHE_LINE);
    p = aligned_alloc(CACHE_LINE, size);
    if (p)
        memset(p, 0, size);
    return p;
}

/* One byte of each of the smallest pages: which are huge the kernel alone knows. The first touch has to be a write: a read
 * would map the page of zeros that all share, and a write behind it a small one of our own. */
void pages_present(void *p, size_t size)
{
    unsigned char *bytes = p;

    for (size_t i = 0; size >= LARGE && i < size; i += SMALL_PAGE)
        __atomic_fetch_or(&bytes[i], 0, __ATOMIC_RELAXED);
}

void *pages_new_present(size_t size)
{
    void *p = pages_new(size);

    if (p)
        pages_present(p, size);
    return p;
}

void pages_free(void *p, size_t size)
{
    if (size >= LARGE && p)
        munmap(p, round_up(size, ANY_PAGE));
    else
        free(p);
}
