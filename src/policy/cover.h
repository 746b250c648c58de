/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_COVER_H
#define SEKISHO_POLICY_COVER_H

#include "numbering/atlas.h"
#include "policy/decide.h"

/*
 * All strings of a dial plan, cut wherever its numbers or the rules may change, and joined again where
 * they did not: what prove.c and compare.c work on. Strings that are only the beginning of a
 * rule's prefix and no number are in no cell: they are no number yet.
 */
struct cover_cell {
    char prefix[RULE_PREFIX_MAX + 1];
    uint8_t n;                         /* keys of the prefix */
    bool whole;                        /* exactly the prefix, else all that begins with it */
    bool mixed;                        /* `region` is the worst of several that differ by length */
    uint8_t outcome;                   /* the judge's */
    uint32_t rule;                     /* the judge's */
    const struct atlas_region *region; /* of the numbers in it, or NULL: they are nobody's */
};

/* Sets outcome and rule of a cell whose strings are all alike. */
typedef void cover_judge_fn(void *arg, struct cover_cell *cell);

#define COVER_STACKS_MAX 2

struct cover_question {
    const struct atlas *atlas;
    const struct decide_rules *stacks[COVER_STACKS_MAX]; /* whose prefixes are looked at */
    size_t n_stacks;
    /* Cells are joined where their outcome is the same and their numbers are alike; of numbers that
     * exist and nobody's the former count. Without `alike` the outcome is enough. */
    bool alike;
    bool all_keys; /* what begins with a rule's * # + too, where no number begins so */
    cover_judge_fn *judge;
    void *arg;
};

struct cover {
    struct cover_cell *cells; /* sorted by prefix as ASCII sorts, a whole number first */
    size_t n, cap;
};

#define COVER_CELLS_MAX 131072

/* ERR_NOMEM; ERR_FULL where the rules cut the plan into more than COVER_CELLS_MAX cells. */
int cover_new(struct cover *out, const struct cover_question *question, struct fault *f);
void cover_free(struct cover *cover);

/* All rules of a stack: account, tenants outward, operator, mandatory. */
size_t cover_sets(const struct decide_rules *rules);
const struct ruleset *cover_set(const struct decide_rules *rules, size_t i);

#endif
