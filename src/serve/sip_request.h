/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_REQUEST_H
#define SEKISHO_SERVE_SIP_REQUEST_H

#include "numbering/number.h"
#include "policy/levels.h"
#include "sip/message.h"
#include "sip/uri.h"
#include "sip/via.h"

/*
 * What a switch asks in one SIP request (docs/sip.md). Pure; spans are views into the bytes that were
 * read, or into the struct itself, which must not be moved.
 *
 * Sekisho is a stateless UAS (RFC 3261 section 8.2.7): it sends no provisional response, and ignores ACK
 * and CANCEL.
 */
enum sip_request_kind {
    SIP_REQUEST_QUESTION, /* an INVITE: authorize() has the answer */
    SIP_REQUEST_ANSWER,   /* `status` is the answer */
    SIP_REQUEST_ABSORBED, /* ACK or CANCEL: nothing is to be said */
    SIP_REQUEST_GARBAGE, /* no request, or one whose answer could not be written: nothing can be said */
};

#define SIP_REQUEST_ACCOUNT_MAX 192 /* bytes, still escaped: three for each that a name may have */

struct sip_request {
    enum sip_request_kind kind;
    unsigned status;   /* of an ANSWER: 200, 400, 405, 420, 481 or 505 */
    const char *fault; /* of a 400: what is wrong, in words of ours */
    bool emergencies; /* of a 400 or 420 to an INVITE: an emergency call is answered all the same */
    struct sip_message m;
    struct via via; /* the topmost */
    struct span via_whole;
    struct sip_values vias; /* those behind it */
    bool tagged;            /* To has a tag */
    struct uri uri;         /* the Request-URI, where `has_uri` */
    bool has_uri;

    /* Of a question, and where `emergencies`. */
    struct span account; /* empty: nobody is named, or more than one */
    struct span dialled;
    struct span remote; /* the address that the switch was asked from; empty: not known */
    char account_room[SIP_REQUEST_ACCOUNT_MAX], dialled_room[NUMBER_BYTES_MAX];
};

/* `bytes` is one datagram, or one message of a stream; `terms` are those of the switch that sent it. */
void sip_request_read(struct sip_request *out, struct span bytes, const struct levels_sip *terms);

/* What has been read came over a stream, where what does not say how long it is is malformed (RFC 3261 section
 * 18.3). */
void sip_request_need_length(struct sip_request *request);

#endif
