/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CHALLENGE_H
#define SEKISHO_INTAKE_CHALLENGE_H

#include "intake/claim.h"
#include "intake/exchange.h"
#include "intake/nonces.h"

/* What a reply asks credentials for. Pure. */
struct challenge {
    bool is; /* 401 or 407 */
    bool stale;

    /* Each algorithm has a line, perhaps with a nonce of its own (RFC 8760); each server behind a proxy may ask for a realm
     * of its own. `many`: and more. */
    uint64_t realms[CLAIM_REALMS], nonces[CLAIM_REALMS];
    size_t n_realms, n_nonces;
    bool many;
    unsigned shared; /* of all nonces those that others may have too */
};

/* Remembers all nonces that go out with it. */
struct challenge challenge_read(struct nonces *nonces, const struct exchange_message *message,
                                const struct sip_message *m);

/* Does it ask for other realms than the credentials were for, and for those alone? One of theirs among several was
 * refused. */
bool challenge_asks_for_more(const struct challenge *challenge, const struct claim *claim);

#endif
