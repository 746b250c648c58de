/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_REQUESTS_H
#define SEKISHO_INTAKE_REQUESTS_H

#include "guard/attempt.h"
#include "intake/claim.h"

/*
 * The requests that a switch was sent and their claims, as long as they matter: while they wait for their reply, and then
 * for what is repeated. Found by a keyed hash of what a reply brings back; buckets are of REQUESTS_WAYS, and who is full gives
 * one away, which is for exchange.c to say.
 *
 * An answered request needs no claim any more: claims stand apart, and the one that was given back last is taken first, so
 * that at the pace of phones the same few stay in the caches. Pure.
 */
#define REQUESTS_WAYS 8
#define REQUESTS_BUCKETS_MAX 65536

/* The order is that in which they give way. */
enum request_state {
    REQUEST_FREE,
    REQUEST_ANSWERED,        /* for retransmissions */
    REQUEST_CALL_CHALLENGED, /* an INVITE whose nonce has not come back */
    REQUEST_WAITING,
    REQUEST_GRANTED,        /* answered with what lets in */
    REQUEST_WAITING_PROVED, /* with credentials of a nonce that went out to its sender */
};

struct request {
    uint64_t key;
    int64_t since_ns;
    uint64_t credentials; /* of its claim: 0: none */
    uint32_t branch;      /* 0: none, or one that a switch may read otherwise */
    uint32_t claim : 20;  /* where it has one */
    uint32_t state : 3;   /* enum request_state */
    uint32_t sip : 5;     /* enum sip_method */
    bool trying : 1, told : 1;
    bool mixed : 1;    /* what lets in may be the answer to another request */
    bool doubtful : 1; /* the same, if there was one: a flood has pushed out what would tell */
};

struct requests {
    struct request *at;
    struct claim *claims;
    uint32_t *free; /* claims; the last one is the next */
    size_t buckets, n_free;
};

/* ERR_NOMEM, ERR_RANGE. */
int requests_init(struct requests *requests, size_t buckets);
void requests_done(struct requests *requests);

static inline struct request *requests_bucket(const struct requests *requests, uint64_t key)
{
    return &requests->at[key % requests->buckets * REQUESTS_WAYS];
}

static inline bool request_is_waiting(const struct request *r)
{
    return r->state == REQUEST_WAITING || r->state == REQUEST_WAITING_PROVED;
}

static inline bool request_has_claim(const struct request *r)
{
    return request_is_waiting(r) || r->state == REQUEST_CALL_CHALLENGED;
}

/* Of one that has. */
static inline struct claim *requests_claim(const struct requests *requests, const struct request *r)
{
    return &requests->claims[r->claim];
}

/* How long it is kept while nothing happens to it. */
int64_t request_kept_ns(const struct request *r);
/* How long a switch may repeat its answer. */
#define REQUEST_REPEAT_NS INT64_C(36000000000)

/* The one with this branch; else, where it or the branch is none, the one that weighs most. NULL. */
struct request *requests_find(const struct requests *requests, uint64_t key, uint32_t branch,
                              int64_t boot_ns);
/* The one of the bucket that gives way first to a request of this key. */
struct request *requests_least(const struct requests *requests, uint64_t key);

/* Puts `as`, which waits, and a copy of its claim in the place of whatever `r` was. */
void requests_put(struct requests *requests, struct request *r, const struct request *as,
                  const struct claim *claim);
/* The claim is given back where the state has none. One is not taken: only a request that has one may go on to have it. */
void requests_enter(struct requests *requests, struct request *r, enum request_state state);

#endif
