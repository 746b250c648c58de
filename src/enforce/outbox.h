/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_OUTBOX_H
#define SEKISHO_ENFORCE_OUTBOX_H

#include "base/span.h"

/* Messages that wait for the other end of a socketpair to take them, each a packet, in order. Whoever uses
 * it bounds it. Zero-initialised is empty. */
struct outbox {
    struct outbox_item *first, **end;
    size_t n;
    bool failed; /* memory ran out: the connection cannot go on */
};

void outbox_add(struct outbox *box, struct span message);
/* With a descriptor (SCM_RIGHTS), which is taken and closed when it is sent. */
void outbox_add_descriptor(struct outbox *box, struct span message, int descriptor);

static inline bool outbox_is_empty(const struct outbox *box)
{
    return box->n == 0;
}

static inline size_t outbox_count(const struct outbox *box)
{
    return box->n;
}

/* Sends what the other end has room for, without waiting. 0, or errno when it has gone or memory ran out. */
int outbox_send(struct outbox *box, int socket);
void outbox_free(struct outbox *box);

#endif
