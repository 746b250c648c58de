/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desks.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "measure.h"

#define BATCH 32
#define BATCHES 4000 /* a round */
#define ROUNDS 10

struct desk {
    const struct question *questions;
    struct sip_desk *desk;
    pthread_barrier_t *begin;
    uint64_t seed;
    uint32_t number;
    double taken[ROUNDS * BATCHES]; /* us a decision */
    size_t n;
    char in[BATCH][QUESTIONS_SIZE], out[BATCH][QUESTIONS_SIZE];
};

/* The requests lie near, as what was just received does. */
static void take_packets(struct desk *d, struct sip_packet packets[BATCH])
{
    for (size_t i = 0; i < BATCH; i++) {
        const struct question *q = &d->questions[measure_random(&d->seed) % QUESTIONS_TEMPLATES];

        questions_copy(q, ++d->number, d->in[i]);
        packets[i] =
            (struct sip_packet){.bytes = {d->in[i], q->n},
                                .source = {.family = 4, .ip = {127, 0, 0, 1}, .port = 40000},
                                .reply = d->out[i],
                                .size = sizeof(d->out[i])};
    }
}

static void *answer(void *arg)
{
    struct sip_packet packets[BATCH];
    struct desk *d = arg;

    snapshot_reader_register();
    if (d->begin)
        pthread_barrier_wait(d->begin);
    for (size_t i = 0; i < BATCHES; i++) {
        take_packets(d, packets);
        double begin = measure_cpu();

        sip_desk_answer(d->desk, packets, BATCH, clock_now());
        d->taken[d->n++] = (measure_cpu() - begin) / BATCH / 1e3;
    }
    snapshot_reader_unregister();
    return NULL;
}

/* The first `n` at once. */
static void answer_at_once(struct desk *const *desks, size_t n)
{
    pthread_barrier_t begin;
    pthread_t threads[2];

    pthread_barrier_init(&begin, NULL, (unsigned)n);
    for (size_t i = 0; i < n; i++) {
        desks[i]->begin = &begin;
        if (pthread_create(&threads[i], NULL, answer, desks[i]))
            exit(1);
    }
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&begin);
}

static struct desk *desk_new(struct authorizer *authorizer, const uint8_t key[SIP_KEY_BYTES],
                             const struct question *questions, uint64_t seed)
{
    struct desk *d = calloc(1, sizeof(*d));
    struct fault f;

    if (!d || sip_desk_new(&d->desk, authorizer, key, &f))
        exit(1);
    d->questions = questions;
    d->seed = seed;
    d->number = (uint32_t)seed << 24;
    return d;
}

static void desk_free(struct desk *d)
{
    sip_desk_free(d->desk);
    free(d);
}

/* Others on the machine disturb many batches: what one in twenty stays below is what the code can do. */
static struct measure figures(struct desk *d)
{
    qsort(d->taken, d->n, sizeof(*d->taken), measure_compare);
    return (struct measure){d->taken[d->n / 20], d->taken[d->n / 2]};
}

void desks_compare(struct authorizer *authorizer, const uint8_t key[SIP_KEY_BYTES],
                   const struct question *questions)
{
    struct desk *alone = desk_new(authorizer, key, questions, 3);
    struct desk *both[2] = {desk_new(authorizer, key, questions, 4),
                            desk_new(authorizer, key, questions, 5)};

    for (size_t i = 0; i < ROUNDS; i++) {
        answer_at_once(&alone, 1);
        answer_at_once(both, 2);
    }

    struct measure one = figures(alone), first = figures(both[0]), second = figures(both[1]);
    double least = (first.least + second.least) / 2, median = (first.median + second.median) / 2;

    printf("%-11s %12.2f %12.2f   of it without the sockets: reading, deciding, writing\n", "desk",
           one.least, one.median);
    printf("%-11s %12.2f %12.2f   x %.2f, %.2f what one answers, each on a processor of its own\n",
           "two desks", least, median, 2 * one.least / least, 2 * one.median / median);
    desk_free(alone);
    desk_free(both[0]);
    desk_free(both[1]);
}
