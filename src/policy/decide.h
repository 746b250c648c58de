/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_DECIDE_H
#define SEKISHO_POLICY_DECIDE_H

#include "numbering/number.h"
#include "numbering/site.h"
#include "policy/ruleset.h"
#include "policy/verdict.h"

enum account_state { ACCOUNT_ACTIVE, ACCOUNT_SUSPENDED, ACCOUNT_LOCKED };

/* The rules that bear on one account, nearest level first. Borrowed. */
struct decide_rules {
    const struct ruleset *account;
    const struct ruleset *const *tenants; /* its own tenant's, then the parents', outward */
    size_t n_tenants;
    const struct ruleset *operator_rules; /* without the mandatory ones */
    const struct ruleset *mandatory;      /* the operator's; restrictions only */
    /* Signs (ruleset_signs()) that none of the sets above the account's has; 0, where that has not been
     * worked out, is fine. */
    uint32_t silent;
};

/* The rule that decides, and whose it is. */
struct decide_finding {
    const struct ruleset *set; /* NULL: no rule matches */
    struct ruleset_match match;
    enum rule_level level;
    bool mandatory;
    size_t tenant; /* LEVEL_TENANT: which of `tenants` */
};

struct decide_question {
    const struct number *number;      /* NULL: UNAVAILABLE */
    const struct decide_rules *rules; /* NULL: UNAVAILABLE, except for an emergency */
    const struct site *site;          /* NULL: nothing can be rebuilt, only emergencies pass */
    enum number_form form;
    bool unknown; /* there is no such account, and the switch does not adopt */
    enum account_state state;
    bool stopped;                  /* international-locked at any scope */
    bool source_good;              /* the source is known to be good for this account */
    bool observe;                  /* the switch or the tenant only watches */
    const struct span *help_lines; /* the operator's, canonical dialled form, exact */
    size_t n_help_lines;
    struct ruleset_moment when;
    int64_t change;
};

/*
 * From a number to a verdict, in the order of DESIGN.md ("Policy"), all but the caps. Always gives an
 * answer. Allocates nothing, reads no clock.
 *
 * - EMERGENCY is allowed before anything else is looked at. Of all other pointers of the question any
 *   may be NULL. A site that cannot rebuild it gets `dialled`.
 * - A rule matches the canonical form and the literal digits; both outcomes are worked out and the
 *   stricter stands. So an exception 0101212 holds for +1212… as well (its literal digits match no
 *   rule), a restriction on what was keyed (0033, 184) holds, and an exception that only the
 *   literal digits match does not loosen what holds for the canonical form.
 * - FORWARDING: the rules are asked about its target and about the literal digits. It is never
 *   allowed by a lock or a stop, whatever its target; a target that is an extension is not asked about.
 * - An open-ended number (an operator completes the call) is denied where a rule would deny any number
 *   that begins with its `dialled`: the rule that decides for `dialled` itself restricts, or there is
 *   a restriction below it that no exception of the same prefix at a nearer level lifts. A stop denies
 *   it too.
 * - max_seconds: until the moment at which the rules, exceptions having ended, would deny.
 */
void decide(const struct decide_question *question, struct verdict *out);

/* Whether a stop closes it: international, premium, forwarded, or what may become one of these. */
bool decide_closed_when_stopped(const struct number *number);

/* What the rules alone (steps 4 and 5) say of a number whose literal digits are its canonical form:
 * true where they allow it. `rule` gets the one that decides. */
bool decide_by_rules(const struct decide_rules *rules, const struct ruleset_key *canonical,
                     bool open_ended, const struct ruleset_moment *when,
                     struct decide_finding *rule);

/* The same of a number that is not open-ended, as if the rule `but` were not there. */
bool decide_without(const struct decide_rules *rules, const struct ruleset_key *canonical,
                    const struct decide_finding *but, const struct ruleset_moment *when);

#endif
