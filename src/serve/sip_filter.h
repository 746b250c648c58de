/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_FILTER_H
#define SEKISHO_SERVE_SIP_FILTER_H

#include <linux/filter.h>

#include "base/address.h"

/*
 * A filter for a UDP socket (classic BPF, SO_ATTACH_FILTER) that leaves what comes from the given networks, and of
 * all else one datagram in SIP_FILTER_SAMPLE, so that it is still seen and counted: the kernel drops the rest before it
 * takes the place of others in the socket's buffer.
 */
#define SIP_FILTER_SAMPLE 64
#define SIP_FILTER_NETWORKS 200
#define SIP_FILTER_MAX (SIP_FILTER_NETWORKS * 10 + 4) /* instructions */

/*
 * Writes the program for sockets of `family` (4 or 6); networks of the other one are passed over. Returns how many
 * instructions it has; 0: there are more networks than it can have.
 */
size_t sip_filter_program(uint8_t family, const struct network *networks, size_t n,
                          struct sock_filter out[SIP_FILTER_MAX]);

/* Puts it on the socket in place of another one; false: the kernel would not. */
bool sip_filter_attach(int fd, const struct sock_filter *program, size_t n);
void sip_filter_detach(int fd);

#endif
