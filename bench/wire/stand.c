/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each part stands on: a guard, the way to it, this process's memory. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_wire.h"

void bench_fail(const char *what)
{
    fprintf(stderr, "bench_wire: ");
    perror(what);
    exit(1);
}

struct guard *bench_guard(struct instant now)
{
    static const uint8_t key[GUARD_KEY_BYTES] = {1};
    struct guard_limits limits;
    struct guard *guard;
    struct fault f;

    guard_limits_default(&limits);
    if (guard_new(&guard, &limits, key, now, NULL, NULL, &f) ||
        guard_set_mode(guard, now, 1, GUARD_ENFORCE, &f)) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    return guard;
}

struct exchange_config bench_exchange(attempt_fn *give, void *context)
{
    return (struct exchange_config){
        .witness = WITNESS_WIRE,
        .request_buckets = EXCHANGE_REQUEST_BUCKETS,
        .nonce_buckets = EXCHANGE_NONCE_BUCKETS,
        .key = "bench",
        .give = give,
        .context = context,
    };
}

double bench_rss(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size, resident;

    if (!f || fscanf(f, "%ld %ld", &size, &resident) != 2)
        bench_fail("/proc/self/statm");
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}
