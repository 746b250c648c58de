/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LAB_ATTACK_DOOR_H
#define SEKISHO_LAB_ATTACK_DOOR_H

#include "base/address.h"
#include "base/buf.h"

/*
 * How packets leave and come back. One UDP socket sends from every source there is, since each packet says from
 * which address it goes; that also sends from addresses that are not here. TCP has a connection a source, made
 * when it is first needed.
 */
struct door;

typedef void door_heard_fn(void *context, struct span message);

/* `sources` is how many connections there may be; 0: UDP. NULL, and errno, where the socket cannot be had. */
struct door *door_open(const struct address *to, uint16_t port, unsigned sources);
void door_close(struct door *door);

/* False: it did not go out. */
bool door_send(struct door *door, unsigned i, const struct address *from, struct span message);

/* Waits for at most `ns` for something to come, and hands on all that is there. */
void door_listen(struct door *door, int64_t ns, door_heard_fn *heard, void *context);

#endif
