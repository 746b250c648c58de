/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_FLOOD_H
#define SEKISHO_SERVE_SIP_FLOOD_H

#include "serve/sip_filter.h"
#include "serve/sip_socket.h"

struct snapshot;

/*
 * A flood of strangers on a worker's sockets: while more than SIP_FLOOD_BEGINS a second come, the sockets have a filter
 * that leaves what comes from switches. It follows the switches, and goes when the strangers are few again. One
 * thread's, a registered reader of the snapshot.
 */
struct sip_flood {
    bool on;
    bool refused;       /* this state of the switches cannot be a filter */
    int64_t change;     /* of the switches in the filter */
    int64_t looked_ns;  /* boot time */
    uint64_t strangers; /* until then */
    int64_t quiet_ns;   /* since when there are few; 0: there are not */
    struct network networks[2 * SIP_FILTER_NETWORKS + 1];
    struct sock_filter program[SIP_FILTER_MAX];
};

#define SIP_FLOOD_BEGINS 5000
#define SIP_FLOOD_ENDS 1000 /* a second, for as long as: */
#define SIP_FLOOD_QUIET_NS INT64_C(5000000000)
#define SIP_FLOOD_LOOK_NS INT64_C(100000000) /* so often sip_flood_look() has something to do */

enum sip_flood_turn { SIP_FLOOD_AS_BEFORE, SIP_FLOOD_BEGUN, SIP_FLOOD_ENDED };

/* `strangers`: how many there have been in all, those that were dropped reckoned in. Now and then while any come, and
 * every SIP_FLOOD_LOOK_NS while flood->on. */
enum sip_flood_turn sip_flood_look(struct sip_flood *flood, const struct snapshot *snapshot,
                                   const struct sip_socket *sockets, size_t n, uint64_t strangers,
                                   int64_t now_ns);

#endif
