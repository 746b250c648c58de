/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_HEP_H
#define SEKISHO_INTAKE_HEP_H

#include "intake/exchange.h"
#include "intake/hep_packet.h"
#include "intake/ours.h"

/*
 * The witness inside of the switch: HEPv3 over UDP, from listed switches alone. What the switch says is believed, TLS
 * and WebSocket too: a sender over a connection is proved by its word. What comes from others is counted and not read,
 * what has the wrong auth key is counted and dropped. HEP itself is UDP: a key keeps those out who can write the
 * address of a switch into a packet; off loopback there should be one.
 */
#define HEP_PEERS_MAX 64
#define HEP_KEY_MAX 64

struct hep_peer {
    struct network from; /* whose datagrams are the switch's */
    int64_t switch_id;
    struct ours ours; /* the addresses of the switch that it reports of; empty: its own `from` */
    char key[HEP_KEY_MAX];
    size_t key_n; /* 0: none is asked for */
};

struct hep_figures {
    struct exchange_figures exchange;
    uint64_t datagrams;
    uint64_t strangers; /* from who is not listed */
    uint64_t wrong_key;
    uint64_t broken; /* no HEPv3 */
    uint64_t other;  /* not SIP, or compressed, or of a protocol that is not known */
    uint64_t lost;   /* the socket's queue was full */
};

struct hep_config {
    const struct hep_peer *peers; /* borrowed; may change between calls */
    size_t n_peers;
    struct exchange_config exchange;
};

struct hep;

/* Takes the bound UDP socket, also when it fails. ERR_NOMEM. */
int hep_open(struct hep **out, int socket, const struct hep_config *config, struct fault *f);
void hep_close(struct hep *hep);

/* To be polled for POLLIN. */
int hep_fd(const struct hep *hep);

/* Reads at most `batches` times HEP_BATCH datagrams; returns how many, 0 when nothing is left, ERR_IO. */
#define HEP_BATCH 32
int hep_read(struct hep *hep, struct instant now, unsigned batches);

/* One datagram, as if it had come. */
void hep_take(struct hep *hep, const struct address *from, struct span datagram,
              struct instant now);

/* Once a second. */
void hep_tick(struct hep *hep, struct instant now);

struct hep_figures hep_figures(const struct hep *hep);

#endif
