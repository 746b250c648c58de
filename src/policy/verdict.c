/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/verdict.h"

const char *verdict_action_name(enum verdict_action action)
{
    switch (action) {
    case VERDICT_ALLOW: return "allow";
    case VERDICT_DENY: return "deny";
    }
    return NULL;
}

const char *verdict_reason_name(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_EMERGENCY: return "emergency";
    case REASON_INTERNAL: return "internal";
    case REASON_UNRESTRICTED: return "unrestricted";
    case REASON_EXCEPTION: return "exception";
    case REASON_HELP_LINE: return "help-line";
    case REASON_RESTRICTED: return "restricted";
    case REASON_MANDATORY: return "mandatory";
    case REASON_UNKNOWN_ACCOUNT: return "unknown-account";
    case REASON_SUSPENDED: return "suspended";
    case REASON_LOCKED: return "locked";
    case REASON_STOPPED: return "stopped";
    case REASON_MALFORMED: return "malformed";
    case REASON_INVALID: return "invalid";
    case REASON_INCOMPLETE: return "incomplete";
    case REASON_UNKNOWN_NUMBER: return "unknown-number";
    case REASON_NO_TARGET: return "no-target";
    case REASON_NO_AREA: return "no-area";
    case REASON_UNAVAILABLE: return "unavailable";
    }
    return NULL;
}
