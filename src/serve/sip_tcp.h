/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_TCP_H
#define SEKISHO_SERVE_SIP_TCP_H

#include "serve/sip_desk.h"

/*
 * Answers questions over SIP and TCP. One thread, never waiting, driven as fastagi.h is. It is a registered reader
 * of the snapshot.
 *
 * A connection is accepted when its address is a switch's, else closed and counted. Messages are found by
 * Content-Length (RFC 3261 section 18.3), and answered in their order on the same connection. What does not say how
 * long it is gets its 400 and is the last. A connection is closed when what comes is no message, when it has been idle for `timeout_s`, when a message that has begun is not whole
 * in SIP_TCP_WHOLE_S, when answers are not read, within about a second after its address is no switch's any more, and, the one of the same switch that has been idle for
 * longest, when that switch opens more than `connections`. Two line ends are answered with one (RFC 5626
 * section 4.4.1).
 */
struct sip_tcp;

struct sip_tcp_options {
    unsigned connections; /* of one switch at once, at least 1 */
    unsigned timeout_s;
};

#define SIP_TCP_WHOLE_S 10
#define SIP_TCP_CONNECTIONS_MAX 4096 /* of all switches together */

/* Opens the listeners. Borrows the authorizer. A port that is in use is ERR_IO with a sentence. */
int sip_tcp_new(struct sip_tcp **out, struct authorizer *authorizer,
                const uint8_t key[SIP_KEY_BYTES], const struct address *listen, size_t n_listen,
                const struct sip_tcp_options *options, struct fault *f);
/* Closes everything at once. */
void sip_tcp_free(struct sip_tcp *tcp);
void sip_tcp_configure(struct sip_tcp *tcp, const struct sip_tcp_options *options);

/* The descriptors to watch for reading; the listeners are closed by sip_tcp_drain(). */
int sip_tcp_fd(const struct sip_tcp *tcp);
size_t sip_tcp_listeners(const struct sip_tcp *tcp, int *out);
int sip_tcp_wait_ms(const struct sip_tcp *tcp);
void sip_tcp_run(struct sip_tcp *tcp, int fd);
void sip_tcp_drain(struct sip_tcp *tcp);
/* Connections on which a message or an answer is under way. */
size_t sip_tcp_unfinished(const struct sip_tcp *tcp);

struct sip_tcp_figures {
    uint64_t accepted;
    uint64_t strangers; /* closed: from an address of no switch, from the first or by now */
    uint64_t lost;      /* what came was no SIP, or had no single Content-Length */
    uint64_t late;
    uint64_t crowded;
    uint64_t unread; /* answers were not taken */
};
/* Adds the requests' to `requests`; either may be NULL. */
void sip_tcp_figures(const struct sip_tcp *tcp, struct sip_figures *requests,
                     struct sip_tcp_figures *connections);
struct sip_last sip_tcp_last(const struct sip_tcp *tcp);

#endif
