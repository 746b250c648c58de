/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_MACHINE_H
#define SEKISHO_BENCH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "measure.h"

/*
 * What this machine's memory can do, so that the other figures can be judged: one read of a random
 * cache line of `bytes` of memory, where each address comes from the line read before (latency), or
 * where addresses are known beforehand (throughput).
 */
struct machine {
    struct measure latency, throughput;
};
struct machine machine_memory(size_t bytes, bool huge_pages);

#endif
