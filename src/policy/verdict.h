/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_VERDICT_H
#define SEKISHO_POLICY_VERDICT_H

#include "numbering/number.h"
#include "policy/rule.h"

enum verdict_action { VERDICT_ALLOW, VERDICT_DENY };

/* Why. The words (verdict_reason_name) are part of the interface: dialplans and reports read them. */
enum verdict_reason {
    /* allow */
    REASON_EMERGENCY,    /* "emergency" */
    REASON_INTERNAL,     /* "internal" */
    REASON_UNRESTRICTED, /* "unrestricted": no rule in force matches */
    REASON_EXCEPTION,    /* "exception": the rule named is an exception */
    REASON_HELP_LINE,    /* "help-line": open even to a locked account */
    /* deny */
    REASON_RESTRICTED,      /* "restricted": the rule named is a restricted number */
    REASON_MANDATORY,       /* "mandatory": a mandatory rule of the operator */
    REASON_UNKNOWN_ACCOUNT, /* "unknown-account" */
    REASON_SUSPENDED,       /* "suspended" */
    REASON_LOCKED,          /* "locked": lockout, and the source is not known to be good */
    REASON_STOPPED,         /* "stopped": international-locked (`sekisho stop`, a takeover) */
    REASON_MALFORMED,       /* "malformed" */
    REASON_INVALID,         /* "invalid" */
    REASON_INCOMPLETE,      /* "incomplete" */
    REASON_UNKNOWN_NUMBER,  /* "unknown-number" */
    REASON_NO_TARGET,       /* "no-target": a forwarding code without a number */
    REASON_NO_AREA,         /* "no-area": a local number, and no area code is configured */
    REASON_UNAVAILABLE,     /* "unavailable": Sekisho itself could not decide (fails closed) */
};

struct verdict {
    enum verdict_action action;
    enum verdict_reason reason;
    /* Mode observe: `action` is allow, and `reason` says why it would have been a refusal. */
    bool observed;
    /* The rule that decided, where one did; else prefix is "". */
    enum rule_action rule_action;
    enum rule_level rule_level;
    char rule_prefix[RULE_PREFIX_MAX + 1];
    /* The change number of the snapshot that decided; 0 without a daemon. */
    int64_t change;
    /* How long the call may last: until the exception that allows it ends. 0 is no limit. */
    uint32_t max_seconds;
    /* What to dial, "" on deny. Of an observed allow that cannot be rebuilt, the digits as dialled; ""
     * where there are none (malformed), and then no switch can dial it. */
    char dial[NUMBER_DIGITS_MAX];
};

const char *verdict_action_name(enum verdict_action action); /* "allow", "deny" */
const char *verdict_reason_name(enum verdict_reason reason);

#endif
