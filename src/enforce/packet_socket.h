/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_PACKET_SOCKET_H
#define SEKISHO_ENFORCE_PACKET_SOCKET_H

#include <stddef.h>

#include "enforce/message.h"

/* Packet sockets that are opened while that is allowed, and given away later. */
#define PACKET_SOCKETS 8

struct packet_sockets {
    size_t n; /* what is left */
    int of[PACKET_SOCKETS];
};

/* Opens them; they see nothing yet. Fewer than PACKET_SOCKETS, or none, where that is not allowed. */
void packet_sockets_open(struct packet_sockets *sockets);
void packet_sockets_close(struct packet_sockets *sockets);

/* One that sees those ports on all interfaces in both directions, cooked (SOCK_DGRAM), through a filter
 * that its receiver cannot change. The caller owns it. -1 where none is left. */
int packet_sockets_take(struct packet_sockets *sockets, const struct enforce_port *ports, size_t n);

#endif
