/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_RULE_H
#define SEKISHO_POLICY_RULE_H

#include <stdint.h>

#include "base/fault.h"

enum rule_action { RULE_RESTRICT, RULE_EXCEPT };

/* Nearer levels come first: on a tie of length the nearer decides. */
enum rule_level { LEVEL_ACCOUNT, LEVEL_TENANT, LEVEL_OPERATOR };

#define RULE_PREFIX_MAX 32 /* digits of a prefix, at least 1, of [0-9*#+] */
#define RULE_SCHEDULE_MAX 160

/*
 * One restricted number (規制電話番号) or exception. Within one owner (an account, a tenant, the
 * operator) action and prefix identify a rule: there are never two with the same pair.
 */
struct rule {
    enum rule_action action;
    bool mandatory; /* operator level only, and only a restriction */
    int64_t until;  /* wall time in seconds; in force while now < until; 0 is for ever */
    struct span prefix;
    struct span schedule; /* policy/schedule.h; empty is always */
};

/* Checks one rule in itself (form of the prefix, mandatory only on a restriction, schedule). */
int rule_check(const struct rule *rule, struct fault *f);

/* A prefix as people write it: separators ("010-1 212") are dropped, full-width digits folded. A country
 * code behind "+" is refused, since rules match what is dialled; "+" alone is any number keyed with it.
 * Writes the bare digits and NUL. ERR_SYNTAX or ERR_RANGE with a sentence. */
int rule_prefix_clean(struct span text, char out[RULE_PREFIX_MAX + 1], struct fault *f);

/* A prefix of digits alone, which lists are computed of; `what` names it in the sentence. ERR_SYNTAX or
 * ERR_RANGE. */
int rule_prefix_digits(struct span text, const char *what, struct fault *f);

const char *rule_action_name(enum rule_action action); /* "restrict", "except" */
const char *rule_level_name(enum rule_level level);    /* "account", "tenant", "operator" */

#endif
