/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_WIRE_H
#define SEKISHO_INTAKE_WIRE_H

#include "intake/exchange.h"
#include "intake/ours.h"
#include "intake/packet.h"

/*
 * The witness beside the switch: a ring (TPACKET_V3) on a packet socket that somebody with the right to opened
 * (cooked: SOCK_DGRAM, bound, with its filter on the SIP ports), and what comes through it as attempts.
 *
 * A packet from one of our addresses counts only when this machine sends it, one to them only when it
 * arrives: whoever writes the switch's address into a packet from outside puts no words (and no nonces) into its
 * mouth. It is counted as forged. Packets that are neither from nor to our addresses are passed over: behind a
 * port mapping (Docker) each packet is seen twice, and once with an address that is not ours.
 *
 * What the kernel could not put into the ring is counted as lost.
 */
struct wire;

struct wire_figures {
    struct packet_figures packets;
    struct exchange_figures exchange;
    uint64_t lost;   /* the ring was full */
    uint64_t forged; /* from one of our addresses, but not from here */
    uint64_t cut;    /* longer than the ring takes */
};

struct wire_config {
    int64_t switch_id;
    const struct ours *ours; /* borrowed; may change between calls */
    size_t ring_bytes;       /* a multiple of WIRE_BLOCK; WIRE_RING unless there is a reason */
    struct exchange_config exchange; /* give, context, key, sizes */
};
#define WIRE_BLOCK (1u << 18)
/* 12 MiB: 60 ms of 300,000 packets a second, should the reader be kept waiting. All of it counts as resident memory. */
#define WIRE_RING (48u * WIRE_BLOCK)

/*
 * Takes the socket, also when it fails. ERR_IO where the kernel gives no ring, ERR_NOMEM. A block is handed over
 * 1 ms after its first packet at the latest.
 */
int wire_open(struct wire **out, int socket, const struct wire_config *config, struct fault *f);
void wire_close(struct wire *wire);

/* To be polled for POLLIN. */
int wire_fd(const struct wire *wire);

/* Reads what is there, at most `blocks` blocks. `now` is the time of all of it. Returns how many packets; when it
 * returns 0 there is nothing left. ERR_IO: the socket is dead (the interface went away is no such thing). */
int wire_read(struct wire *wire, struct instant now, unsigned blocks);

/* Once a second. */
void wire_tick(struct wire *wire, struct instant now);

/* Asks the kernel for its count of lost packets too. */
struct wire_figures wire_figures(struct wire *wire);

#endif
