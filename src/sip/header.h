/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_HEADER_H
#define SEKISHO_SIP_HEADER_H

#include <stdint.h>

#include "base/span.h"

/* The header fields that somebody in this house reads. */
enum sip_header {
    SIP_H_OTHER, /* any other */
    SIP_H_VIA,
    SIP_H_FROM,
    SIP_H_TO,
    SIP_H_CALL_ID,
    SIP_H_CSEQ,
    SIP_H_CONTACT,
    SIP_H_MAX_FORWARDS,
    SIP_H_CONTENT_LENGTH,
    SIP_H_CONTENT_TYPE,
    SIP_H_EXPIRES,
    SIP_H_AUTHORIZATION,
    SIP_H_PROXY_AUTHORIZATION,
    SIP_H_WWW_AUTHENTICATE,
    SIP_H_PROXY_AUTHENTICATE,
    SIP_H_USER_AGENT,
    SIP_H_SERVER,
    SIP_H_P_ASSERTED_IDENTITY,
    SIP_H_P_PREFERRED_IDENTITY,
    SIP_H_REMOTE_PARTY_ID,
    SIP_H_DIVERSION,
    SIP_H_HISTORY_INFO,
    SIP_H_PRIVACY,
    SIP_H_ROUTE,
    SIP_H_RECORD_ROUTE,
    SIP_H_REQUIRE,
    SIP_H_PROXY_REQUIRE,
    SIP_H_SUPPORTED,
    SIP_H_REFER_TO,
    SIP_H_REFERRED_BY,
    SIP_H_REPLACES,
};
#define SIP_HEADERS (SIP_H_REPLACES + 1)

/* By its name, in any case, or its compact form. All from the name up to `end` may be read. */
enum sip_header sip_header_find(struct span name, const char *end);

/* "Call-ID"; "" for SIP_H_OTHER. */
const char *sip_header_name(enum sip_header header);

/* May it stand only once in a message, with one value? */
bool sip_header_is_single(enum sip_header header);

#endif
