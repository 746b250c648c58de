/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same packets without a kernel: what each part of the way costs. */
#include <stdio.h>

#include "bench_wire.h"
#include "intake/packet.h"
#include "measure.h"
#include "traffic.h"

#define EXCHANGES 2048u
#define ROUNDS 15
#define KINDS 4 /* ASK to REFUSE */

static char packets[EXCHANGES * KINDS][TRAFFIC_PACKET_MAX];
static uint16_t lengths[EXCHANGES * KINDS];

static struct path {
    struct packets *packets;
    struct exchange *exchange; /* NULL: so far and no further; likewise: */
    struct guard *guard;
    bool checked;
    struct instant now;
    uint64_t payloads, attempts;
} path;

static void give(void *context, const struct attempt *attempt)
{
    path.attempts++;
    if (path.guard)
        guard_attempt(path.guard, attempt);
}

static void payload(void *context, const struct packet_payload *p)
{
    struct exchange_message m = {
        .at = path.now,
        .switch_id = 1,
        .way = p->to.port == 5060 ? EXCHANGE_IN : EXCHANGE_OUT,
        .from = p->from,
        .to = p->to,
        .transport = TRANSPORT_UDP,
        .bytes = p->bytes,
    };

    path.payloads++;
    if (path.exchange)
        exchange_take(path.exchange, &m);
}

static void all(void *arg)
{
    for (size_t i = 0; i < EXCHANGES * KINDS; i++) {
        struct packet_frame frame = {PACKET_IP, {packets[i], lengths[i]}, path.checked};

        packets_take(path.packets, &frame, path.now.boot_ns, payload, NULL);
    }
    /* What was answered a minute ago is no retransmission. */
    path.now.boot_ns += 64 * INT64_C(1000000000);
    path.now.wall_ms += 64000;
}

/* `sources`: how many there are. Accounts are others in each exchange. */
static void prepare(uint32_t sources)
{
    uint64_t seed = 1;

    for (uint32_t i = 0; i < EXCHANGES; i++) {
        uint32_t source = 0x0a000000 + (uint32_t)measure_random(&seed) % sources;

        for (uint32_t k = 0; k < KINDS; k++) {
            size_t at = i * KINDS + k;

            lengths[at] = (uint16_t)traffic_write(packets[at], (enum traffic)k, source, i);
        }
    }
}

static void row(const char *name, bool checked, bool exchange, bool guard)
{
    struct exchange_config config = bench_exchange(give, NULL);
    struct measure m;

    path = (struct path){.checked = checked, .now = {.boot_ns = INT64_C(1000000000000)}};
    path.now.wall_ms = INT64_C(1795487580000);
    path.packets = packets_new(PACKET_SIZES, config.key);
    path.exchange = exchange ? exchange_new(&config) : NULL;
    path.guard = guard ? bench_guard(path.now) : NULL;
    m = measure(ROUNDS, EXCHANGES * KINDS, all, NULL);
    if (path.payloads != (ROUNDS + 1) * EXCHANGES * KINDS ||
        (exchange && path.attempts != (ROUNDS + 1) * EXCHANGES * 2))
        bench_fail("not every packet came through");
    printf("%-52s %9.0f %9.0f %12.0f\n", name, m.median, m.least, 1e9 / m.least);
    guard_free(path.guard);
    exchange_free(path.exchange);
    packets_free(path.packets);
}

void path_run(void)
{
    printf("REGISTER, 401, REGISTER with credentials, 401: %u exchanges of other sources and "
           "accounts\n"
           "%-52s %9s %9s %12s\n",
           EXCHANGES, "ns a packet, on one core", "median", "least", "a second");
    prepare(1u << 24);
    row("IP and UDP", true, false, false);
    row("IP and UDP, checksum too", false, false, false);
    row("to attempts", true, true, false);
    row("to the guard's decisions (one attempt in 2 packets)", true, true, true);
    prepare(64);
    row("the same from 64 sources, which are soon banned", true, true, true);
}
