/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real ring with the enforcer's filter, between a PBX and the world: two network namespaces and a cable (veth).
 * One process holds sockets in both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
/* clang-format off: cmocka.h needs the four above */
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "craft.h"
#include "enforce/port_filter.h"
#include "intake/wire.h"

#define PBX4 "198.51.100.1:5060"
#define PHONE4 "198.51.100.2:5061"
#define PBX6 "[2001:db8::1]:5060"
#define PHONE6 "[2001:db8::2]:5061"

static struct place {
    int pbx, world; /* namespaces */
    struct ours ours;
    struct wire *wire;
    struct buf out;
} place;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    perror(what);
    abort();
}

static void run(const char *command)
{
    must(system(command) == 0, command);
}

static int socket_in(int namespace, int family, int type, int protocol)
{
    must(setns(namespace, CLONE_NEWNET) == 0, "setns");
    int s = socket(family, type, protocol);

    must(s >= 0, "socket");
    return s;
}

static int bound(int namespace, int type, const char *text)
{
    struct address a = craft_address(text);
    struct sockaddr_storage to;
    socklen_t n = address_to(&a, &to);
    int s = socket_in(namespace, a.family == 4 ? AF_INET : AF_INET6, type, 0), on = 1;

    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    must(bind(s, (const struct sockaddr *)&to, n) == 0, text);
    return s;
}

static void send_to(int s, const char *text, struct span bytes)
{
    struct address a = craft_address(text);
    struct sockaddr_storage to;
    socklen_t n = address_to(&a, &to);

    must(sendto(s, bytes.p, bytes.n, 0, (const struct sockaddr *)&to, n) == (ssize_t)bytes.n, text);
}

/* Namespaces end with the process. False where they are not allowed. */
static bool build(void)
{
    char command[256];

    if (unshare(CLONE_NEWNET) != 0)
        return false;
    place.pbx = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    must(unshare(CLONE_NEWNET) == 0, "unshare");
    place.world = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(command, sizeof(command),
             "ip link add world0 type veth peer name pbx0 && ip link set pbx0 netns /proc/%d/fd/%d",
             (int)getpid(), place.pbx);
    run(command);
    run("ip addr add 198.51.100.2/24 dev world0 && ip addr add 2001:db8::2/64 dev world0 nodad && "
        "ip link set world0 up && ip link set lo up");
    must(setns(place.pbx, CLONE_NEWNET) == 0, "setns");
    run("ip addr add 198.51.100.1/24 dev pbx0 && ip addr add 2001:db8::1/64 dev pbx0 nodad && "
        "ip link set pbx0 up && ip link set lo up");
    return true;
}

static void give(void *context, const struct attempt *a)
{
    char text[ADDRESS_TEXT_MAX];

    buf_printf(&place.out, "%s %s %s %s %s\n", outcome_name(a->outcome), proof_name(a->proof),
               transport_name(a->transport), method_name(a->method),
               address_ip_text(&a->source, text));
}

/* As the enforcer does it. */
static int packet_socket(void)
{
    struct enforce_port ports[] = {{.port = 5060}};
    struct sock_filter code[PORT_FILTER_MAX];
    struct sock_fprog program = {.len = (unsigned short)port_filter(code, ports, 1),
                                 .filter = code};
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int s = socket_in(place.pbx, AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    must(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "filter");
    must(bind(s, (const struct sockaddr *)&all, sizeof(all)) == 0, "bind");
    return s;
}

static void open_wire(attempt_fn *fn, size_t ring_bytes)
{
    struct wire_config config = {
        .switch_id = 1,
        .ours = &place.ours,
        .ring_bytes = ring_bytes,
        .exchange = {.request_buckets = EXCHANGE_REQUEST_BUCKETS,
                     .nonce_buckets = EXCHANGE_NONCE_BUCKETS,
                     .key = "wire",
                     .give = fn},
    };
    struct network n4, n6;
    struct fault f;

    network_parse(SPAN("198.51.100.1"), &n4, NULL);
    network_parse(SPAN("2001:db8::1"), &n6, NULL);
    place.ours.n = 0;
    ours_add(&place.ours, &n4);
    ours_add(&place.ours, &n6);
    if (wire_open(&place.wire, packet_socket(), &config, &f)) {
        fprintf(stderr, "%s\n", f.text);
        abort();
    }
}

/* Until nothing has come for 50 ms. */
static void settle(void)
{
    struct pollfd p = {.fd = wire_fd(place.wire), .events = POLLIN};

    while (poll(&p, 1, 50) > 0 || wire_read(place.wire, clock_now(), 8) > 0)
        wire_read(place.wire, clock_now(), 8);
}

static void expect(const char *text)
{
    settle();
    assert_string_equal(place.out.p, text);
    buf_clear(&place.out);
    buf_puts(&place.out, "");
}

static void message(struct buf *b, const char *start, const char *id, int cseq, const char *method,
                    const char *more, size_t padding)
{
    buf_clear(b);
    buf_printf(b,
               "%s\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK%s%d\r\nFrom: <sip:1001@x>;tag=1\r\n"
               "To: <sip:1001@x>\r\nCall-ID: %s\r\nCSeq: %d %s\r\n%s",
               start, id, cseq, id, cseq, method, more);
    if (padding) {
        buf_puts(b, "X-Padding: ");
        while (padding--)
            buf_putc(b, 'x');
        buf_puts(b, "\r\n");
    }
    buf_puts(b, "Content-Length: 0\r\n\r\n");
}

#define ASK "REGISTER sip:x SIP/2.0"
#define REFUSE "SIP/2.0 401 Unauthorized"
#define CHALLENGE "WWW-Authenticate: Digest realm=\"x\", nonce=\"N"
#define GUESS                                                                                      \
    "Authorization: Digest username=\"1001\", realm=\"x\", uri=\"x\", response=\"r\", nonce=\"N"

static char *with(const char *field, const char *id)
{
    static char text[256];

    snprintf(text, sizeof(text), "%s%s\"\r\n", field, id);
    return text;
}

static void one_guess(const char *pbx_text, const char *phone_text, const char *id, size_t padding)
{
    int pbx = bound(place.pbx, SOCK_DGRAM, pbx_text);
    int phone = bound(place.world, SOCK_DGRAM, phone_text);
    struct buf b = {0};

    message(&b, ASK, id, 1, "REGISTER", "", padding);
    send_to(phone, pbx_text, buf_span(&b));
    message(&b, REFUSE, id, 1, "REGISTER", with(CHALLENGE, id), padding);
    send_to(pbx, phone_text, buf_span(&b));
    message(&b, ASK, id, 2, "REGISTER", with(GUESS, id), padding);
    send_to(phone, pbx_text, buf_span(&b));
    message(&b, REFUSE, id, 2, "REGISTER", with(CHALLENGE, id), padding);
    send_to(pbx, phone_text, buf_span(&b));
    close(pbx);
    close(phone);
    buf_free(&b);
}

static void udp_of_both_families(void **state)
{
    one_guess(PBX4, PHONE4, "four", 0);
    expect("challenged unproved udp REGISTER 198.51.100.2\n"
           "wrong-credentials proved udp REGISTER 198.51.100.2\n");
    one_guess(PBX6, PHONE6, "six", 0);
    expect("challenged unproved udp REGISTER 2001:db8::2\n"
           "wrong-credentials proved udp REGISTER 2001:db8::2\n");
}

static void fragments(void **state)
{
    one_guess(PBX4, PHONE4, "long4", 4000);
    expect("challenged unproved udp REGISTER 198.51.100.2\n"
           "wrong-credentials proved udp REGISTER 198.51.100.2\n");
    one_guess(PBX6, PHONE6, "long6", 4000);
    expect("challenged unproved udp REGISTER 2001:db8::2\n"
           "wrong-credentials proved udp REGISTER 2001:db8::2\n");
    assert_true(wire_figures(place.wire).packets.fragments.whole == 8);
}

static void tcp(void **state)
{
    int listener = bound(place.pbx, SOCK_STREAM, PBX4), phone, pbx;
    struct address a = craft_address(PBX4);
    struct sockaddr_storage to;
    socklen_t n = address_to(&a, &to);
    struct buf b = {0};

    must(listen(listener, 1) == 0, "listen");
    phone = socket_in(place.world, AF_INET, SOCK_STREAM, 0);
    must(connect(phone, (const struct sockaddr *)&to, n) == 0, "connect");
    pbx = accept(listener, NULL, NULL);
    must(pbx >= 0, "accept");
    message(&b, ASK, "tcp", 1, "REGISTER", with(GUESS, "invented"), 3000);
    for (size_t i = 0; i < b.n; i += 700)
        must(write(phone, b.p + i, b.n - i < 700 ? b.n - i : 700) > 0, "write");
    message(&b, REFUSE, "tcp", 1, "REGISTER", with(CHALLENGE, "tcp"), 0);
    must(write(pbx, b.p, b.n) > 0, "write");
    expect("wrong-credentials proved tcp REGISTER 198.51.100.2\n");
    close(phone);
    close(pbx);
    close(listener);
    buf_free(&b);
}

/* Somebody outside writes the PBX's address into a packet: no words of the PBX's. */
static void forged(void **state)
{
    int raw = socket_in(place.world, AF_INET, SOCK_RAW, IPPROTO_RAW);
    int phone = bound(place.world, SOCK_DGRAM, PHONE4);
    struct buf b = {0}, packet = {0};

    message(&b, REFUSE, "forged", 1, "REGISTER", with(CHALLENGE, "forged"), 0);
    craft_udp(&packet, PBX4, PHONE4, buf_span(&b));
    /* Its destination is written to as if it were behind the PBX. */
    run("ip route replace 203.0.113.0/24 via 198.51.100.1 dev world0");
    buf_clear(&packet);
    craft_udp(&packet, PBX4, "203.0.113.7:5061", buf_span(&b));
    send_to(raw, "203.0.113.7:0", buf_span(&packet));
    message(&b, ASK, "forged", 2, "REGISTER", with(GUESS, "forged"), 0);
    send_to(phone, PBX4, buf_span(&b));
    settle();
    assert_true(wire_figures(place.wire).forged >= 1);
    assert_true(wire_figures(place.wire).exchange.replies ==
                4 * 2 + 1); /* those of the other tests alone */
    expect("");
    close(raw);
    close(phone);
    buf_free(&b);
    buf_free(&packet);
}

static void no_packet_socket(void **state)
{
    struct wire_config config = {.ours = &place.ours, .ring_bytes = WIRE_RING};
    struct wire *w;
    struct fault f;

    config.exchange = (struct exchange_config){.request_buckets = 1, .nonce_buckets = 1};
    assert_int_equal(wire_open(&w, socket_in(place.pbx, AF_INET, SOCK_DGRAM, 0), &config, &f),
                     ERR_IO);
    assert_non_null(strstr(f.text, "packet socket"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_of_both_families),
        cmocka_unit_test(fragments),
        cmocka_unit_test(tcp),
        cmocka_unit_test(forged),
        cmocka_unit_test(no_packet_socket),
    };

    if (!build()) {
        puts("1..0 # SKIP network namespaces are not allowed here");
        return 0;
    }
    buf_puts(&place.out, "");
    open_wire(give, WIRE_RING);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    wire_close(place.wire);
    buf_free(&place.out);
    return failed;
}
