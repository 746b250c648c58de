/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_TRUNKS_H
#define SEKISHO_DAEMON_GUARD_TRUNKS_H

#include "base/address.h"
#include "base/instant.h"

/*
 * The addresses of trunks that are known by name: looked up on a thread of its own, since a name server may take
 * its time, again every minute. An address that a name no longer has stays for a day; what cannot be looked up at
 * all stays as it was.
 */
struct trunks;

#define TRUNKS_NAMES_MAX 256
#define TRUNKS_MAX 512
#define TRUNK_NAME_MAX 64

struct trunk {
    struct address address; /* without a port */
    char name[TRUNK_NAME_MAX];
    int64_t seen_ns; /* when the name had it last */
};

int trunks_new(struct trunks **out, struct fault *f);
/* Waits for a look-up that is under way. NULL is fine. */
void trunks_free(struct trunks *trunks);

/* "sip.example.net, 192.0.2.1:5060, [2001:db8::1]"; before the start. ERR_FULL. */
int trunks_add(struct trunks *trunks, struct span hosts, struct fault *f);
/* Starts the thread, if there is anything to look up. */
int trunks_start(struct trunks *trunks, struct fault *f);

/* What is known by now, at most `max`; `generation` changes with it. Does not wait for a look-up. */
size_t trunks_get(struct trunks *trunks, struct trunk *out, size_t max, uint64_t *generation);

#endif
