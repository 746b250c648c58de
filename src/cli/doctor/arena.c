/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE (256u << 10)

struct block {
    struct block *next;
    size_t used, size;
    max_align_t bytes[];
};

struct arena {
    struct block *blocks;
};

static void *or_die(void *p)
{
    if (!p) {
        fputs("sekisho: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

struct arena *arena_new(void)
{
    return or_die(calloc(1, sizeof(struct arena)));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->blocks) {
        struct block *b = a->blocks;

        a->blocks = b->next;
        free(b);
    }
    free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t need = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct block *b = a->blocks;

    if (!b || b->size - b->used < need) {
        size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;

        b = or_die(calloc(1, sizeof(*b) + size));
        b->size = size;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = (char *)b->bytes + b->used;
    b->used += need;
    return p;
}

struct span arena_copy(struct arena *a, struct span s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct span){p, s.n};
}

const char *arena_format(struct arena *a, const char *format, ...)
{
    struct span text = {NULL, 0};
    char *line = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&line, format, args);
    va_end(args);
    if (n >= 0)
        text = (struct span){line, (size_t)n};
    text = arena_copy(a, text);
    free(line);
    return text.p;
}

/* Sizes are powers of two, so that the array moves only when it is full. */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
    if (n && (n & (n - 1)))
        return array;
    void *grown = arena_alloc(a, (n ? 2 * n : 1) * size);
    if (n)
        memcpy(grown, array, n * size);
    return grown;
}
