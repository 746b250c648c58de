/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* clang-format off: cmocka.h needs the four above */
#include <cmocka.h>
/* clang-format on */

#include <linux/if_arp.h>

#include "craft.h"

#define PHONE4 "192.0.2.1:5061"
#define PBX4 "198.51.100.1:5060"
#define PHONE6 "[2001:db8::1]:5061"
#define PBX6 "[2001:db8::2]:5060"

static const uint8_t key[16] = "packets";

/* What was given: each message, with marks, on a line of its own. */
struct given {
    struct packets *packets;
    struct buf text;
};

static void give(void *context, const struct packet_payload *p)
{
    struct given *g = context;

    if (p->tcp)
        buf_puts(&g->text, p->proved ? "+" : "-");
    if (p->doubtful)
        buf_puts(&g->text, "?");
    if (p->cut)
        buf_puts(&g->text, "cut ");
    buf_add(&g->text, p->bytes);
    buf_puts(&g->text, "|");
}

static void take(struct given *g, struct buf *packet, int64_t ns)
{
    /* At its true size, for the sanitizer. */
    char *exact = malloc(packet->n);
    struct packet_frame frame = {.link = PACKET_IP, .bytes = {exact, packet->n}};

    memcpy(exact, packet->p, packet->n);
    packets_take(g->packets, &frame, ns, give, g);
    free(exact);
    buf_clear(packet);
}

static int setup(void **state)
{
    struct given *g = calloc(1, sizeof(*g));

    g->packets = packets_new((struct packet_sizes){1, 1, 4}, key);
    buf_puts(&g->text, "");
    *state = g;
    return g->packets ? 0 : -1;
}

static int teardown(void **state)
{
    struct given *g = *state;

    packets_free(g->packets);
    buf_free(&g->text);
    free(g);
    return 0;
}

static void udp_of_both_families(void **state)
{
    struct given *g = *state;
    struct buf b = {0};

    craft_udp(&b, PHONE4, PBX4, SPAN("four"));
    take(g, &b, 0);
    craft_udp(&b, PHONE6, PBX6, SPAN("six"));
    take(g, &b, 0);
    craft_udp(&b, PHONE4, PBX4, SPAN("odd"));
    buf_puts(&b, "padding");
    take(g, &b, 0);
    craft_udp(&b, PHONE4, PBX4, SPAN("another word"));
    b.p[b.n - 1] ^= 1;
    take(g, &b, 0);
    assert_string_equal(g->text.p, "four|six|odd|");
    assert_int_equal(packets_figures(g->packets).bad_checksum, 1);
    assert_int_equal(packets_figures(g->packets).udp, 3);
    buf_free(&b);
}

static void each_beginning_of_a_packet(void **state)
{
    struct given *g = *state;
    struct buf b = {0}, whole = {0};

    craft_udp(&whole, PHONE4, PBX4, SPAN("text"));
    for (size_t n = 0; n < whole.n; n++) {
        buf_add(&b, (struct span){whole.p, n});
        take(g, &b, 0);
    }
    buf_clear(&whole);
    craft_tcp(&whole, PHONE6, PBX6, 1, 1, TCP_ACK, SPAN("text"));
    for (size_t n = 0; n < whole.n; n++) {
        buf_add(&b, (struct span){whole.p, n});
        take(g, &b, 0);
    }
    assert_string_equal(g->text.p, "");
    buf_free(&b);
    buf_free(&whole);
}

static void link_layers(void **state)
{
    static const struct {
        enum packet_link link;
        const char *head;
        size_t n;
    } cases[] = {
        {PACKET_ETHERNET, "\1\2\3\4\5\6\1\2\3\4\5\6\x08\0", 14},
        {PACKET_ETHERNET, "\1\2\3\4\5\6\1\2\3\4\5\6\x81\0\0\x05\x08\0", 18},
        {PACKET_ETHERNET, "\1\2\3\4\5\6\1\2\3\4\5\6\x88\xa8\0\x05\x81\0\0\x06\x08\0", 22},
        {PACKET_COOKED, "\x08\0\0\0\0\0\0\3\0\1\0\6\1\2\3\4\5\6\0\0", 20},
    };
    struct given *g = *state;
    struct buf b = {0}, ip = {0};

    craft_udp(&ip, PHONE4, PBX4, SPAN("x"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&b);
        buf_add(&b, (struct span){cases[i].head, cases[i].n});
        buf_add(&b, buf_span(&ip));
        packets_take(g->packets, &(struct packet_frame){cases[i].link, buf_span(&b), false}, 0,
                     give, g);
    }
    assert_string_equal(g->text.p, "x|x|x|x|");
    packets_take(g->packets, &(struct packet_frame){PACKET_ETHERNET, {b.p, 13}, false}, 0, give, g);
    packets_take(g->packets,
                 &(struct packet_frame){PACKET_ETHERNET, SPAN("aaaaaabbbbbb\x08\x06 ARP"), false},
                 0, give, g);
    assert_int_equal(packets_figures(g->packets).other, 2);
    assert_int_equal(packet_link_of(ARPHRD_ETHER), PACKET_ETHERNET);
    assert_int_equal(packet_link_of(ARPHRD_NONE), PACKET_IP);
    assert_int_equal(packet_link_of(ARPHRD_IEEE80211), PACKET_UNKNOWN);
    buf_free(&b);
    buf_free(&ip);
}

static void options_and_extension_headers(void **state)
{
    struct given *g = *state;
    struct buf b = {0}, plain = {0}, payload = {0};

    craft_udp(&plain, PHONE4, PBX4, SPAN("options"));
    buf_add(&b, (struct span){plain.p, 20});
    buf_add(&b, (struct span){"\1\1\1\0", 4});
    buf_add(&b, (struct span){plain.p + 20, plain.n - 20});
    b.p[0] = 0x46;
    b.p[3] = (char)(b.p[3] + 4);
    take(g, &b, 0);
    buf_clear(&plain);
    craft_udp(&plain, PHONE6, PBX6, SPAN("headers"));
    buf_add(&payload, (struct span){"\x3c\0\1\4\0\0\0\0", 8});                  /* hop-by-hop */
    buf_add(&payload, (struct span){"\x2c\1\1\4\0\0\0\0\0\0\0\0\0\0\0\0", 16}); /* destination */
    buf_add(&payload, (struct span){"\x11\0\0\0\0\0\0\7", 8}); /* a lone fragment */
    buf_add(&payload, (struct span){plain.p + 40, plain.n - 40});
    craft_ip(&b, PHONE6, PBX6, 0, buf_span(&payload));
    take(g, &b, 0);
    assert_string_equal(g->text.p, "options|headers|");
    buf_free(&b);
    buf_free(&plain);
    buf_free(&payload);
}

/* A datagram of 64 bytes in each cut into two, in both orders, and in pieces of eight bytes backwards. */
static void fragments_in_any_order(void **state)
{
    static const char *const hosts[][2] = {{PHONE4, PBX4}, {PHONE6, PBX6}};
    struct given *g = *state;
    struct buf b = {0}, whole = {0};
    uint32_t id = 0;
    char text[] = "0123456789abcdef0123456789abcdef0123456789abcdef01234567";

    for (size_t v = 0; v < 2; v++) {
        buf_clear(&whole);
        craft_udp(&whole, hosts[v][0], hosts[v][1], span_of(text));
        for (size_t cut = 8; cut < 64; cut += 8) {
            for (int order = 0; order < 2; order++) {
                buf_clear(&g->text);
                id++;
                for (int i = 0; i < 2; i++) {
                    bool first = i == order;

                    craft_fragment(&b, buf_span(&whole), first ? 0 : cut, first ? cut : 64, id);
                    take(g, &b, 0);
                }
                assert_int_equal(g->text.n, sizeof(text));
            }
        }
        buf_clear(&g->text);
        id++;
        for (size_t at = 64; at > 0; at -= 8) {
            craft_fragment(&b, buf_span(&whole), at - 8, at, id);
            take(g, &b, 0);
        }
        assert_int_equal(g->text.n, sizeof(text));
    }
    buf_free(&b);
    buf_free(&whole);
}

static void fragment(struct given *g, struct span whole, size_t from, size_t to, uint32_t id,
                     int64_t ns)
{
    struct buf b = {0};

    craft_fragment(&b, whole, from, to, id);
    take(g, &b, ns);
    buf_free(&b);
}

static void fragments_that_overlap_or_wait(void **state)
{
    struct given *g = *state;
    struct buf whole = {0};
    const int64_t s = 1000000000;

    craft_udp(&whole, PHONE4, PBX4, SPAN("0123456789abcdef01234567"));
    /* The same one twice is no overlap. */
    fragment(g, buf_span(&whole), 0, 16, 1, 0);
    fragment(g, buf_span(&whole), 0, 16, 1, 0);
    fragment(g, buf_span(&whole), 16, 32, 1, 0);
    assert_string_equal(g->text.p, "0123456789abcdef01234567|");
    buf_clear(&g->text);
    buf_puts(&g->text, "");
    fragment(g, buf_span(&whole), 0, 16, 2, 0);
    fragment(g, buf_span(&whole), 8, 24, 2, 0); /* ends the datagram */
    fragment(g, buf_span(&whole), 24, 32, 2, 0);
    fragment(g, buf_span(&whole), 0, 16, 3, 0);
    fragment(g, buf_span(&whole), 16, 32, 3, 30 * s); /* too late */
    fragment(g, buf_span(&whole), 24, 32, 4, 0);
    fragment(g, buf_span(&whole), 0, 16, 4, 0); /* the middle never comes */
    assert_string_equal(g->text.p, "");
    assert_int_equal(packets_figures(g->packets).fragments.overlapping, 1);
    buf_free(&whole);
}

/* Whoever fills the table hides nothing: what has to leave is read as far as it came. */
static void fragments_pushed_out(void **state)
{
    struct given *g = *state;
    struct buf whole = {0};

    craft_udp(&whole, PHONE4, PBX4, SPAN("REGISTER0REGISTER1"));
    fragment(g, buf_span(&whole), 0, 16, 1, 0);
    for (uint32_t id = 2; id < 2 + FRAGMENTS_WAYS; id++)
        fragment(g, buf_span(&whole), 16, 24, id, id);
    assert_string_equal(g->text.p, "cut REGISTER|");
    assert_int_equal(packets_figures(g->packets).fragments.pushed_out, 1);
    buf_free(&whole);
}

static void a_long_datagram_is_kept_whole(void **state)
{
    struct given *g = *state;
    struct buf whole = {0}, text = {0};

    for (size_t i = 0; i < 60000; i++)
        buf_putc(&text, 'a');
    craft_udp(&whole, PHONE4, PBX4, buf_span(&text));
    for (size_t at = 0; at < 60008; at += 1480)
        fragment(g, buf_span(&whole), at, at + 1480 < 60008 ? at + 1480 : 60008, 1, 0);
    assert_int_equal(g->text.n, 60000 + 1);
    buf_free(&whole);
    buf_free(&text);
}

static void the_capture(void **state)
{
    struct given *g = *state;
    struct capture c;
    struct span packet;
    int64_t ns;
    size_t n = 0;

    capture_open(&c, getenv("ASTERISK_PCAP"));
    while (capture_next(&c, &packet, &ns)) {
        packets_take(g->packets, &(struct packet_frame){PACKET_COOKED, packet, true}, ns, give, g);
        n++;
    }
    struct packet_figures figures = packets_figures(g->packets);

    assert_int_equal(figures.seen, n);
    assert_int_equal(figures.broken, 0);
    assert_int_equal(figures.udp + figures.other, n); /* the others are ICMP */
    assert_int_equal(figures.other, 10);
    buf_free(&c.file);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(udp_of_both_families),
        CASE(each_beginning_of_a_packet),
        CASE(link_layers),
        CASE(options_and_extension_headers),
        CASE(fragments_in_any_order),
        CASE(fragments_that_overlap_or_wait),
        CASE(fragments_pushed_out),
        CASE(a_long_datagram_is_kept_whole),
        CASE(the_capture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
