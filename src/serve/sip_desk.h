/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_DESK_H
#define SEKISHO_SERVE_SIP_DESK_H

#include "base/address.h"
#include "serve/authorize.h"

/*
 * From requests to answers, whatever they came over: what the threads of UDP and the connections of TCP have in
 * common. One thread's, which is a registered reader of the snapshot; never waits. Allocates only what it is
 * made of.
 *
 * Who asks is the switch whose networks hold the address that the request came from; nobody else is
 * answered, or read. The answer goes back there and nowhere else: what Via says of an address is not followed.
 */
struct sip_desk;

/* Counters. Each request counts once, as one of the others, beside RECEIVED. */
enum sip_count {
    SIP_COUNT_RECEIVED,
    SIP_COUNT_ALLOWED,
    SIP_COUNT_DENIED,
    SIP_COUNT_REPEATED, /* retransmitted INVITEs, answered again */
    SIP_COUNT_OPTIONS,
    SIP_COUNT_REFUSED,   /* answered 405, 420, 481 or 505 */
    SIP_COUNT_MALFORMED, /* answered 400 */
    SIP_COUNT_ABSORBED,  /* ACK and CANCEL */
    SIP_COUNT_STRANGERS, /* from an address of no switch; no answer, like those below */
    SIP_COUNT_GARBAGE,   /* no request, or one that no answer can be written to */
    SIP_COUNT_UNSENT,    /* the answer is too long, or the kernel did not take it */
};
#define SIP_COUNTS (SIP_COUNT_UNSENT + 1)

struct sip_figures {
    uint64_t n[SIP_COUNTS];
};

#define SIP_KEY_BYTES 16

/* `key`: random, and the same for all desks of a process: tags are made with it. */
int sip_desk_new(struct sip_desk **out, struct authorizer *authorizer,
                 const uint8_t key[SIP_KEY_BYTES], struct fault *f);
void sip_desk_free(struct sip_desk *desk);

#define SIP_BATCH_MAX 32

struct sip_packet {
    struct span bytes; /* one datagram, or one message */
    bool by_length;    /* of a stream: it must say how long it is */
    struct address source;
    char *reply; /* room for `size` bytes; not within `bytes` */
    size_t size;
    size_t n; /* what was written there; 0: nothing is to be sent */
};

/* Answers `n` of them, SIP_BATCH_MAX at most. Not within the read lock. */
void sip_desk_answer(struct sip_desk *desk, struct sip_packet *packets, size_t n,
                     struct instant now);

/* An answer that could not be sent. */
void sip_desk_unsent(struct sip_desk *desk);

/* From any thread; adds to `out`. */
void sip_desk_figures(const struct sip_desk *desk, struct sip_figures *out);

/* The switch that asked last, and when (wall clock); 0: none did. From any thread. */
struct sip_last {
    int64_t switch_id, at_ms;
};
struct sip_last sip_desk_last(const struct sip_desk *desk);

/* Of how many strangers each one that comes from now on stands for: 1, unless a filter drops others. On the desk's thread,
 * like: */
void sip_desk_weigh(struct sip_desk *desk, unsigned strangers);
/* How many there have been. */
uint64_t sip_desk_strangers(const struct sip_desk *desk);

/* An address that was turned away since the last call; false: none was. On the desk's thread. */
bool sip_desk_stranger(struct sip_desk *desk, struct address *address);

#endif
