/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_SIZE 16384

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);

    if (size > (size_t)-1 / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    if (!a->blocks || size > a->blocks->size - a->used) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct arena_block *b = malloc(sizeof(*b) + room);
        if (!b)
            return NULL;
        *b = (struct arena_block){.next = a->blocks, .size = room};
        a->blocks = b;
        a->used = 0;
    }
    void *p = a->blocks->bytes + a->used;
    a->used += size;
    memset(p, 0, size);
    return p;
}

struct span arena_copy(struct arena *a, struct span s, bool *ok)
{
    char *p = arena_alloc(a, s.n + 1);

    if (!p) {
        *ok = false;
        return (struct span){NULL, 0};
    }
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct span){p, s.n};
}

void arena_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    *a = (struct arena){0};
}
