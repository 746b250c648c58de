/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_HEP_PACKET_H
#define SEKISHO_INTAKE_HEP_PACKET_H

#include "base/address.h"

/*
 * One HEPv3 packet (Homer Encapsulation Protocol, version 3, "EEP"): how Asterisk, Kamailio, OpenSIPS,
 * FreeSWITCH and others report the SIP messages that they send and receive. Numbers are in network order.
 *
 *     0  4  "HEP3"
 *     4  2  length of the whole packet, these six bytes too
 *     6     chunks: 2 vendor, 2 type, 2 length of the chunk with these six bytes, then its value
 *
 * Chunks of vendor 0 that are read; all others are stepped over:
 *
 *     1  1  address family (2 IPv4, 10 IPv6)       9   4  seconds since 1970
 *     2  1  IP protocol                            10  4  microseconds of that second
 *     3  4  IPv4 source                            11  1  what the payload is (1 SIP)
 *     4  4  IPv4 destination                       12  4  id of the capture agent
 *     5  16 IPv6 source                            14     auth key
 *     6  16 IPv6 destination                       15     payload
 *     7  2  source port                            16     payload, compressed: refused
 *     8  2  destination port
 *
 * The time is the reporter's clock: for people, never for a window. Pure; all views into the packet.
 */
#define HEP_PACKET_MAX 65535
#define HEP_SIP 1

/* What the protocols of the IP header say; those without a number of their own lend another's, as Kamailio and
 * OpenSIPS do: TLS is 22 (IDP), WebSocket 50 (ESP). */
enum hep_protocol {
    HEP_PROTOCOL_OTHER,
    HEP_PROTOCOL_UDP,
    HEP_PROTOCOL_TCP,
    HEP_PROTOCOL_TLS,
    HEP_PROTOCOL_WS,
};

struct hep_packet {
    enum hep_protocol protocol;
    struct address from, to; /* family 0 and port 0 where it does not say */
    uint8_t payload_type;    /* 0 where it does not say */
    uint32_t agent;
    uint32_t seconds, microseconds;
    struct span key; /* p == NULL where there is none */
    struct span payload;
};

/*
 * Returns 0; ERR_SYNTAX for what is no HEPv3, a length or chunk that reaches beyond the packet, a chunk of another
 * length than its type has, one that stands twice, or addresses of a family that is not the one it names;
 * ERR_MISSING without a payload; ERR_RANGE for a compressed one. Bytes behind the length that it says are
 * ERR_SYNTAX too: a datagram is one packet.
 */
int hep_packet_read(struct hep_packet *out, struct span datagram);

/* Is its key this one? An empty `key` asks for none and takes any. Takes as long for a wrong key as for the right
 * one of the same length. */
bool hep_packet_authentic(const struct hep_packet *packet, struct span key);

#endif
