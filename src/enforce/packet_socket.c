/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enforce/port_filter.h"

void packet_sockets_open(struct packet_sockets *sockets)
{
    sockets->n = 0;
    while (sockets->n < PACKET_SOCKETS) {
        /* Protocol 0: nothing comes before it is bound. */
        int socket_ = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (socket_ < 0)
            return;
        sockets->of[sockets->n++] = socket_;
    }
}

void packet_sockets_close(struct packet_sockets *sockets)
{
    while (sockets->n)
        close(sockets->of[--sockets->n]);
}

int packet_sockets_take(struct packet_sockets *sockets, const struct enforce_port *ports, size_t n)
{
    struct sock_filter code[PORT_FILTER_MAX];
    struct sock_fprog program = {.len = (unsigned short)port_filter(code, ports, n),
                                 .filter = code};
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1;

    if (!sockets->n)
        return -1;
    int taken = sockets->of[--sockets->n];

    if (setsockopt(taken, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
        setsockopt(taken, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) != 0 ||
        bind(taken, (const struct sockaddr *)(const void *)&all, sizeof(all)) != 0) {
        close(taken);
        return -1;
    }
    return taken;
}
