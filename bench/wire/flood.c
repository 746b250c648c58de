/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A paced flood through a real ring with the enforcer's filter: two network namespaces and a cable (veth). The sender is
 * a process on a core of its own, and does there what a network card and its interrupts would do beside the reader
 * (the kernel hands a packet over and copies it into the ring on the sender's core).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench_wire.h"
#include "enforce/port_filter.h"
#include "intake/wire.h"
#include "measure.h"
#include "traffic.h"

#define SECONDS 4
#define BATCH 32

static struct flood {
    int pbx, world; /* namespaces */
    struct guard *guard;
    uint64_t attempts;
} flood;

static void must(bool holds, const char *what)
{
    if (!holds)
        bench_fail(what);
}

/* And ahead of all others, where that is allowed: what is asked is what the reader can do, not who else is there. */
static bool pin(int core)
{
    struct sched_param first = {.sched_priority = 1};
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    must(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
    return sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

/* For how long this thread would have run, and others did, in ns. */
static double kept_waiting(void)
{
    FILE *f = fopen("/proc/thread-self/schedstat", "r");
    unsigned long ran, waited = 0;

    if (f && fscanf(f, "%lu %lu", &ran, &waited) != 2)
        waited = 0;
    if (f)
        fclose(f);
    return (double)waited;
}

static void enter(int namespace)
{
    must(setns(namespace, CLONE_NEWNET) == 0, "setns");
}

static void build(void)
{
    char command[256];

    must(unshare(CLONE_NEWNET) == 0, "network namespaces");
    flood.pbx = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    flood.world = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(command, sizeof(command),
             "ip link add world0 type veth peer name pbx0 && ip link set world0 up && "
             "ip link set pbx0 netns /proc/%d/fd/%d",
             (int)getpid(), flood.pbx);
    must(system(command) == 0, command);
    enter(flood.pbx);
    must(system("ip addr add " TRAFFIC_SWITCH "/24 dev pbx0 && ip link set pbx0 up") == 0, "ip");
}

/* ---- the sender ---- */

static int raw_socket(struct sockaddr_ll *to)
{
    struct ifreq request = {.ifr_name = "pbx0"};
    int s;

    enter(flood.pbx);
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(ioctl(s, SIOCGIFHWADDR, &request) == 0, "pbx0");
    close(s);
    enter(flood.world);
    *to = (struct sockaddr_ll){.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_IP),
                               .sll_ifindex = (int)if_nametoindex("world0"),
                               .sll_halen = ETH_ALEN};
    memcpy(to->sll_addr, request.ifr_hwaddr.sa_data, ETH_ALEN);
    s = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(s >= 0, "packet socket");
    return s;
}

/* Half of them are guesses of 725 bytes with invented nonces, half scanners; every source is another. Begins when it
 * hears something, and says then how many it has sent. */
static void send_all(double rate, int heard, int told)
{
    static char packets[BATCH][TRAFFIC_PACKET_MAX];
    struct sockaddr_ll to;
    struct mmsghdr m[BATCH] = {0};
    struct iovec v[BATCH];
    int s = raw_socket(&to);
    uint64_t sent = 0, seed = (uint64_t)rate;
    double begin, now;
    char go;

    must(read(heard, &go, 1) == 1, "the reader");
    begin = measure_now();
    while ((now = measure_now()) - begin < SECONDS * 1e9) {
        if ((double)sent / rate > (now - begin) / 1e9)
            continue;
        for (uint32_t i = 0; i < BATCH; i++) {
            uint32_t number = (uint32_t)sent + i;
            uint32_t source = 0x0a000000 + (uint32_t)(measure_random(&seed) & 0xffffff);

            v[i] = (struct iovec){
                packets[i],
                traffic_write(packets[i], i % 2 ? TRAFFIC_SCAN : TRAFFIC_GUESS, source, number)};
            m[i].msg_hdr = (struct msghdr){
                .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &v[i], .msg_iovlen = 1};
        }
        int n = sendmmsg(s, m, BATCH, 0);

        must(n > 0 || errno == ENOBUFS, "sendmmsg");
        sent += n > 0 ? (uint64_t)n : 0;
    }
    double rates[2] = {(double)sent, (double)sent / ((measure_now() - begin) / 1e9)};

    must(write(told, rates, sizeof(rates)) == sizeof(rates), "write");
    close(s);
}

/* ---- the reader ---- */

static void give(void *context, const struct attempt *attempt)
{
    flood.attempts++;
    guard_attempt(flood.guard, attempt);
}

/* As the enforcer does it. */
static int packet_socket(void)
{
    struct enforce_port ports[] = {{.port = 5060}};
    struct sock_filter code[PORT_FILTER_MAX];
    struct sock_fprog program = {.len = (unsigned short)port_filter(code, ports, 1),
                                 .filter = code};
    struct sockaddr_ll every = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int s;

    enter(flood.pbx);
    s = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(s >= 0, "packet socket");
    must(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "filter");
    must(bind(s, (const struct sockaddr *)&every, sizeof(every)) == 0, "bind");
    return s;
}

static struct wire *open_wire(size_t ring_bytes, struct ours *ours)
{
    struct wire_config config = {
        .switch_id = 1,
        .ours = ours,
        .ring_bytes = ring_bytes,
        .exchange = bench_exchange(give, NULL),
    };
    struct network here;
    struct wire *wire;
    struct fault f;

    network_parse(SPAN(TRAFFIC_SWITCH), &here, NULL);
    ours_add(ours, &here);
    if (wire_open(&wire, packet_socket(), &config, &f)) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    return wire;
}

/* Until nothing has come for half a second. Once a second what a second is for is done. */
static uint64_t read_all(struct wire *wire)
{
    struct pollfd p = {.fd = wire_fd(wire), .events = POLLIN};
    double second = measure_now();
    uint64_t packets = 0;

    while (poll(&p, 1, 500) > 0) {
        int n;

        while ((n = wire_read(wire, clock_now(), 8)) > 0)
            packets += (uint64_t)n;
        if (measure_now() - second > 1e9) {
            wire_tick(wire, clock_now());
            guard_tick(flood.guard, clock_now());
            second = measure_now();
        }
    }
    return packets;
}

/* The sender is there first: memory that two processes share is copied when it is written to. */
static pid_t start_sender(double rate, int *told, int *heard)
{
    int down[2], up[2];
    pid_t sender;

    must(pipe(down) == 0 && pipe(up) == 0, "pipe");
    sender = fork();
    must(sender >= 0, "fork");
    if (sender == 0) {
        pin(1);
        send_all(rate, down[0], up[1]);
        _exit(0);
    }
    *told = down[1];
    *heard = up[0];
    return sender;
}

static void row(double rate, size_t ring_bytes)
{
    struct ours ours = {0};
    struct wire *wire;
    double sent[2], cpu, waited;
    uint64_t packets;
    int told, heard, status;
    pid_t sender = start_sender(rate, &told, &heard);

    flood.guard = bench_guard(clock_now());
    flood.attempts = 0;
    wire = open_wire(ring_bytes, &ours);
    must(write(told, "", 1) == 1, "the sender");
    cpu = measure_cpu();
    waited = kept_waiting();
    packets = read_all(wire);
    cpu = measure_cpu() - cpu;
    waited = kept_waiting() - waited;
    must(read(heard, sent, sizeof(sent)) == sizeof(sent), "the sender");
    must(waitpid(sender, &status, 0) == sender && status == 0, "the sender");
    struct wire_figures f = wire_figures(wire);

    printf("%10.0f %12.0f %12.0f %9lu %9.0f %8.0f %% %9.0f %8.1f\n", sent[1], sent[0],
           (double)packets, (unsigned long)f.lost, cpu / (double)packets, cpu / (SECONDS * 1e7),
           waited / 1e6, bench_rss());
    fflush(stdout);
    wire_close(wire);
    guard_free(flood.guard);
}

/* Each in a process of its own, whose memory is its own. */
static void row_apart(double rate, size_t ring_bytes)
{
    pid_t reader = fork();
    int status;

    must(reader >= 0, "fork");
    if (reader == 0) {
        row(rate, ring_bytes);
        _exit(0);
    }
    must(waitpid(reader, &status, 0) == reader && status == 0, "the reader");
}

void flood_run(size_t ring_mib)
{
    static const double rates[] = {100e3, 200e3, 300e3, 400e3, 500e3};
    size_t ring = ring_mib ? ring_mib << 20 : WIRE_RING;

    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        puts("The flood needs two cores.");
        return;
    }
    build();
    bool first = pin(0);

    printf("a flood of %d s, every source another, half of it guesses of 725 bytes, half scanners; "
           "a ring of "
           "%zu MiB%s\n%10s %12s %12s %9s %9s %10s %9s %8s\n",
           SECONDS, ring >> 20, first ? "" : "; others share the cores", "a second", "sent",
           "taken", "lost", "ns each", "of a core", "waited ms", "RSS MiB");
    fflush(stdout);
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        row_apart(rates[i], ring);
}
