/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_SOCKET_H
#define SEKISHO_SERVE_SIP_SOCKET_H

#include "serve/sip_desk.h"

/*
 * One UDP socket on one address, and the datagrams that are on their way through it. Where it is bound to
 * any address, it learns which one was asked (IP_PKTINFO), and answers from there. Does not wait.
 */
struct sip_socket {
    int fd;
    bool any;
};

/* `shared`: with others of this process. Else a port that somebody has is ERR_IO. */
int sip_socket_open(struct sip_socket *out, const struct address *address, bool shared,
                    struct fault *f);
void sip_socket_close(struct sip_socket *s);
struct address sip_socket_address(const struct sip_socket *s);

/* Room for a batch of the largest datagrams and their answers. */
struct sip_mail;
struct sip_mail *sip_mail_new(void);
void sip_mail_free(struct sip_mail *mail);

/* Takes as many datagrams as there are, SIP_BATCH_MAX at most; 0: none. */
size_t sip_mail_take(struct sip_mail *mail, const struct sip_socket *s);
struct sip_packet *sip_mail_packets(struct sip_mail *mail);
/* Sends the answers of the first `n`; returns how many were not taken by the kernel. */
size_t sip_mail_send(struct sip_mail *mail, const struct sip_socket *s, size_t n);

#endif
