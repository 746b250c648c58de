/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_REPLY_H
#define SEKISHO_SERVE_SIP_REPLY_H

#include "base/address.h"
#include "policy/verdict.h"
#include "serve/sip_request.h"

/*
 * The answer to a request of sip_request.h, as bytes (RFC 3261 section 8.2.6). Pure.
 *
 * It repeats Via, From, To, Call-ID and CSeq as they came (a fold becomes a space), and holds besides only
 * what its status needs. The topmost Via gets the address and port that the request came from, by sections
 * 18.2.1 of RFC 3261 and 4 of RFC 3581; whatever `received` and `rport` said before is gone. To gets `tag`
 * unless it has one.
 */
struct sip_answer {
    unsigned status;
    const char *fault;             /* of a 400, in words of ours */
    const struct verdict *verdict; /* of a 302: what to dial; where `reason`: why not */
    bool reason;                   /* with a Reason header field (RFC 3326) */
};

/* What a verdict is among these switches. An allowed call that nobody can dial (mode observe, and nothing
 * that could be a number) is redirected to where it was going, and refused where that is no URI. */
struct sip_answer sip_answer_of(const struct sip_request *request, const struct levels_sip *terms,
                                const struct verdict *verdict);

/* Writes at most `size` bytes to `out`, which is not within the request. Returns how many; 0 where it
 * does not fit, or where what it must repeat holds a control byte. `request` is no GARBAGE. */
size_t sip_reply(const struct sip_request *request, const struct sip_answer *answer,
                 const struct address *source, uint64_t tag, char *out, size_t size);

#endif
