/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard's thread holds when a million sources have been seen, and ten. */
#include <stdio.h>

#include "bench_wire.h"
#include "intake/packet.h"
#include "intake/wire.h"
#include "measure.h"

static struct guard *guard;
static struct instant now = {.boot_ns = INT64_C(1000000000000), .wall_ms = INT64_C(1795487580000)};

static void give(void *context, const struct attempt *attempt)
{
    guard_attempt(guard, attempt);
}

/* Each fails once, one in four proved, with an account of its own. */
static double see(uint32_t from, uint32_t to)
{
    double cpu = measure_cpu();

    for (uint32_t i = from; i < to; i++) {
        char name[16];
        struct attempt a = {
            .at = now,
            .switch_id = 1,
            .witness = WITNESS_WIRE,
            .outcome = OUTCOME_WRONG_CREDENTIALS,
            .proof = i % 4 ? PROOF_NONE : PROOF_PROVED,
            .transport = TRANSPORT_UDP,
            .method = METHOD_REGISTER,
            .source = {.family = 4, .port = 5060},
            .credentials = i + UINT64_C(1),
        };
        uint32_t ip = i * 2654435761u; /* all of them differ */

        memcpy(a.source.ip, &ip, sizeof(ip));
        a.account = (struct span){name, (size_t)snprintf(name, sizeof(name), "%u", i)};
        guard_attempt(guard, &a);
        if (i % 10000 == 0) {
            now.boot_ns += INT64_C(1000000000);
            now.wall_ms += 1000;
        }
    }
    return (measure_cpu() - cpu) / (to - from);
}

void memory_run(void)
{
    struct exchange_config config = bench_exchange(give, NULL);
    double before = bench_rss();
    struct packets *packets = packets_new(PACKET_SIZES, config.key);
    struct exchange *exchange = exchange_new(&config);
    static const uint32_t seen[] = {0, 1000000, 10000000};
    struct guard_figures figures;

    guard = bench_guard(now);
    guard_figures(guard, &figures);
    printf("the guard's tables: %.1f MiB; a ring: %.0f MiB beside what is here\n"
           "%-28s %9s %9s\n",
           (double)figures.memory / (1024 * 1024), (double)WIRE_RING / (1024 * 1024),
           "sources seen", "RSS MiB", "ns each");
    printf("%-28s %9.1f\n", "before anything is there", before);
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
        double ns = i ? see(seen[i - 1], seen[i]) : 0;

        printf("%-28u %9.1f %9.0f\n", seen[i], bench_rss(), ns);
    }
    guard_free(guard);
    exchange_free(exchange);
    packets_free(packets);
}
