/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/minimal.h"

#include <stdlib.h>

#include "policy/complement.h"

/*
 * What is wanted, as a tree of digits below the root. A child that is missing is a whole branch of
 * which the node's own outcome is wanted.
 */
struct node {
    uint32_t child[10]; /* 0: none; the root is 0 and nobody's child */
    uint8_t outcome;    /* enum minimal_outcome */
    bool said;          /* by a want of its own; else it is the parent's */
    bool has_open, has_closed;
    uint32_t rules
        [2]; /* how many are needed at and below, where what comes from above is open, closed */
};

struct tree {
    struct node *nodes;
    size_t n, cap;
};

struct listed {
    uint8_t n;
    uint8_t action;
    char digits[RULE_PREFIX_MAX + 1];
};

struct minimal {
    size_t n, cap;
    struct listed *rules;
};

/* ---- what is wanted ---- */

static int add_node(struct tree *tree, uint32_t *out, struct fault *f)
{
    if (tree->n == tree->cap) {
        size_t cap = tree->cap ? 2 * tree->cap : 64;
        struct node *more = reallocarray(tree->nodes, cap, sizeof(*more));

        if (!more)
            return fault_nomem(f);
        tree->nodes = more;
        tree->cap = cap;
    }
    tree->nodes[tree->n] = (struct node){.outcome = MINIMAL_OPEN};
    *out = (uint32_t)tree->n++;
    return 0;
}

static int plant(struct tree *tree, struct span root, const struct minimal_want *want,
                 struct fault *f)
{
    uint32_t node = 0;
    int rc = rule_prefix_digits(want->prefix, "the prefix", f);

    if (rc)
        return rc;
    if (!span_starts(want->prefix, root))
        return fault(f, ERR_RANGE, "the prefix %s does not lie under %s; it must begin with it",
                     ESCAPED(want->prefix), ESCAPED(root));
    for (size_t i = root.n; i < want->prefix.n; i++) {
        unsigned digit = (unsigned)(want->prefix.p[i] - '0');
        uint32_t child = tree->nodes[node].child[digit];

        rc = child ? 0 : add_node(tree, &child, f);
        if (rc)
            return rc;
        tree->nodes[node].child[digit] = child;
        node = child;
    }
    if (tree->nodes[node].said)
        return fault(f, ERR_EXISTS, "the prefix %s is there twice", ESCAPED(want->prefix));
    tree->nodes[node].said = true;
    tree->nodes[node].outcome = (uint8_t)want->outcome;
    return 0;
}

/* ---- how many rules it takes ---- */

static uint32_t leaf_rules(uint8_t outcome, int above)
{
    switch ((enum minimal_outcome)outcome) {
    case MINIMAL_OPEN: return above != MINIMAL_OPEN;
    case MINIMAL_CLOSED: return above != MINIMAL_CLOSED;
    case MINIMAL_EITHER: break;
    }
    return 0;
}

/* Rules for all children where `above` comes from here. */
static uint32_t below(const struct tree *tree, const struct node *node, int above)
{
    uint32_t rules = 0;

    for (int d = 0; d < 10; d++)
        rules += node->child[d] ? tree->nodes[node->child[d]].rules[above]
                                : leaf_rules(node->outcome, above);
    return rules;
}

static bool is_leaf(const struct node *node)
{
    for (int d = 0; d < 10; d++)
        if (node->child[d])
            return false;
    return true;
}

/*
 * Whether a rule stands at the node that turns what comes from above around. Where as many rules do
 * with it as without, the choice is what restricts more of what may be either.
 */
static bool turns(const struct tree *tree, const struct node *node, int above)
{
    uint32_t keep, turn;

    if (is_leaf(node))
        return leaf_rules(node->outcome, above) > 0;
    keep = below(tree, node, above);
    turn = 1 + below(tree, node, !above);
    return above == MINIMAL_OPEN ? turn <= keep : turn < keep;
}

static void weigh(struct tree *tree, uint32_t at, uint8_t outcome)
{
    struct node *node = &tree->nodes[at];
    bool missing = false;

    if (!node->said)
        node->outcome = outcome;
    for (int d = 0; d < 10; d++) {
        const struct node *child = &tree->nodes[node->child[d]];

        missing |= !node->child[d];
        if (!node->child[d])
            continue;
        weigh(tree, node->child[d], node->outcome);
        node->has_open |= child->has_open;
        node->has_closed |= child->has_closed;
    }
    node->has_open |= missing && node->outcome == MINIMAL_OPEN;
    node->has_closed |= missing && node->outcome == MINIMAL_CLOSED;
    for (int above = MINIMAL_OPEN; above <= MINIMAL_CLOSED; above++) {
        uint32_t keep = below(tree, node, above), turn = 1 + below(tree, node, !above);

        node->rules[above] = is_leaf(node) ? leaf_rules(node->outcome, above)
                             : keep < turn ? keep
                                           : turn;
    }
}

/* ---- which ---- */

static int list_rule(struct minimal *list, const char *path, size_t depth, enum rule_action action,
                     struct fault *f)
{
    struct listed *rule;

    if (list->n == MINIMAL_RULES_MAX)
        return fault(f, ERR_FULL, "the list would have more than %d rules", MINIMAL_RULES_MAX);
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        struct listed *more = reallocarray(list->rules, cap, sizeof(*more));

        if (!more)
            return fault_nomem(f);
        list->rules = more;
        list->cap = cap;
    }
    rule = &list->rules[list->n++];
    *rule = (struct listed){.n = (uint8_t)depth, .action = (uint8_t)action};
    memcpy(rule->digits, path, depth);
    return 0;
}

static enum rule_action action_for(int outcome)
{
    return outcome == MINIMAL_OPEN ? RULE_EXCEPT : RULE_RESTRICT;
}

static int choose(struct minimal *list, const struct tree *tree, uint32_t at, int above, char *path,
                  size_t depth, struct fault *f)
{
    const struct node *node = &tree->nodes[at];
    bool leaf = is_leaf(node);
    int rc = 0;

    if (turns(tree, node, above)) {
        above = !above;
        rc = list_rule(list, path, depth, action_for(above), f);
    }
    for (int d = 0; rc == 0 && !leaf && d < 10; d++) {
        path[depth] = (char)('0' + d);
        if (node->child[d])
            rc = choose(list, tree, node->child[d], above, path, depth + 1, f);
        else if (leaf_rules(node->outcome, above))
            rc = list_rule(list, path, depth + 1, action_for(!above), f);
    }
    return rc;
}

/* ---- restrictions only ---- */

struct opens {
    struct span prefix[COMPLEMENT_ALLOWED_MAX];
    char digits[COMPLEMENT_ALLOWED_MAX][RULE_PREFIX_MAX];
    size_t n;
};

static int add_open(struct opens *opens, const char *path, size_t depth, struct fault *f)
{
    if (opens->n == COMPLEMENT_ALLOWED_MAX)
        return fault(f, ERR_FULL, "more than %d prefixes would have to stay open",
                     COMPLEMENT_ALLOWED_MAX);
    memcpy(opens->digits[opens->n], path, depth);
    opens->prefix[opens->n] = (struct span){opens->digits[opens->n], depth};
    opens->n++;
    return 0;
}

/* The shortest prefixes below which something must stay open and nothing must be closed. */
static int gather_open(struct opens *opens, const struct tree *tree, uint32_t at, char *path,
                       size_t depth, struct fault *f)
{
    const struct node *node = &tree->nodes[at];
    int rc = 0;

    if (!node->has_open)
        return 0;
    if (!node->has_closed)
        return add_open(opens, path, depth, f);
    for (int d = 0; rc == 0 && d < 10; d++) {
        path[depth] = (char)('0' + d);
        if (node->child[d])
            rc = gather_open(opens, tree, node->child[d], path, depth + 1, f);
        else if (node->outcome == MINIMAL_OPEN)
            rc = add_open(opens, path, depth + 1, f);
    }
    return rc;
}

/* Whether something below the prefix must be closed. */
static bool must_close(const struct tree *tree, struct span root, struct span prefix)
{
    uint32_t node = 0;

    for (size_t i = root.n; i < prefix.n; i++) {
        uint32_t child = tree->nodes[node].child[prefix.p[i] - '0'];

        if (!child)
            return tree->nodes[node].outcome == MINIMAL_CLOSED;
        node = child;
    }
    return tree->nodes[node].has_closed;
}

static int restrict_only(struct minimal *list, const struct tree *tree, struct span root,
                         struct fault *f)
{
    struct complement *rest = NULL;
    char path[RULE_PREFIX_MAX + 1];
    struct opens *opens;
    int rc;

    if (!tree->nodes[0].has_closed)
        return 0;
    if (!tree->nodes[0].has_open)
        return list_rule(list, root.p, root.n, RULE_RESTRICT, f);
    opens = calloc(1, sizeof(*opens));
    if (!opens)
        return fault_nomem(f);
    memcpy(path, root.p, root.n);
    rc = gather_open(opens, tree, 0, path, root.n, f);
    if (rc == 0)
        rc = complement_new(&rest, root, opens->prefix, opens->n, f);
    free(opens);
    for (size_t i = 0; rc == 0 && i < complement_count(rest); i++) {
        struct span prefix = complement_prefix(rest, i);

        if (must_close(tree, root, prefix))
            rc = list_rule(list, prefix.p, prefix.n, RULE_RESTRICT, f);
    }
    complement_free(rest);
    return rc;
}

/* ---- the list ---- */

static int work_out(struct minimal *list, struct tree *tree, struct span root,
                    const struct minimal_want *wants, size_t n, enum minimal_form form,
                    struct fault *f)
{
    char path[RULE_PREFIX_MAX + 1];
    uint32_t first;
    int rc = add_node(tree, &first, f);

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = plant(tree, root, &wants[i], f);
    if (rc)
        return rc;
    weigh(tree, 0, MINIMAL_OPEN);
    switch (form) {
    case MINIMAL_WITH_EXCEPTIONS:
        memcpy(path, root.p, root.n);
        return choose(list, tree, 0, MINIMAL_OPEN, path, root.n, f);
    case MINIMAL_RESTRICTIONS: break;
    }
    return restrict_only(list, tree, root, f);
}

int minimal_new(struct minimal **out, struct span root, const struct minimal_want *wants, size_t n,
                enum minimal_form form, struct fault *f)
{
    struct tree tree = {NULL, 0, 0};
    struct minimal *list;
    int rc = rule_prefix_digits(root, "the root", f);

    if (rc)
        return rc;
    if (n > MINIMAL_WANTS_MAX)
        return fault(f, ERR_FULL, "%zu prefixes; at most %d can be given", n, MINIMAL_WANTS_MAX);
    list = calloc(1, sizeof(*list));
    if (!list)
        return fault_nomem(f);
    rc = work_out(list, &tree, root, wants, n, form, f);
    free(tree.nodes);
    if (rc) {
        minimal_free(list);
        return rc;
    }
    *out = list;
    return 0;
}

void minimal_free(struct minimal *list)
{
    if (!list)
        return;
    free(list->rules);
    free(list);
}

size_t minimal_count(const struct minimal *list)
{
    return list->n;
}

struct rule minimal_rule(const struct minimal *list, size_t i)
{
    const struct listed *rule = &list->rules[i];

    return (struct rule){.action = (enum rule_action)rule->action,
                         .prefix = {rule->digits, rule->n}};
}
