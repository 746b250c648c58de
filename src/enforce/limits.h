/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_LIMITS_H
#define SEKISHO_ENFORCE_LIMITS_H

#include "enforce/message.h"
#include "enforce/networks.h"

/*
 * What no message can have the enforcer do: ban what is on the never-ban list, ban or trust a network wider
 * than a ceiling, ban on a port that must stay open. Pure.
 *
 * Of the root-owned file, one thing a line; # begins a comment:
 *
 *     192.0.2.0/24        never banned: an address or a network, as wide as you like
 *     ceiling ipv4 24     no network wider than /24 is banned (16 to 32; 16 unless said)
 *     ceiling ipv6 48     32 to 128; 32 unless said
 *     never-port 2222     not a SIP port, whatever the daemon says; 22 is one always
 */
#define LIMITS_PORTS_MAX 16

struct limits {
    uint8_t widest4, widest6;
    uint16_t ports[LIMITS_PORTS_MAX];
    size_t n_ports;
    struct networks never4, never6; /* the file's, and what was found at the start */
    struct networks asked4, asked6; /* what the last message named besides */
};

/* As if the file were empty. */
void limits_init(struct limits *limits);
/* Adds what the file's text says. ERR_SYNTAX, ERR_RANGE or ERR_FULL with the line; then `limits` is not to
 * be used. */
int limits_read(struct limits *limits, struct span text, struct fault *f);
/* Never bans that network, without a ceiling. ERR_FULL. */
int limits_trust(struct limits *limits, const struct network *network);

/* The same because a message asks, within the ceiling: 0, or why not. Both lists together hold NETWORKS_MAX of a
 * family. limits_untrust_asked() takes back these, and never one of those above. */
enum enforce_refusal limits_trust_asked(struct limits *limits, const struct network *network);
void limits_untrust_asked(struct limits *limits);
/* Both lists of a family in one. */
void limits_never(const struct limits *limits, uint8_t family, struct networks *out);

/* What a message asks: 0, or why not. */
enum enforce_refusal limits_refuse_ban(const struct limits *limits, const struct network *network);
enum enforce_refusal limits_refuse_port(const struct limits *limits, struct enforce_port port);

#endif
