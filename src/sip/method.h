/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_METHOD_H
#define SEKISHO_SIP_METHOD_H

#include "base/span.h"

enum sip_method {
    SIP_OTHER, /* a method that is none of those below */
    SIP_REGISTER,
    SIP_INVITE,
    SIP_ACK,
    SIP_CANCEL,
    SIP_BYE,
    SIP_OPTIONS,
    SIP_SUBSCRIBE,
    SIP_NOTIFY,
    SIP_MESSAGE,
    SIP_REFER,
    SIP_INFO,
    SIP_UPDATE,
    SIP_PRACK,
    SIP_PUBLISH,
};

/* Methods differ by case (RFC 3261 section 7.1), but PBXs take "register" for REGISTER too: what is one
 * in another case is found, and `exact` becomes false. */
enum sip_method sip_method_find(struct span name, bool *exact);

/* "REGISTER"; "" for SIP_OTHER. */
const char *sip_method_name(enum sip_method method);

#endif
