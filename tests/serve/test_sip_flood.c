/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel lets through to a socket with the filter, and when there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/snapshot.h"
#include "serve/sip_flood.h"
#include "sip_world.h"

#define SECOND_NS INT64_C(1000000000)

static int bound(const char *ip, struct sockaddr_storage *at)
{
    struct address address;
    socklen_t length;

    assert_int_equal(address_parse_ip(span_of(ip), &address, NULL), 0);
    length = address_to(&address, at);
    int fd = socket(at->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)at, length) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &length), 0);
    return fd;
}

/* How many of `n` datagrams from `ip` arrive at `fd`, which is at `at`. */
static int arriving(int fd, const struct sockaddr_storage *at, const char *ip, int n)
{
    struct sockaddr_storage from;
    int out = bound(ip, &from), arrived = 0;
    char byte;

    assert_true(out >= 0);
    for (int i = 0; i < n; i++) {
        assert_int_equal(sendto(out, "x", 1, 0, (const struct sockaddr *)at,
                                at->ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                         : sizeof(struct sockaddr_in6)),
                         1);
        while (recv(fd, &byte, 1, 0) == 1)
            arrived++;
    }
    close(out);
    return arrived;
}

static void only_networks_come_through(void **state)
{
    static const struct {
        const char *network, *inside, *outside;
    } cases[] = {
        {"127.0.0.2", "127.0.0.2", "127.0.0.3"},
        {"127.0.0.0/24", "127.0.0.255", "127.0.1.0"},
        {"127.0.0.128/25", "127.0.0.128", "127.0.0.127"},
        {"127.1.2.0/31", "127.1.2.1", "127.1.2.2"},
        {"127.128.0.0/9", "127.255.0.1", "127.127.0.1"},
    };
    struct sock_filter program[SIP_FILTER_MAX];
    struct sockaddr_storage at;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct network networks[] = {
            sip_world_network("2001:db8::/32"), sip_world_network("192.0.2.1"),
            sip_world_network(cases[i].network), sip_world_network("198.51.100.0/23")};
        size_t n = sip_filter_program(4, networks, 4, program);
        int fd = bound("127.0.0.1", &at);

        assert_true(n > 0 && sip_filter_attach(fd, program, n));
        assert_int_equal(arriving(fd, &at, cases[i].inside, 100), 100);
        /* One in 64: of a thousand neither none nor many. */
        assert_in_range(arriving(fd, &at, cases[i].outside, 1000), 1, 60);
        sip_filter_detach(fd);
        assert_int_equal(arriving(fd, &at, cases[i].outside, 100), 100);
        close(fd);
    }
}

/* Only ::1 is there to send from: it is told from networks that differ in any of the four words. */
static void ipv6_is_compared_word_by_word(void **state)
{
    static const struct {
        const char *network;
        bool in;
    } cases[] = {
        {"::1", true},       {"::/127", true},        {"::/96", true},
        {"::/3", true},      {"::2", false},          {"1::1", false},
        {"0:0:1::1", false}, {"0:0:0:0:1::1", false}, {"0:0:0:0:1::/80", false},
        {"::2/127", false},  {"8000::/1", false},
    };
    struct sock_filter program[SIP_FILTER_MAX];
    struct sockaddr_storage at;
    int fd = bound("::1", &at);

    if (fd < 0)
        skip();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct network network = sip_world_network(cases[i].network);
        size_t n = sip_filter_program(6, &network, 1, program);

        assert_true(n > 0 && sip_filter_attach(fd, program, n));
        if (cases[i].in)
            assert_int_equal(arriving(fd, &at, "::1", 100), 100);
        else
            assert_in_range(arriving(fd, &at, "::1", 1000), 1, 60);
    }
    close(fd);
}

static void too_many_networks_are_no_filter(void **state)
{
    struct network networks[SIP_FILTER_NETWORKS + 1];
    struct sock_filter program[SIP_FILTER_MAX];
    struct sockaddr_storage at;
    int fd = bound("127.0.0.1", &at);

    for (size_t i = 0; i <= SIP_FILTER_NETWORKS; i++) {
        networks[i] = sip_world_network("2001:db8::/33");
        networks[i].ip[15] = (uint8_t)i;
        networks[i].bits = 127;
        networks[i].ip[15] &= 0xfe;
    }
    /* The longest that there can be is within the room, and taken by the kernel. */
    size_t n = sip_filter_program(6, networks, SIP_FILTER_NETWORKS, program);
    assert_in_range(n, SIP_FILTER_NETWORKS, SIP_FILTER_MAX);
    assert_true(sip_filter_attach(fd, program, n));
    assert_int_equal(sip_filter_program(6, networks, SIP_FILTER_NETWORKS + 1, program), 0);
    assert_int_equal(sip_filter_program(4, networks, SIP_FILTER_NETWORKS + 1, program), 4);
    close(fd);
}

static void the_filter_comes_with_the_flood_and_goes_with_it(void **state)
{
    static struct sip_flood flood;
    struct sip_world world;
    struct sockaddr_storage at;
    int64_t now = 1000 * SECOND_NS;
    uint64_t strangers = 0;

    sip_world_open(&world);
    struct sip_socket socket = {.fd = bound("127.0.0.1", &at)};
#define LOOK sip_flood_look(&flood, world.snapshot, &socket, 1, strangers, now)
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE);
    strangers += SIP_FLOOD_BEGINS / 2;
    now += SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE); /* many, and no flood */
    assert_int_equal(arriving(socket.fd, &at, "127.0.0.9", 100), 100);
    strangers += 2 * SIP_FLOOD_BEGINS;
    now += SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_BEGUN);
    assert_true(arriving(socket.fd, &at, "127.0.0.9", 1000) <= 60);
    strangers += SIP_FLOOD_BEGINS;
    now += SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE);

    /* 127.0.0.9 becomes a switch's, as the next look sees. */
    struct network more = sip_world_network("127.0.0.9");
    const struct levels_switch sw = {.id = 9,
                                     .name = SPAN("new"),
                                     .networks = &more,
                                     .n_networks = 1,
                                     .site = {.plan = SPAN("JP")},
                                     .mode = MODE_ENFORCE,
                                     .unknown = UNKNOWN_DENY};
    const struct levels_config config = {.tables = world.tables, .switches = &sw, .n_switches = 1};
    assert_int_equal(snapshot_stage_levels(world.snapshot, &config, NULL), 0);
    snapshot_publish(world.snapshot, 77);
    strangers += SIP_FLOOD_BEGINS;
    now += SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE);
    assert_int_equal(arriving(socket.fd, &at, "127.0.0.9", 100), 100);
    assert_true(arriving(socket.fd, &at, "127.0.0.10", 1000) <= 60);

    /* Quiet, but for a moment; and then for long enough. */
    now += 3 * SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE);
    strangers += 3 * SIP_FLOOD_BEGINS;
    now += SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE);
    now += SECOND_NS;
    assert_int_equal(LOOK, SIP_FLOOD_AS_BEFORE);
    now += SIP_FLOOD_QUIET_NS;
    assert_int_equal(LOOK, SIP_FLOOD_ENDED);
    assert_int_equal(arriving(socket.fd, &at, "127.0.0.10", 100), 100);
    close(socket.fd);
    sip_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_networks_come_through),
        cmocka_unit_test(ipv6_is_compared_word_by_word),
        cmocka_unit_test(too_many_networks_are_no_filter),
        cmocka_unit_test(the_filter_comes_with_the_flood_and_goes_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
