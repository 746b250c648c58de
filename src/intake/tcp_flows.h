/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_TCP_FLOWS_H
#define SEKISHO_INTAKE_TCP_FLOWS_H

#include "base/address.h"

/*
 * Finds SIP messages in TCP segments that were overheard: lost, repeated, overlapping, out of order, from the
 * middle of a connection on. Memory is taken once. Pure.
 *
 * Whether the sender is proved: it acknowledged exactly what was last seen going to it, which nobody can who
 * does not receive what the other side sends. One segment with an invented source proves nothing.
 *
 * A segment that acknowledges what never went to its sender is refused by the switch's TCP. What it says is no part of
 * the connection, or it would hide what is sent in its place later; messages that are whole in it are given, unproved.
 *
 * Where segments overlap, what came first stands; if both say different things, what is found then is marked as
 * doubtful. Where that is no whole message, and the switch says something all the same, it is given as it is: the switch has read
 * what we have not. RST counts only with the very sequence number that is due, as Linux takes it. What was acknowledged
 * but never seen was lost on the way to us: it is stepped over, and the next message is looked for
 * (sip_stream_resume()). Connections that begin like TLS or HTTP (WebSocket) are left alone and counted.
 * Of urgent data (URG) the switch may leave a byte out, wherever the pointer says: what is found there is doubtful.
 *
 * At most TCP_HOLD_BYTES of what is not a whole message yet are kept, of as many directions as there are holds; a message with
 * a longer header is given cut, a long body is passed over. One address has at most TCP_HOLDS_EACH, then its own
 * oldest gives way: whoever opens connections takes from himself. When all are in use those of unproved senders
 * give way first, then the longest unused; an unproved sender takes none from a proved one. When a bucket of connections is full, unproved ones give way first, then the one
 * unused for the longest time; one that had to go is taken up again from its middle at its next segment.
 */
#define TCP_HOLD_BYTES 16384
#define TCP_HOLDS_EACH 16
#define TCP_FLOWS_WAYS 8

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, TCP_URG = 32 };

struct tcp_segment {
    struct address from, to;
    uint32_t sequence, acknowledged;
    uint8_t flags;
    struct span bytes;
};

struct tcp_message {
    struct address from, to;
    bool proved; /* the sender receives what goes to its address */
    bool
        doubtful; /* two segments said different things at one place, or what they said was urgent */
    bool cut;     /* longer than is kept */
    struct span bytes; /* borrowed for the call; one message, or what is none */
};

struct tcp_figures {
    uint64_t segments, messages;
    uint64_t repeated;  /* segments that said nothing new */
    uint64_t reordered; /* that came early */
    uint64_t lost;      /* places where something is missing */
    uint64_t contradicted;
    uint64_t refused;    /* segments that acknowledge what was never sent */
    uint64_t opaque;     /* connections that are TLS or HTTP */
    uint64_t pushed_out; /* connections and holds that gave way */
    uint64_t flows;      /* connections begun */
};

struct tcp_flows;
typedef void tcp_message_fn(void *context, const struct tcp_message *message);

/* `buckets` of TCP_FLOWS_WAYS connections, 1 to 65,535 holds. NULL without memory. */
struct tcp_flows *tcp_flows_new(size_t buckets, size_t holds, const uint8_t key[16]);
void tcp_flows_free(struct tcp_flows *flows);

void tcp_flows_take(struct tcp_flows *flows, const struct tcp_segment *segment, int64_t boot_ns,
                    tcp_message_fn *give, void *context);

const struct tcp_figures *tcp_flows_figures(const struct tcp_flows *flows);

#endif
