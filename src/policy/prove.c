/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/prove.h"

#include <stdlib.h>

#include "policy/cover.h"

struct prove {
    struct prove_range *ranges;
    size_t n_ranges;
    struct prove_summary *summaries;
    size_t n_summaries, cap_summaries;
    struct prove_rule *rules;
    size_t n_rules;
};

/* ---- judging ---- */

struct judge {
    const struct prove_question *q;
    struct prove *proof;
};

/* The number of a rule through all levels. */
static uint32_t rule_number(const struct decide_rules *rules, const struct decide_finding *found)
{
    size_t own = found->mandatory                 ? rules->n_tenants + 2
                 : found->level == LEVEL_OPERATOR ? rules->n_tenants + 1
                 : found->level == LEVEL_TENANT   ? found->tenant + 1
                                                  : 0;
    uint32_t number = found->match.index;

    if (!found->set)
        return PROVE_NO_RULE;
    for (size_t s = 0; s < own; s++)
        number += (uint32_t)ruleset_count(cover_set(rules, s));
    return number;
}

static struct decide_finding whose(const struct decide_rules *rules, size_t set)
{
    struct decide_finding found = {.set = cover_set(rules, set), .level = LEVEL_ACCOUNT};

    if (set > rules->n_tenants) {
        found.level = LEVEL_OPERATOR;
        found.mandatory = set == rules->n_tenants + 2;
    } else if (set > 0) {
        found.level = LEVEL_TENANT;
        found.tenant = set - 1;
    }
    return found;
}

static void credit(const struct judge *j, const struct ruleset_key *key,
                   const struct decide_finding *found, bool open, uint32_t number)
{
    struct prove_rule *rule;

    if (number == PROVE_NO_RULE)
        return;
    rule = &j->proof->rules[number];
    if (rule->effect == PROVE_EFFECT)
        return;
    rule->effect = decide_without(j->q->rules, key, found, &j->q->when) != open ? PROVE_EFFECT
                                                                                : PROVE_REDUNDANT;
}

static void judge(void *arg, struct cover_cell *cell)
{
    const struct judge *j = arg;
    const struct atlas_traits *traits = cell->region ? &cell->region->traits : NULL;
    struct ruleset_key key = ruleset_key((struct span){cell->prefix, cell->n});
    bool open_ended = traits && traits->open_ended;
    struct decide_finding found;

    cell->outcome = 1;
    cell->rule = PROVE_NO_RULE;
    if (traits && traits->class == CLASS_EMERGENCY)
        return;
    cell->outcome = decide_by_rules(j->q->rules, &key, open_ended, &j->q->when, &found);
    cell->rule = rule_number(j->q->rules, &found);
    if (traits && !open_ended)
        credit(j, &key, &found, cell->outcome, cell->rule);
}

/* ---- rules ---- */

static bool in_force(const struct prove_question *q, const struct decide_finding *set, uint32_t i)
{
    return ruleset_in_force(set->set, i, &q->when);
}

static int list_rules(struct prove *proof, const struct prove_question *q, struct fault *f)
{
    const struct decide_rules *rules = q->rules;
    size_t n = 0;

    for (size_t s = 0; s < cover_sets(rules); s++)
        n += ruleset_count(cover_set(rules, s));
    proof->rules = calloc(n + 1, sizeof(*proof->rules));
    if (!proof->rules)
        return fault_nomem(f);
    for (size_t s = 0; s < cover_sets(rules); s++) {
        struct decide_finding set = whose(rules, s);

        for (size_t i = 0; i < ruleset_count(set.set); i++) {
            struct prove_rule *r = &proof->rules[proof->n_rules++];
            struct rule rule = ruleset_rule(set.set, i, r->prefix);

            r->action = rule.action;
            r->level = set.level;
            r->mandatory = set.mandatory;
            r->tenant = set.tenant;
            r->until = rule.until;
            r->schedule = rule.schedule;
            r->effect = in_force(q, &set, (uint32_t)i) ? PROVE_SHADOWED : PROVE_NOT_IN_FORCE;
        }
    }
    return 0;
}

/* What rules below an open-ended prefix do to it. */
struct below {
    size_t closing;             /* prefixes at which it is closed */
    struct decide_finding only; /* by this, where it is one */
    bool lone;                  /* and without that it would not be */
};

static void look_below(struct prove *proof, const struct prove_question *q, struct span prefix,
                       struct below *below)
{
    struct ruleset_key key = ruleset_key(prefix);
    struct decide_finding found;
    uint32_t number;

    if (decide_by_rules(q->rules, &key, false, &q->when, &found))
        return;
    number = rule_number(q->rules, &found);
    if (proof->rules[number].effect == PROVE_SHADOWED)
        proof->rules[number].effect = PROVE_REDUNDANT;
    if (below->closing > 0 && number == rule_number(q->rules, &below->only))
        return;
    below->closing++;
    below->only = found;
    below->lone = decide_without(q->rules, &key, &found, &q->when);
}

/* An exception without which the open-ended prefix would be closed here. */
static void credit_exception(struct prove *proof, const struct prove_question *q,
                             struct span prefix)
{
    struct ruleset_key key = ruleset_key(prefix);
    struct decide_finding found;

    if (decide_by_rules(q->rules, &key, false, &q->when, &found) && found.set &&
        !decide_without(q->rules, &key, &found, &q->when))
        proof->rules[rule_number(q->rules, &found)].effect = PROVE_EFFECT;
}

static bool closes_below(const struct prove_rule *rule, struct span access)
{
    struct span prefix = span_of(rule->prefix);

    return rule->action == RULE_RESTRICT && rule->effect != PROVE_NOT_IN_FORCE &&
           prefix.n > access.n && span_starts(prefix, access);
}

/*
 * Calls that an operator completes are closed by any restriction at or below their prefix that holds:
 * by itself such a rule has an effect where it is the only one.
 */
static void credit_open_ended(struct prove *proof, const struct prove_question *q,
                              struct span access)
{
    struct below below = {.closing = 0};

    look_below(proof, q, access, &below);
    for (size_t i = 0; i < proof->n_rules; i++)
        if (closes_below(&proof->rules[i], access))
            look_below(proof, q, span_of(proof->rules[i].prefix), &below);
    if (below.closing == 1 && below.lone)
        proof->rules[rule_number(q->rules, &below.only)].effect = PROVE_EFFECT;
    if (below.closing > 0)
        return;
    credit_exception(proof, q, access);
    for (size_t i = 0; i < proof->n_rules; i++)
        if (closes_below(&proof->rules[i], access))
            credit_exception(proof, q, span_of(proof->rules[i].prefix));
}

/* Why the others have no effect. */
static void explain_rules(struct prove *proof, const struct atlas *atlas)
{
    for (size_t i = 0; i < proof->n_rules; i++) {
        struct prove_rule *rule = &proof->rules[i];
        struct span prefix = span_of(rule->prefix);

        if (rule->effect == PROVE_SHADOWED && !atlas_has(atlas, prefix))
            rule->effect = atlas_spells(atlas, prefix) ? PROVE_SPELLING : PROVE_NO_NUMBER;
    }
}

/* ---- summaries ---- */

static bool belongs(const struct prove_summary *s, const struct atlas_traits *t)
{
    if (s->class != t->class || s->open_ended != t->open_ended)
        return false;
    if (t->class == CLASS_INTERNATIONAL)
        return s->country == t->country;
    return s->kind == t->kind;
}

static int summary_of(struct prove *proof, const struct atlas_traits *t, size_t *at,
                      struct fault *f)
{
    if (*at < proof->n_summaries && belongs(&proof->summaries[*at], t))
        return 0;
    for (*at = 0; *at < proof->n_summaries; ++*at)
        if (belongs(&proof->summaries[*at], t))
            return 0;
    if (proof->n_summaries == proof->cap_summaries) {
        size_t cap = proof->cap_summaries ? 2 * proof->cap_summaries : 64;
        struct prove_summary *more = reallocarray(proof->summaries, cap, sizeof(*more));

        if (!more)
            return fault_nomem(f);
        proof->summaries = more;
        proof->cap_summaries = cap;
    }
    proof->summaries[proof->n_summaries++] = (struct prove_summary){
        .country = t->class == CLASS_INTERNATIONAL ? t->country : NULL,
        .class = t->class,
        .kind = t->class != CLASS_INTERNATIONAL || t->open_ended || t->kind == KIND_HOME
                    ? t->kind
                    : KIND_NONE,
        .open_ended = t->open_ended,
    };
    return 0;
}

static void count(struct prove_summary *s, const struct prove_range *range)
{
    if (range->traits.risk > s->risk)
        s->risk = range->traits.risk;
    if (range->open && range->traits.risk > s->open_risk)
        s->open_risk = range->traits.risk;
    s->open += range->open;
    s->closed += !range->open;
    s->state = !s->open ? PROVE_CLOSED : s->closed ? PROVE_PARTLY : PROVE_OPEN;
}

/* Countries by code, what has none behind them, then the plan's own classes. */
static int compare_summaries(const void *a, const void *b)
{
    const struct prove_summary *x = a, *y = b;
    bool x_abroad = x->class == CLASS_INTERNATIONAL, y_abroad = y->class == CLASS_INTERNATIONAL;
    int order;

    if (x_abroad != y_abroad)
        return y_abroad - x_abroad;
    if (!x_abroad)
        return x->class != y->class ? (int)x->class - (int)y->class : (int)x->kind - (int)y->kind;
    if (!x->country || !y->country)
        return !x->country - !y->country;
    /* "001" is no country, and many. */
    if ((x->country->iso[0] == '0') != (y->country->iso[0] == '0'))
        return x->country->iso[0] == '0' ? 1 : -1;
    order = strcmp(x->country->iso, y->country->iso);
    return order ? order : strcmp(x->country->name_en, y->country->name_en);
}

static int summarise(struct prove *proof, struct fault *f)
{
    size_t at = 0;

    for (size_t i = 0; i < proof->n_ranges; i++) {
        const struct prove_range *range = &proof->ranges[i];
        int rc;

        if (!range->exists)
            continue;
        rc = summary_of(proof, &range->traits, &at, f);
        if (rc)
            return rc;
        count(&proof->summaries[at], range);
    }
    if (proof->n_summaries)
        qsort(proof->summaries, proof->n_summaries, sizeof(*proof->summaries), compare_summaries);
    return 0;
}

/* ---- the proof ---- */

static int list_ranges(struct prove *proof, const struct cover *cover, struct fault *f)
{
    proof->ranges = calloc(cover->n + 1, sizeof(*proof->ranges));
    if (!proof->ranges)
        return fault_nomem(f);
    proof->n_ranges = cover->n;
    for (size_t i = 0; i < cover->n; i++) {
        const struct cover_cell *cell = &cover->cells[i];
        struct prove_range *range = &proof->ranges[i];

        memcpy(range->prefix, cell->prefix, sizeof(range->prefix));
        range->whole = cell->whole;
        range->exists = cell->region != NULL;
        range->mixed = cell->mixed;
        range->open = cell->outcome;
        range->rule = cell->rule;
        if (cell->region)
            range->traits = cell->region->traits;
    }
    return 0;
}

static int work_out(struct prove *proof, const struct atlas *atlas,
                    const struct prove_question *question, struct fault *f)
{
    struct judge j = {.q = question, .proof = proof};
    struct cover_question q = {
        .atlas = atlas,
        .stacks = {question->rules},
        .n_stacks = 1,
        .alike = true,
        .judge = judge,
        .arg = &j,
    };
    struct cover cover;
    int rc = list_rules(proof, question, f);

    if (rc == 0)
        rc = cover_new(&cover, &q, f);
    if (rc)
        return rc;
    rc = list_ranges(proof, &cover, f);
    cover_free(&cover);
    if (rc == 0)
        rc = summarise(proof, f);
    if (rc)
        return rc;
    if (atlas_open_ended(atlas))
        credit_open_ended(proof, question, atlas_access(atlas));
    explain_rules(proof, atlas);
    return 0;
}

int prove_new(struct prove **out, const struct atlas *atlas, const struct prove_question *question,
              struct fault *f)
{
    struct prove *proof = calloc(1, sizeof(*proof));
    int rc;

    if (!proof)
        return fault_nomem(f);
    rc = work_out(proof, atlas, question, f);
    if (rc) {
        prove_free(proof);
        return rc;
    }
    *out = proof;
    return 0;
}

void prove_free(struct prove *proof)
{
    if (!proof)
        return;
    free(proof->ranges);
    free(proof->summaries);
    free(proof->rules);
    free(proof);
}

size_t prove_ranges(const struct prove *proof)
{
    return proof->n_ranges;
}

const struct prove_range *prove_range(const struct prove *proof, size_t i)
{
    return &proof->ranges[i];
}

size_t prove_summaries(const struct prove *proof)
{
    return proof->n_summaries;
}

const struct prove_summary *prove_summary(const struct prove *proof, size_t i)
{
    return &proof->summaries[i];
}

size_t prove_rules(const struct prove *proof)
{
    return proof->n_rules;
}

const struct prove_rule *prove_rule(const struct prove *proof, size_t i)
{
    return &proof->rules[i];
}

const char *prove_state_name(enum prove_state state)
{
    switch (state) {
    case PROVE_CLOSED: return "closed";
    case PROVE_PARTLY: return "partly";
    case PROVE_OPEN: return "open";
    }
    return "";
}

const char *prove_effect_name(enum prove_effect effect)
{
    switch (effect) {
    case PROVE_EFFECT: return "effect";
    case PROVE_REDUNDANT: return "redundant";
    case PROVE_SHADOWED: return "shadowed";
    case PROVE_NO_NUMBER: return "no-number";
    case PROVE_SPELLING: return "spelling";
    case PROVE_NOT_IN_FORCE: return "not-in-force";
    }
    return "";
}
