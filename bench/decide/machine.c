/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include <sys/mman.h>

#define LINE 64
#define READS (1U << 20)

struct lines {
    uint64_t (*line)[LINE / 8]; /* [0] is the number of the next */
    size_t n;
};

/* Sattolo's shuffle: one circle through all lines. */
static void link_lines(struct lines *lines)
{
    uint64_t seed = 1;

    for (size_t i = 0; i < lines->n; i++)
        lines->line[i][0] = i;
    for (size_t i = lines->n - 1; i > 0; i--) {
        size_t k = measure_random(&seed) % i;
        uint64_t kept = lines->line[i][0];

        lines->line[i][0] = lines->line[k][0];
        lines->line[k][0] = kept;
    }
}

static void chase(void *arg)
{
    const struct lines *lines = arg;
    uint64_t at = 0;

    for (size_t i = 0; i < READS; i++)
        at = lines->line[at][0];
    measure_keep(at);
}

static void read_many(void *arg)
{
    const struct lines *lines = arg;
    uint64_t seed = 2, sum = 0;

    for (size_t i = 0; i < READS; i++) {
        uint64_t at = (uint64_t)((unsigned __int128)measure_random(&seed) * lines->n >> 64);

        sum += lines->line[at][0];
    }
    measure_keep(sum);
}

struct machine machine_memory(size_t bytes, bool huge_pages)
{
    struct lines lines = {.n = bytes / LINE};
    struct machine m;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        abort();
    madvise(p, bytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    lines.line = p;
    link_lines(&lines);
    m.latency = measure(3, READS, chase, &lines);
    m.throughput = measure(5, READS, read_many, &lines);
    munmap(p, bytes);
    return m;
}
