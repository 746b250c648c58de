/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/number.h"

const char *number_class_name(enum number_class class)
{
    switch (class) {
    case CLASS_EMERGENCY: return "EMERGENCY";
    case CLASS_INTERNAL: return "INTERNAL";
    case CLASS_NATIONAL: return "NATIONAL";
    case CLASS_FREEPHONE: return "FREEPHONE";
    case CLASS_SHARED_COST: return "SHARED_COST";
    case CLASS_PREMIUM: return "PREMIUM";
    case CLASS_SPECIAL: return "SPECIAL";
    case CLASS_INTERNATIONAL: return "INTERNATIONAL";
    case CLASS_FORWARDING: return "FORWARDING";
    case CLASS_INVALID: return "INVALID";
    case CLASS_INCOMPLETE: return "INCOMPLETE";
    case CLASS_MALFORMED: return "MALFORMED";
    case CLASS_UNKNOWN: return "UNKNOWN";
    }
    return "UNKNOWN";
}

const char *number_kind_name(enum number_kind kind)
{
    switch (kind) {
    case KIND_NONE: return NULL;
    case KIND_GEOGRAPHIC: return "geographic";
    case KIND_MOBILE: return "mobile";
    case KIND_IP: return "ip";
    case KIND_M2M: return "m2m";
    case KIND_LOCAL: return "local";
    case KIND_SATELLITE: return "satellite";
    case KIND_PREMIUM: return "premium";
    case KIND_SHARED_COST: return "shared_cost";
    case KIND_PERSONAL: return "personal";
    case KIND_RISK: return "risk";
    case KIND_OPERATOR: return "operator";
    case KIND_HOME: return "home";
    case KIND_HELP: return "help";
    }
    return NULL;
}

const char *number_presentation_name(enum number_presentation presentation)
{
    switch (presentation) {
    case PRESENTATION_DEFAULT: return "default";
    case PRESENTATION_WITHHOLD: return "withhold";
    case PRESENTATION_SEND: return "send";
    }
    return "default";
}

const char *number_risk_name(enum number_risk risk)
{
    switch (risk) {
    case RISK_NONE: return "none";
    case RISK_LOW: return "low";
    case RISK_MEDIUM: return "medium";
    case RISK_HIGH: return "high";
    }
    return "none";
}
