/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_MINIMAL_H
#define SEKISHO_POLICY_MINIMAL_H

#include "policy/rule.h"

/*
 * The fewest rules that do what is wanted below a prefix: of restrictions and exceptions, the longest
 * match deciding, or of restrictions only, for systems that know nothing else. (The first is the
 * optimal routing table of Draves, King, Venkatachary and Zill, "Constructing optimal IP routing
 * tables", 1999.) Exact for every number at or beyond the depth of the wanted prefixes; a string that
 * is only the beginning of one is no number yet, as in complement.h. What may be EITHER joins what spares
 * rules; where it spares none, it is closed with its brothers rather than opened with them.
 */
struct minimal;

enum minimal_outcome { MINIMAL_OPEN, MINIMAL_CLOSED, MINIMAL_EITHER };

/* What is wanted of all numbers that begin with `prefix`, where no longer prefix says otherwise. */
struct minimal_want {
    struct span prefix;
    enum minimal_outcome outcome;
};

enum minimal_form { MINIMAL_WITH_EXCEPTIONS, MINIMAL_RESTRICTIONS };

#define MINIMAL_WANTS_MAX 16384
#define MINIMAL_RULES_MAX 16384 /* as many as an owner can have rules */

/*
 * `root` and prefixes are digits only, at most RULE_PREFIX_MAX; prefixes begin with the root. Where no
 * want says anything, below the root all is to be OPEN. Without any of the list's rules all is taken
 * to be open; no rule begins above the root. Refused with a sentence: what is no digit or too long, a
 * prefix that does not lie under the root (ERR_RANGE), two wants for one prefix (ERR_EXISTS), a list
 * that would be too long (ERR_FULL).
 */
int minimal_new(struct minimal **out, struct span root, const struct minimal_want *wants, size_t n,
                enum minimal_form form, struct fault *f);
void minimal_free(struct minimal *list);

size_t minimal_count(const struct minimal *list);
/* Rule `i`, sorted by prefix, without until and schedule; its prefix lives as long as the list. */
struct rule minimal_rule(const struct minimal *list, size_t i);

#endif
