/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/cover.h"
#include "policy/prove.h"

/* What a cell says of the two. */
enum { SAME, STRICTER, LOOSER };

struct sides {
    const struct prove_question *first, *second;
};

static bool opens(const struct prove_question *q, const struct ruleset_key *key, bool open_ended)
{
    struct decide_finding rule;

    return decide_by_rules(q->rules, key, open_ended, &q->when, &rule);
}

static void judge(void *arg, struct cover_cell *cell)
{
    const struct sides *sides = arg;
    const struct atlas_traits *traits = cell->region ? &cell->region->traits : NULL;
    struct ruleset_key key = ruleset_key((struct span){cell->prefix, cell->n});
    bool open_ended = traits && traits->open_ended, first, second;

    cell->outcome = SAME;
    if (traits && traits->class == CLASS_EMERGENCY)
        return;
    first = opens(sides->first, &key, open_ended);
    second = opens(sides->second, &key, open_ended);
    cell->outcome = first == second ? SAME : second ? STRICTER : LOOSER;
}

static enum prove_relation relation(bool stricter, bool looser)
{
    if (stricter && looser)
        return PROVE_DIFFERENT;
    return stricter ? PROVE_STRICTER : looser ? PROVE_LOOSER : PROVE_EQUAL;
}

/* How good an example a cell is: of numbers, of calls that an operator completes, of nobody's. */
static int worth(const struct cover_cell *cell)
{
    return !cell->region ? 1 : cell->region->traits.open_ended ? 2 : 3;
}

/* The more telling, then the shorter prefix; the smaller one comes first by itself. */
static bool better(const struct cover_cell *cell, const struct cover_cell *best)
{
    if (!best || worth(cell) != worth(best))
        return !best || worth(cell) > worth(best);
    return cell->n < best->n;
}

static void show(const struct atlas *atlas, const struct cover_cell *cell,
                 struct prove_example *out)
{
    *out = (struct prove_example){.there = cell != NULL};
    if (!cell)
        return;
    memcpy(out->prefix, cell->prefix, sizeof(out->prefix));
    out->whole = cell->whole;
    if (!cell->region)
        return;
    out->exists = true;
    out->traits = cell->region->traits;
    if (!out->traits.open_ended)
        atlas_example(atlas, (struct span){cell->prefix, cell->n}, cell->whole, out->number,
                      &out->traits);
}

int prove_compare(struct prove_difference *out, const struct atlas *atlas,
                  const struct prove_question *first, const struct prove_question *second,
                  struct fault *f)
{
    struct sides sides = {first, second};
    struct cover_question q = {
        .atlas = atlas,
        .stacks = {first->rules, second->rules},
        .n_stacks = 2,
        .all_keys = true,
        .judge = judge,
        .arg = &sides,
    };
    const struct cover_cell *stricter = NULL, *looser = NULL;
    struct cover cover;
    int rc = cover_new(&cover, &q, f);

    if (rc)
        return rc;
    for (size_t i = 0; i < cover.n; i++) {
        const struct cover_cell *cell = &cover.cells[i];

        if (cell->outcome == STRICTER && better(cell, stricter))
            stricter = cell;
        if (cell->outcome == LOOSER && better(cell, looser))
            looser = cell;
    }
    out->strings = relation(stricter, looser);
    out->numbers = relation(stricter && stricter->region, looser && looser->region);
    show(atlas, stricter, &out->stricter);
    show(atlas, looser, &out->looser);
    cover_free(&cover);
    return 0;
}

const char *prove_relation_name(enum prove_relation relation)
{
    switch (relation) {
    case PROVE_EQUAL: return "equal";
    case PROVE_STRICTER: return "stricter";
    case PROVE_LOOSER: return "looser";
    case PROVE_DIFFERENT: return "different";
    }
    return "";
}
