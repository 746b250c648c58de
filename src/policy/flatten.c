/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/flatten.h"

#include <stdlib.h>

#include "policy/minimal.h"

#define ROOTS 10 /* a list has one root, and "" is none */

struct flatten {
    struct minimal *below[ROOTS];
    struct span *prefixes;
    size_t n;
    size_t *lost;
    size_t n_lost;
};

static bool below(const struct flatten_range *range, char digit)
{
    return range->prefix.n > 0 && range->prefix.p[0] == digit;
}

static bool keyed(struct span prefix)
{
    for (size_t i = 0; i < prefix.n; i++)
        if (prefix.p[i] < '0' || prefix.p[i] > '9')
            return false;
    return true;
}

/* What begins with an emergency number stays open with it, since that is never closed. */
static bool yields(const struct flatten_range *ranges, size_t i)
{
    return i > 0 && ranges[i - 1].emergency && ranges[i - 1].whole &&
           span_eq(ranges[i - 1].prefix, ranges[i].prefix);
}

/* Whether the list does what is said of range `i`; other numbers that stand alone have no say. */
static bool counts(const struct flatten_range *ranges, size_t i)
{
    const struct flatten_range *r = &ranges[i];

    return keyed(r->prefix) && (r->whole ? r->emergency : !yields(ranges, i));
}

static size_t wants_of(const struct flatten_range *ranges, size_t n, char digit,
                       struct minimal_want *wants)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (below(&ranges[i], digit) && counts(ranges, i))
            wants[count++] = (struct minimal_want){ranges[i].prefix,
                                                   ranges[i].open ? MINIMAL_OPEN : MINIMAL_CLOSED};
    return count;
}

static bool closes(const struct flatten *list, struct span digits)
{
    for (size_t i = 0; i < list->n; i++)
        if (span_starts(digits, list->prefixes[i]))
            return true;
    return false;
}

static int gather(struct flatten *list, struct fault *f)
{
    size_t n = 0;

    for (size_t i = 0; i < ROOTS; i++)
        n += minimal_count(list->below[i]);
    list->prefixes = calloc(n + 1, sizeof(*list->prefixes));
    if (!list->prefixes)
        return fault_nomem(f);
    for (size_t i = 0; i < ROOTS; i++)
        for (size_t k = 0; k < minimal_count(list->below[i]); k++)
            list->prefixes[list->n++] = minimal_rule(list->below[i], k).prefix;
    return 0;
}

static int find_lost(struct flatten *list, const struct flatten_range *ranges, size_t n,
                     struct fault *f)
{
    list->lost = calloc(n + 1, sizeof(*list->lost));
    if (!list->lost)
        return fault_nomem(f);
    for (size_t i = 0; i < n; i++)
        if (!counts(ranges, i) && ranges[i].open == closes(list, ranges[i].prefix))
            list->lost[list->n_lost++] = i;
    return 0;
}

int flatten_new(struct flatten **out, const struct flatten_range *ranges, size_t n, struct fault *f)
{
    struct minimal_want *wants = calloc(n + 1, sizeof(*wants));
    struct flatten *list = calloc(1, sizeof(*list));
    int err = wants && list ? 0 : fault_nomem(f);

    for (size_t i = 0; i < ROOTS && !err; i++) {
        static const char digits[] = "0123456789";
        size_t count = wants_of(ranges, n, digits[i], wants);

        err = minimal_new(&list->below[i], (struct span){&digits[i], 1}, wants, count,
                          MINIMAL_RESTRICTIONS, f);
    }
    if (!err)
        err = gather(list, f);
    if (!err)
        err = find_lost(list, ranges, n, f);
    free(wants);
    if (err)
        flatten_free(list);
    else
        *out = list;
    return err;
}

void flatten_free(struct flatten *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < ROOTS; i++)
        minimal_free(list->below[i]);
    free(list->prefixes);
    free(list->lost);
    free(list);
}

size_t flatten_count(const struct flatten *list)
{
    return list->n;
}

struct span flatten_prefix(const struct flatten *list, size_t i)
{
    return list->prefixes[i];
}

size_t flatten_lost(const struct flatten *list)
{
    return list->n_lost;
}

size_t flatten_lost_range(const struct flatten *list, size_t i)
{
    return list->lost[i];
}
