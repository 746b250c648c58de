/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_SECURITY_KIND_H
#define SEKISHO_INTAKE_SECURITY_KIND_H

#include "guard/attempt.h"

/*
 * What Asterisk's security events (13 to 22) have in common, in the log and over AMI: their names, the
 * order of their fields, and what each says about an attempt. Pure.
 *
 * Both write the same fields in the same order, unescaped:
 *
 *   EventTV Severity Service EventVersion AccountID SessionID LocalAddress RemoteAddress, then the
 *   event's own
 *
 * Up to EventVersion, and both addresses, are Asterisk's own words. AccountID (a name from From, percent-
 * decoded), SessionID (chan_pjsip: the Call-ID) and, of some events, what stands behind RemoteAddress
 * (nonce and response as they were sent) are the peer's, and may hold anything that can be mistaken for the
 * rest of an event, or for whole ones. What makes them tellable apart is where they stand and how long
 * they can be. AccountID has at most 79 bytes with chan_sip and 31 with chan_pjsip: both addresses do not fit
 * in. chan_sip's SessionID is a pointer, and a Call-ID holds no line ends. chan_pjsip cuts nonce and response at
 * 63 and 255 bytes: a whole event fits into that, with the end before it that the event around it needs, but
 * not behind a response that looks like one. So the form of Asterisk's words is checked strictly, and a
 * response that is none makes what comes next unbelievable, for SECURITY_SPLIT_MAX bytes.
 */
#define SECURITY_ACCOUNT_MAX 79 /* of one that holds line ends */
#define SECURITY_SPLIT_MAX 400  /* more than a peer can write behind RemoteAddress */

enum security_reading {
    SECURITY_ATTEMPT,
    SECURITY_NOTHING, /* understood, and no attempt: another service, an event of other meaning */
    SECURITY_HELD,    /* the event goes on in what comes next */
    SECURITY_DROPPED, /* split or forged, or too near to one that was */
    SECURITY_NOT_UNDERSTOOD, /* calls itself a security event, and is none that we know */
    SECURITY_NOT_EVENT,      /* something else */
    SECURITY_FOREIGN, /* a line of another channel, which an attacker can make hold anything */
};

struct security_kind {
    const char *name;
    bool tells; /* it is an attempt, with this outcome */
    enum outcome outcome;
    bool hostile;            /* what the peer sent stands behind RemoteAddress */
    bool without_account;    /* SessionID comes right behind EventVersion */
    const char *required[4]; /* behind RemoteAddress, in this order; up to NULL */
    const char *optional[6]; /* behind those, in this order, each may be absent */
};

/* NULL for a name that is none. */
const struct security_kind *security_kind(struct span name);

/* "IPV4/UDP/192.0.2.1/5060", "IPV6/TLS/2001:db8::1/5061": true, and both outs are written, where it is one
 * whole and nothing else. */
bool security_address(struct span text, struct address *address, enum transport *transport);

/* What Asterisk itself writes: "2026-11-24T02:33:00.143+0000"; "Informational" or "Error"; a name of
 * letters and digits; a number. */
bool security_is_time(struct span s);
bool security_is_severity(struct span s);
bool security_is_service(struct span s);
bool security_is_version(struct span s);
/* A digest in hexadecimal, of MD5 or SHA-256: what every phone sends as its response. */
bool security_is_digest(struct span s);
bool security_is_sip(struct span service);
/* Whether `session` can be of `service`: chan_sip writes a pointer, chan_pjsip the Call-ID. */
bool security_is_session(struct span service, struct span session);

/*
 * For one request of an unknown account, or refused by a list, chan_pjsip reports that, and then a
 * failed response to a challenge by "<unknown>": one attempt, two events. Each report lets one such echo
 * pass as what it is; an echo without its report (auth_username identification holds some back) counts.
 */
struct security_echoes {
    uint64_t seen[16];
    unsigned next;
};

/* The fields of one event, whose form was found to be good. */
struct security_fields {
    const struct security_kind *kind;
    struct span service;
    struct span account;
    struct span session;
    struct address source; /* family 0 where two places could be its */
    enum transport transport;
    bool used_password; /* of SuccessfulAuth */
};

/* Makes an attempt of them: everything but `at`, `switch_id`, `witness` and what only others know.
 * SECURITY_ATTEMPT, or SECURITY_NOTHING. */
enum security_reading security_attempt(struct security_echoes *echoes,
                                       const struct security_fields *fields, struct attempt *out);

#endif
