/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_SPAN_H
#define SEKISHO_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/*
 * A view into bytes that somebody else owns. It may hold any byte, NUL too, and nothing stands
 * behind its end. An empty span may have p == NULL.
 */
struct span {
    const char *p;
    size_t n;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

/* For printf: printf("%.*s", SPAN_FMT(s)). Only for bytes that are known to be printable. */
#define SPAN_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct span span_of(const char *text)
{
    return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span s, const char *text)
{
    return span_eq(s, span_of(text));
}

/* Which of `n` words it is, -1 for none of them. */
static inline int span_among(struct span s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_is(s, words[i]))
            return (int)i;
    return -1;
}

/* ASCII letters compare without case; every other byte as it is. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static inline bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* The span without its first `n` bytes; `n` beyond the end leaves an empty span. */
static inline struct span span_skip(struct span s, size_t n)
{
    return n < s.n ? (struct span){s.p + n, s.n - n} : (struct span){s.p ? s.p + s.n : NULL, 0};
}

/* Splits `s` at the first `at`: the part before is returned, `rest` gets what stands behind it.
 * Without an `at`, all of `s` is returned and `rest` is empty with p == NULL. */
static inline struct span span_cut(struct span s, char at, struct span *rest)
{
    const char *found = s.n ? memchr(s.p, at, s.n) : NULL;

    if (!found) {
        *rest = (struct span){NULL, 0};
        return s;
    }
    *rest = (struct span){found + 1, s.n - (size_t)(found - s.p) - 1};
    return (struct span){s.p, (size_t)(found - s.p)};
}

/* Without the spaces and tabs at both ends. */
static inline struct span span_trim(struct span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_skip(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

#endif
