/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_NONCES_H
#define SEKISHO_INTAKE_NONCES_H

#include "base/address.h"

/*
 * Which nonce went out to which address: who sends it back has received what was sent there. Ports do not count (NAT
 * changes them). Memory is taken once.
 *
 * A nonce that went out to two addresses proves neither of them: whoever got it himself could send it in the name of
 * the other, and could have had it sent there by asking in that name. (Kamailio gives all that ask in one second the
 * same nonce, unless it is told to give each its own: nonce_count or one_time_nonce of its module auth. Asterisk's is
 * one for each address and second.) Of a shared nonce each address that it went to is kept, to tell who sent it back.
 * One that nonces_of_second() knows is shared from the beginning: others may get it where nobody looks, by TLS.
 *
 * Buckets are chosen by a keyed hash of the nonce, which the switch makes. In a full one the oldest that nobody has sent
 * back gives way, and only where there is none the oldest of the others: to be forgotten, a nonce must wait unused
 * while the switch gives away as many challenges as the table has places. Forgotten, it proves nothing. Pure.
 */
#define NONCES_WAYS 8
#define NONCES_KEPT_NS (3600 * INT64_C(1000000000))

enum nonce_found {
    NONCE_UNKNOWN,   /* invented, too old, or pushed out */
    NONCE_ELSEWHERE, /* went out, but not to this address */
    NONCE_SHARED,    /* went out to this address, and others may have it too */
    NONCE_HERE,
};

struct nonces;

/* `buckets` of NONCES_WAYS, 48 bytes each. NULL without memory. */
struct nonces *nonces_new(size_t buckets, const uint8_t key[16]);
void nonces_free(struct nonces *nonces);

/* What stands for a nonce of that switch here; never 0. */
uint64_t nonces_id(const struct nonces *nonces, int64_t switch_id, struct span nonce);

/* Whether everybody who asks in the same second gets it: a nonce of Kamailio's or SER's that is two times, of which the
 * second is within a day of `wall_s`, and a hash of them, in base64, with nothing of the address and no number. */
bool nonces_of_second(struct span nonce, int64_t wall_s);

/* It went out, in a challenge of that realm. `shared`: others may have it, seen or not. True when they do. */
bool nonces_sent(struct nonces *nonces, uint64_t id, const struct address *to, struct span realm,
                 bool shared, int64_t boot_ns);

/* It came back. */
enum nonce_found nonces_came(struct nonces *nonces, uint64_t id, const struct address *from,
                             int64_t boot_ns);

/* What stands for a realm here, never 0; and for that with which the nonce went out last: 0 for one that is not known. */
uint64_t nonces_realm_id(const struct nonces *nonces, struct span realm);
uint64_t nonces_realm(const struct nonces *nonces, uint64_t id, int64_t boot_ns);

/* Is it known to have gone to this address, and has nobody sent it back from there? */
bool nonces_unused(const struct nonces *nonces, uint64_t id, const struct address *to,
                   int64_t boot_ns);

#endif
