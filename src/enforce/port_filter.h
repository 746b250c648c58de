/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_PORT_FILTER_H
#define SEKISHO_ENFORCE_PORT_FILTER_H

#include <linux/filter.h>

#include "enforce/message.h"

/*
 * The classic BPF program of a cooked packet socket (SOCK_DGRAM: a packet begins with its IP header) that
 * passes UDP, TCP and SCTP from or to one of the ports, IPv4 and IPv6, and fragments but the first of
 * those protocols, whose ports nobody can see. Up to four IPv6 extension headers are stepped over. Pure.
 */
#define PORT_FILTER_PORTS_MAX 32
#define PORT_FILTER_MAX 320

/* Returns the number of instructions written. `n` is at most PORT_FILTER_PORTS_MAX; a port counts for all
 * three protocols. */
size_t port_filter(struct sock_filter out[PORT_FILTER_MAX], const struct enforce_port *ports,
                   size_t n);

#endif
