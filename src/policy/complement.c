/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/complement.h"

#include <stdlib.h>

struct prefix {
    uint8_t n;
    char digits[RULE_PREFIX_MAX];
};

struct complement {
    size_t n;
    struct prefix prefixes[];
};

static int check(struct span root, const struct span *allowed, size_t n, struct fault *f)
{
    int err = rule_prefix_digits(root, "the root", f);

    if (err)
        return err;
    if (n == 0)
        return fault(f, ERR_SYNTAX,
                     "no allowed prefix is given; to allow nothing below %s, restrict %s itself",
                     ESCAPED(root), ESCAPED(root));
    if (n > COMPLEMENT_ALLOWED_MAX)
        return fault(f, ERR_FULL, "%zu allowed prefixes; at most %d can be given", n,
                     COMPLEMENT_ALLOWED_MAX);
    for (size_t i = 0; i < n; i++) {
        err = rule_prefix_digits(allowed[i], "the allowed prefix", f);
        if (err)
            return err;
        if (!span_starts(allowed[i], root))
            return fault(f, ERR_RANGE,
                         "the allowed prefix %s does not lie under %s; it must begin with it",
                         ESCAPED(allowed[i]), ESCAPED(root));
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Leaves out what a shorter allowed prefix covers; `sorted` is. Returns how many stay. */
static size_t drop_covered(struct span *sorted, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !span_starts(sorted[i], sorted[kept - 1]))
            sorted[kept++] = sorted[i];
    return kept;
}

/*
 * What is restricted below the first `depth` digits, which all of `allowed` share: of each digit that
 * may follow, the branch as a whole where nothing allowed is in it, else what is restricted further
 * down. Each branch holds something allowed beside it, so no shorter prefix could stand for several.
 * Counts on from `at`, and writes where there is `out`.
 */
static size_t branch(const struct span *allowed, size_t n, size_t depth, struct prefix *out,
                     size_t at)
{
    const char *shared = allowed[0].p;

    if (n == 1 && allowed[0].n == depth)
        return at;
    for (char digit = '0'; digit <= '9'; digit++) {
        size_t same = 0;

        while (same < n && allowed[same].p[depth] == digit)
            same++;
        if (same > 0) {
            at = branch(allowed, same, depth + 1, out, at);
        } else {
            if (out) {
                out[at].n = (uint8_t)(depth + 1);
                memcpy(out[at].digits, shared, depth);
                out[at].digits[depth] = digit;
            }
            at++;
        }
        allowed += same;
        n -= same;
    }
    return at;
}

static int list_new(struct complement **out, struct span root, struct span *sorted, size_t n,
                    struct fault *f)
{
    struct complement *list;
    size_t count;

    qsort(sorted, n, sizeof(*sorted), compare);
    n = drop_covered(sorted, n);
    count = branch(sorted, n, root.n, NULL, 0);
    if (count > COMPLEMENT_PREFIXES_MAX)
        return fault(f, ERR_FULL, "the list would have %zu prefixes; at most %d are allowed", count,
                     COMPLEMENT_PREFIXES_MAX);
    list = calloc(1, sizeof(*list) + count * sizeof(*list->prefixes));
    if (!list)
        return fault_nomem(f);
    list->n = branch(sorted, n, root.n, list->prefixes, 0);
    *out = list;
    return 0;
}

int complement_new(struct complement **out, struct span root, const struct span *allowed, size_t n,
                   struct fault *f)
{
    struct span *sorted;
    int err = check(root, allowed, n, f);

    if (err)
        return err;
    sorted = calloc(n, sizeof(*sorted));
    if (!sorted)
        return fault_nomem(f);
    memcpy(sorted, allowed, n * sizeof(*sorted));
    err = list_new(out, root, sorted, n, f);
    free(sorted);
    return err;
}

void complement_free(struct complement *list)
{
    free(list);
}

size_t complement_count(const struct complement *list)
{
    return list->n;
}

struct span complement_prefix(const struct complement *list, size_t i)
{
    return (struct span){list->prefixes[i].digits, list->prefixes[i].n};
}
