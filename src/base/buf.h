/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_BUF_H
#define SEKISHO_BASE_BUF_H

#include "base/span.h"

/*
 * Bytes that grow. Zero-initialised is empty and valid. A failed allocation sets `failed`, and what
 * is added after that is dropped: check once, at the end. Always NUL-terminated behind `n` once
 * something was added.
 */
struct buf {
    char *p;
    size_t n;
    size_t cap;
    bool failed;
};

void buf_add(struct buf *b, struct span s);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);

/* Forgets the content, keeps the memory and clears `failed`. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->p, b->n};
}

#endif
