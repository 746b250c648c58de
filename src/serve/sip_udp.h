/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_UDP_H
#define SEKISHO_SERVE_SIP_UDP_H

#include "serve/sip_desk.h"

/*
 * Answers questions over SIP and UDP: so many threads, each with a socket of its own on every address
 * (SO_REUSEPORT). The kernel gives all datagrams of one source address and port to the same of them, which thus
 * knows its retransmissions. Datagrams are taken, answered and sent by batches of SIP_BATCH_MAX.
 *
 * An answer leaves from the address that was asked, and goes to the address and port that asked.
 */
struct sip_udp;

#define SIP_LISTEN_MAX 8
#define SIP_WORKERS_MAX 64

/* Opens the sockets. Borrows the authorizer. A port that is in use is ERR_IO with a sentence. No addresses:
 * nothing is opened, and nothing runs. */
int sip_udp_new(struct sip_udp **out, struct authorizer *authorizer,
                const uint8_t key[SIP_KEY_BYTES], const struct address *listen, size_t n_listen,
                unsigned workers, struct fault *f);
/* When it has been stopped. */
void sip_udp_free(struct sip_udp *udp);

int sip_udp_start(struct sip_udp *udp, struct fault *f);
/* Answers what has come already, and ends the threads. NULL is fine. */
void sip_udp_stop(struct sip_udp *udp);

/* The address that listener `i` got (its port may have been given as 0); family 0: there are not so many. */
struct address sip_udp_address(const struct sip_udp *udp, size_t i);

/* Adds those of all threads. */
void sip_udp_figures(const struct sip_udp *udp, struct sip_figures *out);
/* Of all threads. */
struct sip_last sip_udp_last(const struct sip_udp *udp);
unsigned sip_udp_workers(const struct sip_udp *udp);

#endif
