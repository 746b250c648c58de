/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_EXCHANGE_H
#define SEKISHO_INTAKE_EXCHANGE_H

#include "guard/attempt.h"

/*
 * From SIP messages that were seen on their way to a switch and back to attempts: a request is matched with
 * the switch's reply, by its address, Call-ID, CSeq and branch; the reply says what it was:
 *
 *     2xx, or ringing, to REGISTER or INVITE with credentials        SUCCESS
 *     401, 403, 407 to a request with credentials                    WRONG_CREDENTIALS; but CHALLENGED where
 *                                                                    the switch says that the nonce is stale, or asks
 *                                                                    for no realm that the credentials name or
 *                                                                    their nonces were given for
 *     403 to INVITE with credentials behind 100 Trying               nothing: the call was refused, not the caller
 *     401, 407 to a request without                                  CHALLENGED
 *     404 to REGISTER; 403 to REGISTER without credentials           UNKNOWN_ACCOUNT
 *     403, 404, 484, 603, 604 to INVITE without, before it rang      REFUSED_CALL
 *     401, 407 to INVITE without, and of its nonces none comes
 *     back within 10 s: no phone does that, scanners of numbers do   REFUSED_CALL
 *     any other                                                      nothing
 *
 * What shows without a reply is told at once: PROBE (OPTIONS outside of a dialog, or the User-Agent of a scanner,
 * without credentials) and MALFORMED (no SIP, or faults that no phone makes).
 *
 * A request with credentials that is not answered within 32 s is no attempt: nobody learned or got anything by
 * it, and a phone whose switch is down, or whose own address is quenched, must not be banned for trying. It is counted in
 * `unanswered`. Other credentials in the place of unanswered ones (the same Call-ID, CSeq and branch) end those as
 * WRONG_CREDENTIALS. A 401 whose challenge cannot be read is one without stale: a reply that is not
 * understood never makes a guess free.
 *
 * Retransmissions are no attempts of their own: neither of the request nor of the reply. A switch repeats its reply to
 * whatever comes in the same place. So where two requests with the same Call-ID, CSeq and branch hold different
 * credentials, and one was or may be let in, what lets in says nothing of the other. Where a flood has pushed out
 * the one, the other's success is `doubtful`.
 *
 * Proof: the transport is a connection and the sender proved there, or the credentials echo a nonce that was seen
 * going out to this address and to no other (nonces.h): PROVED. A nonce that others may have too: SHARED. One that
 * went elsewhere: ELSEWHERE. Of several credentials in one request the best proved count, of those the first that name
 * the realm of their nonce.
 *
 * Switches read what is written oddly each in its way. So credentials are what holds such a nonce, in whatever form
 * (echo.h); a Via of which we cannot say what comes back matches by the rest; and where we cannot say which Call-ID or CSeq comes
 * back, proved credentials are WRONG_CREDENTIALS at once: no phone writes such. Nor a header of which there is more than
 * is given: it is taken for one with credentials.
 *
 * Memory is taken once. A full bucket of requests gives way in this order: answered ones, challenged calls,
 * waiting ones, those that were let in, and those with proved credentials last; the oldest first, and before others those
 * with the same Call-ID and CSeq, which then count as they are proved. What is pushed out while it waits
 * with real credentials counts for the account (WRONG_CREDENTIALS, ELSEWHERE) but not against the address, so
 * that a flood neither hides a guess nor frames a phone. Pure.
 */
enum exchange_way {
    EXCHANGE_IN,      /* to the switch */
    EXCHANGE_OUT,     /* from it */
    EXCHANGE_PASSING, /* neither: counted and not looked at */
};

struct exchange_message {
    struct instant at;
    int64_t switch_id;
    enum exchange_way way;
    struct address from, to;
    enum transport transport;
    bool proved;   /* the sender receives what goes to his address; never for UDP */
    bool doubtful; /* something else may have reached the switch */
    bool cut;      /* there was more than is given */
    struct span bytes;
};

struct exchange_figures {
    uint64_t seen;           /* messages, either way */
    uint64_t understood;     /* of them */
    uint64_t not_understood; /* no SIP, or with faults */
    uint64_t keepalives;     /* line ends, zeros, STUN */
    uint64_t passing;
    uint64_t requests, replies; /* to the switch, from it */
    uint64_t attempts;
    uint64_t retransmitted;
    uint64_t unanswered; /* with credentials */
    uint64_t orphans;    /* refusals whose request was not seen */
    uint64_t pushed_out; /* requests that waited for their reply */
    uint64_t shared;     /* challenges with a nonce that others may have too */
    int64_t shared_ns;   /* when the last of them went out (boot); 0: never */
    int64_t last_ns;     /* when the last one was understood (boot); 0: never */
};

struct exchange;
/* The switch itself registers at this address: a trunk. Not what a proxy passes on, whose address a sender can choose. */
typedef void trunk_fn(void *context, const struct address *trunk);

struct exchange_config {
    enum witness witness;
    size_t request_buckets; /* times 4 KiB, at most 65536; 1024 unless there is a reason */
    size_t nonce_buckets;   /* times 384 bytes; 8192 unless there is a reason */
    uint8_t key[16];        /* random */
    attempt_fn *give;
    trunk_fn *trunk; /* may be NULL */
    void *context;
};
#define EXCHANGE_REQUEST_BUCKETS 1024
#define EXCHANGE_NONCE_BUCKETS 8192

/* NULL without memory. */
struct exchange *exchange_new(const struct exchange_config *config);
void exchange_free(struct exchange *exchange);

/* Spans of the attempts are good for the call. Time never goes back. */
void exchange_take(struct exchange *exchange, const struct exchange_message *message);

/* To be called about once a second: what is due by now. */
void exchange_tick(struct exchange *exchange, struct instant now);

const struct exchange_figures *exchange_figures(const struct exchange *exchange);

#endif
