/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_WIRE_H
#define SEKISHO_BENCH_WIRE_H

#include "guard/guard.h"
#include "intake/exchange.h"

/* The parts of this benchmark: README.md. */
void path_run(void);
void memory_run(void);
void flood_run(size_t ring_mib);

struct guard *bench_guard(struct instant now);
struct exchange_config bench_exchange(attempt_fn *give, void *context);
void bench_fail(const char *what) __attribute__((noreturn));
/* Memory of this process, in MiB. */
double bench_rss(void);

#endif
