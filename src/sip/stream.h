/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_STREAM_H
#define SEKISHO_SIP_STREAM_H

#include "sip/message.h"

/*
 * Finds whole messages in the bytes of a TCP or TLS connection (RFC 3261 section 18.3, RFC 5626 section
 * 4.4.1). The caller keeps the bytes that were not used yet, adds what arrives behind them, and asks
 * again; this holds but what it has found out about them, so that no byte is looked at many times.
 */
struct sip_stream { /* of the unused bytes */
    bool begun;     /* they begin with a start line */
    size_t looked;  /* so many of them hold no header's end */
    size_t needed;  /* so long is the message that they begin with; 0 while that is not known */
    size_t header;  /* with LOST: so long is the header, where it is whole; else 0 */
};

enum sip_stream_found {
    SIP_STREAM_MORE,      /* nothing whole yet: wait for more */
    SIP_STREAM_MESSAGE,   /* `out` is a message */
    SIP_STREAM_KEEPALIVE, /* line ends between messages; two of them want one as an answer */
    SIP_STREAM_LOST,      /* where the next message begins cannot be known: see below */
};

/*
 * `bytes` are the unused bytes; `used` gets how many of them are used now (0 with MORE and LOST).
 *
 * LOST: what begins here is no SIP, has a header or a message longer than SIP_MESSAGE_MAX, or no
 * single readable Content-Length. A server closes the connection. Who only listens to it, or came to it
 * in the middle, may go on at sip_stream_resume().
 */
enum sip_stream_found sip_stream_next(struct sip_stream *s, struct span bytes,
                                      struct sip_message *out, size_t *used);

/*
 * How many of `bytes` to drop so that the rest begins with what looks like a start line, at least one
 * (none where there are none). Where none is found, all is dropped but the last line, which may be
 * the beginning of one; and that too when it is longer than a start line can be. Resets `s`. What it
 * finds may stand in a body: whoever sends on this connection chooses what is seen there.
 */
size_t sip_stream_resume(struct sip_stream *s, struct span bytes);

#endif
