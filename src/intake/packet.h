/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_PACKET_H
#define SEKISHO_INTAKE_PACKET_H

#include "intake/fragments.h"
#include "intake/tcp_flows.h"

/*
 * From what a packet socket or a capture file gives to what may be a SIP message: link layer, VLAN tags (802.1Q,
 * 802.1ad), IPv4 with options, IPv6 with extension headers, fragments, UDP, TCP. Encapsulations (GRE, IPIP, ...)
 * are not looked into. A packet whose checksum the receiver would refuse is refused here too, so that nobody shows us
 * a message that the switch does not see. Memory is taken once; what is evicted, and when: fragments.h,
 * tcp_flows.h. Pure.
 */
enum packet_link {
    PACKET_IP,       /* begins with the IP header: a cooked packet socket, tunnels */
    PACKET_ETHERNET, /* 14 bytes, and tags */
    PACKET_COOKED,   /* LINKTYPE_LINUX_SLL2 of capture files */
    PACKET_UNKNOWN,
};

/* How packets of an interface of this type (ARPHRD_*) begin on a raw socket. */
enum packet_link packet_link_of(unsigned arphrd);

struct packet_frame {
    enum packet_link link;
    struct span bytes;
    bool
        checked; /* the kernel has checked its checksum, or it has none yet: it was sent from here */
};

struct packet_payload {
    struct address from, to;
    bool tcp;
    bool proved;       /* TCP: the sender receives what goes to his address */
    bool doubtful;     /* TCP: see tcp_flows.h */
    bool cut;          /* there was more */
    struct span bytes; /* of UDP: the datagram, never empty; of TCP: one message, or what is none */
};

struct packet_figures {
    uint64_t seen;
    uint64_t udp;          /* datagrams given */
    uint64_t other;        /* neither IP, nor UDP or TCP */
    uint64_t broken;       /* headers that do not fit */
    uint64_t bad_checksum; /* refused */
    struct fragments_figures fragments;
    struct tcp_figures tcp;
};

struct packets;
typedef void packet_fn(void *context, const struct packet_payload *payload);

struct packet_sizes {
    size_t fragment_buckets; /* times 265 KiB, touched when used; 64 unless there is a reason */
    size_t flow_buckets;     /* times 2 KiB; 512 unless there is a reason */
    size_t flow_holds;       /* times 32 KiB, touched when used; 512 unless there is a reason */
};
#define PACKET_SIZES ((struct packet_sizes){64, 512, 512})

/* NULL without memory. */
struct packets *packets_new(struct packet_sizes sizes, const uint8_t key[16]);
void packets_free(struct packets *packets);

/* Calls `give` once or more for what is whole now. */
void packets_take(struct packets *packets, const struct packet_frame *frame, int64_t boot_ns,
                  packet_fn *give, void *context);

struct packet_figures packets_figures(const struct packets *packets);

#endif
