/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_ATTEMPT_H
#define SEKISHO_GUARD_ATTEMPT_H

#include <stdint.h>

#include "base/address.h"
#include "base/instant.h"
#include "base/span.h"

/*
 * An attempt: one try to authenticate on a switch (or something in its place: a call without
 * credentials, a probe, bytes that are no SIP), as one witness saw it. The one thing that every intake
 * produces and the only thing that the guard is told about the outside.
 */

/* Who saw it. Witnesses of one switch are counted separately and the largest count decides, so that
 * nobody has to find out which of their attempts are the same one. */
enum witness {
    WITNESS_WIRE, /* packets beside the switch */
    WITNESS_HEP,  /* packets that the switch reports */
    WITNESS_AMI,  /* security events of Asterisk's manager */
    WITNESS_LOG,  /* Asterisk's security log */
};
#define WITNESSES 4

enum outcome {
    OUTCOME_SUCCESS,
    OUTCOME_WRONG_CREDENTIALS, /* credentials were sent and refused */
    OUTCOME_UNKNOWN_ACCOUNT,   /* the switch said that it does not have the account */
    OUTCOME_CHALLENGED,   /* asked without credentials, answered by a challenge: every phone does */
    OUTCOME_REFUSED_CALL, /* a call without credentials, refused */
    OUTCOME_PROBE,        /* OPTIONS of a stranger, or a scanner's User-Agent */
    OUTCOME_MALFORMED,    /* no SIP message, or one that no phone sends */
    OUTCOME_LISTED,       /* refused by a list of the switch's own (ACL) */
};
#define OUTCOMES 8

/*
 * How well it is proved that the source address sent it.
 *
 * PROVED: the transport is TCP, TLS or WebSocket (there was a handshake), or the credentials echo a nonce that
 * wire or HEP saw going out to this very address. SHARED: that nonce went out to others too, so each of them may have
 * sent it. ELSEWHERE: they echo a nonce that went out to another address.
 * UNPROVED: none of these: one packet with any source address looks like that.
 *
 * Log and AMI do not see nonces. What they report over UDP is UNPROVED; the guard makes it PROVED when wire or
 * HEP of the same switch vouch for it (guard_vouch() in guard.h, where that contract stands). Intake never
 * pairs by itself.
 */
enum proof { PROOF_NONE, PROOF_ELSEWHERE, PROOF_SHARED, PROOF_PROVED };
#define PROOFS 4

enum transport {
    TRANSPORT_UNKNOWN,
    TRANSPORT_UDP,
    TRANSPORT_TCP,
    TRANSPORT_TLS,
    TRANSPORT_WS,
    TRANSPORT_WSS,
};
#define TRANSPORTS 6

enum method {
    METHOD_UNKNOWN, /* the witness does not tell (log, AMI), or it is another */
    METHOD_REGISTER,
    METHOD_INVITE,
    METHOD_OPTIONS,
    METHOD_SUBSCRIBE,
    METHOD_MESSAGE,
    METHOD_BYE,
    METHOD_ACK,
};
#define METHODS 8

/* Spans are borrowed for the call that they are given to, may be empty, and hold any bytes of any length. */
struct attempt {
    struct instant at; /* when the witness was told; not the time stamp in a log line */
    int64_t switch_id; /* the switch whose witness it is */
    enum witness witness;
    enum outcome outcome;
    enum proof proof;
    enum transport transport;
    enum method method;
    bool account_known;    /* Sekisho has this account: it is no invented name */
    struct address source; /* family 0: not known; counts for the account only */
    struct span account;   /* user name of the credentials, else of From */
    struct span realm;
    struct span user_agent;
    struct span dialled; /* user part of the Request-URI of a call */
    struct span call_id;
    /*
     * A number for the credentials as they were sent (nonce, response, cnonce and nc hashed with a key of the
     * witness's), 0 when there are none or the witness does not see them. The same number from the same source
     * within 32 s is a retransmission of one attempt, and says nothing new: the same guess. At most
     * ATTEMPT_RETRANSMITS pass as such.
     */
    uint64_t credentials;
    /* Of a success: the switch may have meant another request. It makes nobody known good; but it may be a thief's. */
    bool doubtful;
};

/* What a witness hands it on to; spans are borrowed for the call. */
typedef void attempt_fn(void *arg, const struct attempt *attempt);

#define ATTEMPT_RETRANSMITS                                                                        \
    10 /* of a request that is not INVITE, RFC 3261 17.1.2: timers E and F */

/* Whether it says that somebody was refused: everything but SUCCESS and CHALLENGED. */
bool outcome_is_failure(enum outcome outcome);
/* Whether it is noise rather than a guess at an account: PROBE, MALFORMED. */
bool outcome_is_noise(enum outcome outcome);

/* Whether it may have been a guess at a password: with an invented nonce no switch looks at it. Log and AMI do not tell
 * one from the other. */
bool attempt_is_guess(const struct attempt *attempt);

/* Words for reports, metrics and files: "wire", "wrong-credentials", "proved", "udp", "REGISTER". */
const char *witness_name(enum witness witness);
const char *outcome_name(enum outcome outcome);
const char *proof_name(enum proof proof);
const char *transport_name(enum transport transport);
const char *method_name(enum method method);

/* The other way round; false for an unknown word. */
bool witness_from(struct span word, enum witness *out);
bool outcome_from(struct span word, enum outcome *out);
bool proof_from(struct span word, enum proof *out);
bool transport_from(struct span word, enum transport *out);
bool method_from(struct span word, enum method *out);

#endif
