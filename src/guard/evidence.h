/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_EVIDENCE_H
#define SEKISHO_GUARD_EVIDENCE_H

#include "guard/attempt.h"

/*
 * The attempts that counted, for `why`: two rings, so that what anybody can send (unproved) does not push
 * out what is proved. Each attempt points to the one before it of the same source, of the /64 and /48 around it,
 * and of the same account. What a banned or quenched source does is not kept: nobody fills a ring alone.
 * The oldest is overwritten; whoever wants to keep an attempt takes it when a decision names it.
 */
#define EVIDENCE_TEXT 40 /* what is kept of a name, a number, a User-Agent */

enum evidence_chain { CHAIN_SOURCE, CHAIN_NET64, CHAIN_NET48, CHAIN_ACCOUNT };
#define CHAINS 4

struct evidence {
    uint64_t id; /* grows; never 0 */
    uint64_t before[CHAINS];
    int64_t wall_ms;
    uint32_t t; /* seconds of the guard's clock */
    int64_t switch_id;
    struct address source;
    uint8_t witness, outcome, proof, transport, method; /* enums of attempt.h */
    uint8_t account_n, dialled_n, user_agent_n, call_id_n;
    char account[EVIDENCE_TEXT], dialled[EVIDENCE_TEXT], user_agent[EVIDENCE_TEXT],
        call_id[EVIDENCE_TEXT]; /* cut, any bytes, no NUL behind */
};

struct evidence_rings {
    struct evidence *at[2];
    uint32_t slots; /* of each ring */
    uint64_t next[2];
};

/* `bytes` for both. ERR_NOMEM. */
int evidence_init(struct evidence_rings *rings, size_t bytes);
void evidence_free(struct evidence_rings *rings);
void evidence_present(struct evidence_rings *rings); /* pages_present() */
/* Numbers begin with the seconds of the start, so that those of two runs differ; an id stays below 2^53. */
void evidence_number_from(struct evidence_rings *rings, int64_t wall_s);

/* A place for the attempt, filled in but for `before`. Valid until the ring has turned. */
struct evidence *evidence_add(struct evidence_rings *rings, const struct attempt *attempt,
                              uint32_t t);
/* NULL when it has been overwritten, or never was. */
const struct evidence *evidence_get(const struct evidence_rings *rings, uint64_t id);

/* The ids of a chain that begins at `last`, newest first, not older than `oldest` (seconds); at most `max`. */
size_t evidence_walk(const struct evidence_rings *rings, uint64_t last, enum evidence_chain chain,
                     uint32_t oldest, uint64_t *ids, size_t max);

#endif
