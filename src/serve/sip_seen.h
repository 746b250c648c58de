/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_SEEN_H
#define SEKISHO_SERVE_SIP_SEEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which INVITEs were counted already: a retransmission is answered again and counted no more. One thread's;
 * pure. It knows a transaction by a keyed hash and for SIP_SEEN_NS (timer B, RFC 3261 section
 * 17.1.1.2). It has SIP_SEEN_SLOTS places, SIP_SEEN_WAYS for each value of a few bits of the hash, where the one
 * that was seen first makes room: then its retransmission would be counted as a call of its own, which takes
 * as many calls within 32 seconds. The answer does not depend on it.
 */
#define SIP_SEEN_SLOTS 65536
#define SIP_SEEN_WAYS 4
#define SIP_SEEN_NS (32 * INT64_C(1000000000))

struct sip_seen {
    struct {
        uint64_t hash; /* 0: nobody */
        int64_t at_ns;
    } slots[SIP_SEEN_SLOTS];
};

/* Brings the place of `hash` near, for sip_seen() a little later. */
void sip_seen_touch(const struct sip_seen *seen, uint64_t hash);

/* `hash` is not 0. False the first time, which it remembers. */
bool sip_seen(struct sip_seen *seen, uint64_t hash, int64_t now_ns);

#endif
