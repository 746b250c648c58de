/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_TRAFFIC_H
#define SEKISHO_BENCH_TRAFFIC_H

#include "base/bytes.h"

/* What attackers and a switch say to each other, as IPv4 packets over UDP that differ in all that counts: sources,
 * Call-IDs, branches, nonces, responses, accounts. */
enum traffic {
    TRAFFIC_ASK,       /* REGISTER without credentials */
    TRAFFIC_CHALLENGE, /* 401 with a nonce */
    TRAFFIC_GUESS,  /* REGISTER of 725 bytes with credentials: that nonce, and a wrong response */
    TRAFFIC_REFUSE, /* 401 once more */
    TRAFFIC_SCAN,   /* OPTIONS of a scanner */
};
#define TRAFFICS 5

#define TRAFFIC_PACKET_MAX 1024
#define TRAFFIC_SWITCH "198.51.100.1"

/* The `number`-th exchange of the source `source` (an IPv4 address). Writes the packet with its checksums to `out`;
 * returns its length. */
size_t traffic_write(char out[TRAFFIC_PACKET_MAX], enum traffic kind, uint32_t source,
                     uint32_t number);

#endif
