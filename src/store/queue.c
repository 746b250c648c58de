/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/queue.h"

#include <stdlib.h>

int queue_init(struct queue *q, size_t room, struct fault *f)
{
    struct job *jobs = calloc(room, sizeof(*jobs));

    if (!jobs)
        return fault_nomem(f);
    *q = (struct queue){.jobs = jobs, .room = room};
    return 0;
}

void queue_free(struct queue *q)
{
    free(q->jobs);
    *q = (struct queue){0};
}

bool queue_put(struct queue *q, const struct job *job)
{
    if (q->n == q->room)
        return false;
    q->jobs[(q->first + q->n++) % q->room] = *job;
    return true;
}

size_t queue_take(struct queue *q, struct job *out, size_t max)
{
    size_t n = 0;

    while (n < max && q->n) {
        bool alone = q->jobs[q->first].alone;

        if (alone && n)
            break;
        out[n++] = q->jobs[q->first];
        q->first = (q->first + 1) % q->room;
        q->n--;
        if (alone)
            break;
    }
    return n;
}
