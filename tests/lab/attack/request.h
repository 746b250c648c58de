/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LAB_ATTACK_REQUEST_H
#define SEKISHO_LAB_ATTACK_REQUEST_H

#include "plan.h"

/* What a switch asked a source to answer. */
struct challenge {
    char realm[64], nonce[192], opaque[96];
    bool known, qop, proxy;
    unsigned used; /* times that this nonce was echoed */
};

struct request {
    const struct plan *plan;
    struct address from; /* with the port that replies come to */
    struct span account;
    uint32_t salt; /* of this run: what went before is no retransmission */
    uint64_t id;   /* in the branch: the switch echoes it */
    uint32_t cseq;
    unsigned dialog;                   /* in the Call-ID */
    const struct challenge *challenge; /* NULL: without credentials */
    const char *password;
    struct span to_tag; /* of an ACK */
    bool ack;
};

/* One SIP request; `out` is cleared before. */
void request_write(struct buf *out, const struct request *request);

/* The branch is "z9hG4bKa", the salt in 8 and the id in 16 hexadecimal digits. False for what is none of ours. */
bool request_id(struct span branch, uint32_t salt, uint64_t *id);

#endif
