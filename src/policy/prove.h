/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_PROVE_H
#define SEKISHO_POLICY_PROVE_H

#include "numbering/atlas.h"
#include "policy/decide.h"

/*
 * "What does this list still let through?" A proof divides all numbers of a dial plan into ranges that
 * the rules leave open and ranges that they close, exactly: decide() says the same about every number
 * in its canonical spelling. (A rule that matches only how a number is keyed, 0033 or 184, can close
 * other spellings; it never opens anything.) States of the account (a lock, a stop) are not rules and
 * play no part, nor do caps; emergency numbers are always open, extensions are not in it.
 */
struct prove;

/* Whose rules, and when. One rule set alone is `account` of the rules, all else NULL. Borrowed. */
struct prove_question {
    const struct decide_rules *rules;
    struct ruleset_moment when;
};

/* Rules are numbered through all levels: account, tenants outward, operator, mandatory, each in the
 * order of ruleset_rule(). */
#define PROVE_NO_RULE UINT32_MAX

/*
 * All strings that begin with `prefix`, or (`whole`) exactly this one. The numbers among them are all
 * of `traits`; `exists` false: there are none, they are nobody's, and would be open or closed if there
 * were.
 */
struct prove_range {
    char prefix[RULE_PREFIX_MAX + 1];
    bool whole;
    bool exists;
    bool open;
    bool mixed;                 /* by length, some are of another kind; `traits` are the worst */
    struct atlas_traits traits; /* where it exists */
    uint32_t rule;              /* one that decides, or PROVE_NO_RULE: none matches */
};

enum prove_state { PROVE_CLOSED, PROVE_PARTLY, PROVE_OPEN };

/* What is alike in class and kind, or all of one country abroad. Only what exists is counted. */
struct prove_summary {
    const struct country *country; /* abroad; NULL for a national class */
    enum number_class class;
    enum number_kind kind; /* KIND_NONE for a country */
    bool open_ended;       /* calls that an operator completes */
    enum prove_state state;
    enum number_risk open_risk; /* the highest that is open */
    enum number_risk risk;      /* the highest of all */
    size_t open, closed;        /* ranges */
};

/* Of each rule by itself: of two that do the same, each is redundant, and both together are not. */
enum prove_effect {
    PROVE_EFFECT, /* without it some number would be open that is closed, or closed that is open */
    PROVE_REDUNDANT,    /* decides for some numbers, but others would decide the same without it */
    PROVE_SHADOWED,     /* matches numbers, and others decide for all of them */
    PROVE_NO_NUMBER,    /* begins no number of the plan */
    PROVE_SPELLING,     /* begins no number of the plan, but something that can be keyed for one */
    PROVE_NOT_IN_FORCE, /* until or schedule */
};

struct prove_rule {
    char prefix[RULE_PREFIX_MAX + 1];
    enum rule_action action;
    enum rule_level level;
    bool mandatory;
    size_t tenant; /* LEVEL_TENANT: which, counted outward from 0 */
    enum prove_effect effect;
    int64_t until;
    struct span schedule; /* lives as long as the rules */
};

/* ERR_NOMEM; ERR_FULL where the rules cut the plan into more than 131,072 ranges. Borrows the atlas's
 * countries and the rules' schedules, nothing else. */
int prove_new(struct prove **out, const struct atlas *atlas, const struct prove_question *question,
              struct fault *f);
void prove_free(struct prove *proof);

/* Sorted by prefix as ASCII sorts, a whole number before what begins with it; disjoint, and together
 * all strings of digits; brothers that are alike are one range, and nobody's numbers join what
 * surrounds them where the rules treat them alike. */
size_t prove_ranges(const struct prove *proof);
const struct prove_range *prove_range(const struct prove *proof, size_t i);

/* Countries abroad by ISO code, those of no country ("001") by name; the own country last, with
 * class and kind. */
size_t prove_summaries(const struct prove *proof);
const struct prove_summary *prove_summary(const struct prove *proof, size_t i);

size_t prove_rules(const struct prove *proof);
const struct prove_rule *prove_rule(const struct prove *proof, size_t i);

/* ---- comparison ---- */

enum prove_relation {
    PROVE_EQUAL,
    PROVE_STRICTER, /* the first closes all that the second closes, and more */
    PROVE_LOOSER,
    PROVE_DIFFERENT, /* each closes something that the other leaves open */
};

/* The shortest prefix, and of these the smallest, below which one side is open and the other closed
 * throughout. */
struct prove_example {
    bool there; /* else there is none, and nothing else is set */
    char prefix[RULE_PREFIX_MAX + 1];
    bool whole;
    bool exists;                    /* numbers of it exist; then: */
    struct atlas_traits traits;     /* of `number` */
    char number[NUMBER_DIGITS_MAX]; /* a whole one */
};

struct prove_difference {
    /* Over all strings of digits (and what begins with a rule's * # +), whether numbers or not. */
    enum prove_relation strings;
    enum prove_relation numbers; /* over the numbers that exist */
    /* Where the first closes and the second leaves open, and the other way; of numbers that exist if
     * there are such, else of any. */
    struct prove_example stricter, looser;
};

int prove_compare(struct prove_difference *out, const struct atlas *atlas,
                  const struct prove_question *first, const struct prove_question *second,
                  struct fault *f);

const char *prove_state_name(enum prove_state state);          /* "closed", "partly", "open" */
const char *prove_effect_name(enum prove_effect effect);       /* "effect", "redundant", "shadowed",
                                                    "no-number", "spelling", "not-in-force" */
const char *prove_relation_name(enum prove_relation relation); /* "equal", "stricter", "looser",
                                                                  "different" */

#endif
