/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_PENALTIES_H
#define SEKISHO_SERVE_PENALTIES_H

#include "base/address.h"

/*
 * How often a source has shown a wrong token lately. A source may be wrong PENALTIES_BURST times at once
 * and then once every PENALTIES_REFILL_S seconds; who is wrong more often is told to wait. It does not
 * bar a right token: tokens cannot be guessed, and a wrong neighbour behind the same address must not
 * lock others out. What it saves is work and log lines.
 *
 * IPv6 counts by /64. The table is bounded; where it is full, the source that was wrong the longest time
 * ago is forgotten, among the few that share its place by a keyed hash.
 */
struct penalties;

#define PENALTIES_BURST 10
#define PENALTIES_REFILL_S 6

int penalties_new(struct penalties **out, const unsigned char key[16], struct fault *f);
void penalties_free(struct penalties *penalties);

/* Counts one wrong token of `from` (family 0: everybody on the Unix socket). Returns 0, or for how many
 * seconds the source has to wait. */
unsigned penalties_wrong(struct penalties *penalties, const struct address *from, int64_t boot_ns);

#endif
