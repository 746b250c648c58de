/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/cover.h"

#include <stdlib.h>

size_t cover_sets(const struct decide_rules *rules)
{
    return rules->n_tenants + 3;
}

const struct ruleset *cover_set(const struct decide_rules *rules, size_t i)
{
    if (i == 0)
        return rules->account;
    if (i <= rules->n_tenants)
        return rules->tenants[i - 1];
    return i == rules->n_tenants + 1 ? rules->operator_rules : rules->mandatory;
}

/* ---- where rules begin ---- */

struct mark {
    char digits[RULE_PREFIX_MAX + 1];
};

struct marks {
    struct mark *mark;
    size_t n;
};

static int compare_marks(const void *a, const void *b)
{
    return strcmp(((const struct mark *)a)->digits, ((const struct mark *)b)->digits);
}

static void take_marks(struct marks *marks, const struct decide_rules *rules)
{
    for (size_t s = 0; s < cover_sets(rules); s++) {
        const struct ruleset *set = cover_set(rules, s);

        for (size_t i = 0; i < ruleset_count(set); i++)
            ruleset_rule(set, i, marks->mark[marks->n++].digits);
    }
}

static int marks_new(struct marks *out, const struct cover_question *q, struct fault *f)
{
    struct marks marks = {NULL, 0};
    size_t n = 1, kept = 0;

    for (size_t k = 0; k < q->n_stacks; k++)
        for (size_t s = 0; s < cover_sets(q->stacks[k]); s++)
            n += ruleset_count(cover_set(q->stacks[k], s));
    marks.mark = calloc(n, sizeof(*marks.mark));
    if (!marks.mark)
        return fault_nomem(f);
    for (size_t k = 0; k < q->n_stacks; k++)
        take_marks(&marks, q->stacks[k]);
    qsort(marks.mark, marks.n, sizeof(*marks.mark), compare_marks);
    for (size_t i = 0; i < marks.n; i++)
        if (kept == 0 || compare_marks(&marks.mark[kept - 1], &marks.mark[i]) != 0)
            marks.mark[kept++] = marks.mark[i];
    marks.n = kept;
    *out = marks;
    return 0;
}

/* ---- cells ---- */

struct walk {
    const struct cover_question *q;
    struct cover *cover;
    struct marks marks;
    struct fault *f;
    char path[RULE_PREFIX_MAX + 1];
};

/* What lies at or below a place: regions and marks that begin with the path, and those regions that
 * began further up and still have longer numbers. */
struct place {
    size_t region, region_end;
    size_t mark, mark_end;
    size_t above, above_end;
    bool symbols; /* the path is not of digits only */
};

static int add(struct walk *w, size_t depth, bool whole, const struct atlas_region *region,
               bool mixed)
{
    struct cover *cover = w->cover;
    struct cover_cell *cell;

    if (cover->n == COVER_CELLS_MAX)
        return fault(w->f, ERR_FULL, "the rules cut the dial plan into more than %d ranges",
                     COVER_CELLS_MAX);
    if (cover->n == cover->cap) {
        size_t cap = cover->cap ? 2 * cover->cap : 1024;
        struct cover_cell *more = reallocarray(cover->cells, cap, sizeof(*more));

        if (!more)
            return fault_nomem(w->f);
        cover->cells = more;
        cover->cap = cap;
    }
    cell = &cover->cells[cover->n++];
    *cell =
        (struct cover_cell){.n = (uint8_t)depth, .whole = whole, .mixed = mixed, .region = region};
    memcpy(cell->prefix, w->path, depth);
    w->q->judge(w->q->arg, cell);
    return 0;
}

/* Of regions at one prefix the worst that a number may be in that is at least `n` long, or (`whole`)
 * exactly so: high risk before low, premium and the like before an ordinary one. */
static const struct atlas_region *choose(const struct atlas *atlas, size_t first, size_t end,
                                         size_t n, bool whole, bool *mixed)
{
    uint32_t from = n < 32 ? ~((UINT32_C(1) << n) - 1) : 0;
    uint32_t wanted = whole && n < 32 ? UINT32_C(1) << n : whole ? 0 : from;
    const struct atlas_region *best = NULL;

    *mixed = false;
    for (size_t i = first; i < end; i++) {
        const struct atlas_region *r = atlas_region(atlas, i);

        if (!(r->lengths & wanted))
            continue;
        *mixed = best != NULL;
        if (!best || r->traits.risk > best->traits.risk ||
            (r->traits.risk == best->traits.risk && r->traits.kind > best->traits.kind))
            best = r;
    }
    return best;
}

static bool alike(const struct walk *w, const struct cover_cell *a, const struct cover_cell *b)
{
    return a->outcome == b->outcome &&
           (!w->q->alike || !a->region || !b->region ||
            (a->mixed == b->mixed && atlas_traits_equal(&a->region->traits, &b->region->traits)));
}

/*
 * Where the cells from `from` on are one below each digit, all alike, they become one below the first
 * `depth` keys; what begins with another key must be like them. A single number that exists among
 * nobody's stays where the tables have it.
 */
static void join(struct walk *w, size_t from, size_t depth)
{
    struct cover *cover = w->cover;
    struct cover_cell *first = &cover->cells[from], *known = NULL;
    size_t n = cover->n - from, existing = 0;

    if (n < 10 || n > 13)
        return;
    for (size_t i = 0; i < n; i++) {
        struct cover_cell *cell = &first[i];

        if (cell->n != depth + 1 || cell->whole || cell->outcome != first->outcome ||
            (known && !alike(w, known, cell)))
            return;
        if (i + 10 >= n && cell->prefix[depth] != (char)('0' + (i + 10 - n)))
            return;
        if (cell->region) {
            known = known ? known : cell;
            existing++;
        }
    }
    if (w->q->alike && existing == 1)
        return;
    if (known)
        *first = *known;
    first->n = (uint8_t)depth;
    first->prefix[depth] = '\0';
    cover->n = from + 1;
}

/* A number that stands where others begin, and is like them, is in their cell. */
static void unite(struct walk *w, size_t from)
{
    struct cover *cover = w->cover;
    struct cover_cell *alone = &cover->cells[from], *rest = alone + 1;

    if (cover->n != from + 2 || rest->n != alone->n || !alike(w, alone, rest) ||
        (w->q->alike && !rest->region))
        return;
    if (!rest->region)
        rest->region = alone->region;
    *alone = *rest;
    cover->n--;
}

/* Whether numbers of these regions are longer than the first `depth` keys. */
static bool longer(const struct atlas *atlas, size_t first, size_t end, size_t depth)
{
    for (size_t i = first; i < end; i++)
        if (atlas_region(atlas, i)->lengths >> depth > 1)
            return true;
    return false;
}

/* What of `at` begins with `key` behind the first `depth` keys. Keys come in order, and `at` loses
 * what was before. */
static struct place narrow(const struct walk *w, struct place *at, size_t depth, char key)
{
    const struct atlas *atlas = w->q->atlas;
    struct place next = *at;

    while (at->region < at->region_end && atlas_region(atlas, at->region)->prefix[depth] <= key)
        if (atlas_region(atlas, at->region++)->prefix[depth] < key)
            next.region = at->region;
    next.region_end = at->region;
    while (at->mark < at->mark_end && w->marks.mark[at->mark].digits[depth] <= key)
        if (w->marks.mark[at->mark++].digits[depth] < key)
            next.mark = at->mark;
    next.mark_end = at->mark;
    return next;
}

static int descend(struct walk *w, struct place at, size_t depth)
{
    static const char keys[] = "#*+0123456789";
    const struct atlas *atlas = w->q->atlas;
    const struct atlas_region *alone;
    size_t own = at.region, from = w->cover->n;
    bool mixed;
    int rc = 0;

    while (at.region < at.region_end && atlas_region(atlas, at.region)->n == depth)
        at.region++;
    if (at.mark < at.mark_end && w->marks.mark[at.mark].digits[depth] == '\0')
        at.mark++;
    alone = choose(atlas, own, at.region, depth, true, &mixed);
    if (!alone)
        alone = choose(atlas, at.above, at.above_end, depth, true, &mixed);
    if (alone)
        rc = add(w, depth, true, alone, mixed);
    if (longer(atlas, own, at.region, depth)) {
        at.above = own;
        at.above_end = at.region;
    }
    if (at.region == at.region_end && at.mark == at.mark_end) {
        const struct atlas_region *rest =
            choose(atlas, at.above, at.above_end, depth + 1, false, &mixed);

        if (rc == 0 && (rest || w->q->all_keys || !at.symbols))
            rc = add(w, depth, false, rest, mixed);
    } else {
        size_t below = w->cover->n;

        for (const char *key = keys; rc == 0 && *key; key++) {
            struct place next = narrow(w, &at, depth, *key);

            next.symbols = at.symbols || *key < '0';
            if (next.symbols && next.region == next.region_end &&
                (*key < '0' ? !w->q->all_keys || next.mark == next.mark_end : !w->q->all_keys))
                continue;
            w->path[depth] = *key;
            if (*key < '0')
                next.above = next.above_end = 0;
            rc = descend(w, next, depth + 1);
        }
        if (rc == 0)
            join(w, below, depth);
    }
    if (rc == 0 && alone)
        unite(w, from);
    return rc;
}

int cover_new(struct cover *out, const struct cover_question *q, struct fault *f)
{
    struct cover cover = {NULL, 0, 0};
    struct walk w = {.q = q, .cover = &cover, .f = f};
    int rc = marks_new(&w.marks, q, f);

    if (rc)
        return rc;
    rc = descend(&w, (struct place){.region_end = atlas_count(q->atlas), .mark_end = w.marks.n}, 0);
    free(w.marks.mark);
    if (rc) {
        cover_free(&cover);
        return rc;
    }
    *out = cover;
    return 0;
}

void cover_free(struct cover *cover)
{
    free(cover->cells);
    *cover = (struct cover){NULL, 0, 0};
}
