/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_MEASURE_H
#define SEKISHO_BENCH_MEASURE_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/*
 * What benchmarks share: clocks, repeatable random numbers, and rounds. A machine that is shared
 * with others disturbs some rounds; the least is what the code can do, the median what it did.
 */

static inline double measure_clock(clockid_t clock) /* in ns */
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double measure_now(void)
{
    return measure_clock(CLOCK_MONOTONIC);
}

/* What this thread has had of its processor: while others have it, nothing is counted. */
static inline double measure_cpu(void)
{
    return measure_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* splitmix64: the same numbers from the same seed on every machine. */
static inline uint64_t measure_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* Keeps the compiler from leaving out what yields `x`. */
static inline void measure_keep(uint64_t x)
{
    __asm__ volatile("" : : "r"(x) : "memory");
}

struct measure {
    double least, median; /* ns an item */
};

#define MEASURE_ROUNDS_MAX 32

static inline int measure_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Calls `run`, which does `items` of something on this thread and waits for nothing, `rounds` times (at
 * most MEASURE_ROUNDS_MAX), once before without looking at the clock. */
static inline struct measure measure(int rounds, size_t items, void (*run)(void *arg), void *arg)
{
    double taken[MEASURE_ROUNDS_MAX];

    run(arg);
    for (int i = 0; i < rounds; i++) {
        double start = measure_cpu();

        run(arg);
        taken[i] = (measure_cpu() - start) / (double)items;
    }
    qsort(taken, (size_t)rounds, sizeof(*taken), measure_compare);
    return (struct measure){taken[0], taken[rounds / 2]};
}

#endif
