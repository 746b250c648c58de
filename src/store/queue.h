/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_QUEUE_H
#define SEKISHO_STORE_QUEUE_H

#include "store/store.h"

struct job {
    store_job run;
    void *arg;
    store_done done;
    void *done_arg;
    bool alone; /* has a commit to itself */
};

/* Jobs that wait, first in, first out, at most as many as there was room for at the start. The caller
 * locks. */
struct queue {
    struct job *jobs;
    size_t room, first, n;
};

int queue_init(struct queue *q, size_t room, struct fault *f);
void queue_free(struct queue *q);
/* False when it is full. */
bool queue_put(struct queue *q, const struct job *job);
/* Takes up to `max` jobs, or one that is alone; returns how many. */
size_t queue_take(struct queue *q, struct job *out, size_t max);

#endif
