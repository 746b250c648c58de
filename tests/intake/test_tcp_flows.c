/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP as the switch sees it, and as an attacker would like us to see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* clang-format off: cmocka.h needs the four above */
#include <cmocka.h>
/* clang-format on */

#include "craft.h"
#include "intake/tcp_flows.h"

#define A "OPTIONS sip:a SIP/2.0\r\nCall-ID: a\r\nContent-Length: 4\r\n\r\nbd\r\n"
#define B "REGISTER sip:b SIP/2.0\r\nCall-ID: b\r\nContent-Length: 0\r\n\r\n"
#define PHONE 1000u /* the phone's first sequence number ... */
#define PBX 5000u   /* ... and the PBX's */
#define HOLDS 24
#define WRAPS 0xffffffe0u

static const uint8_t key[16] = "flows";

struct wire {
    struct tcp_flows *flows;
    struct buf text;
    uint32_t phone; /* its first byte's number */
    int64_t now;
};

static void give(void *context, const struct tcp_message *m)
{
    struct wire *w = context;

    buf_puts(&w->text, m->proved ? "+" : "-");
    if (m->doubtful)
        buf_puts(&w->text, "?");
    if (m->cut)
        buf_puts(&w->text, "cut");
    buf_add(&w->text, m->bytes);
    buf_puts(&w->text, "|");
}

static void segment(struct wire *w, bool phone, uint32_t sequence, uint32_t acknowledged,
                    uint8_t flags, struct span bytes)
{
    char *exact = malloc(bytes.n ? bytes.n : 1);
    struct tcp_segment s = {
        .from = craft_address(phone ? "192.0.2.1:40000" : "198.51.100.1:5060"),
        .to = craft_address(phone ? "198.51.100.1:5060" : "192.0.2.1:40000"),
        .sequence = sequence,
        .acknowledged = acknowledged,
        .flags = flags,
        .bytes = {exact, bytes.n},
    };

    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    tcp_flows_take(w->flows, &s, w->now, give, w);
    free(exact);
}

static void handshake(struct wire *w, uint32_t phone)
{
    w->phone = phone + 1;
    segment(w, true, phone, 0, TCP_SYN, SPAN(""));
    segment(w, false, PBX, phone + 1, TCP_SYN | TCP_ACK, SPAN(""));
    segment(w, true, phone + 1, PBX + 1, TCP_ACK, SPAN(""));
}

/* Bytes [from, to) of what the phone says. */
static void says(struct wire *w, const char *text, size_t from, size_t to)
{
    segment(w, true, w->phone + (uint32_t)from, PBX + 1, TCP_ACK,
            (struct span){text + from, to - from});
}

static void acknowledges(struct wire *w, size_t n)
{
    segment(w, false, PBX + 1, w->phone + (uint32_t)n, TCP_ACK, SPAN(""));
}

static void expect(struct wire *w, const char *text)
{
    assert_string_equal(w->text.p, text);
    buf_clear(&w->text);
    buf_puts(&w->text, "");
}

static int setup(void **state)
{
    struct wire *w = calloc(1, sizeof(*w));

    w->flows = tcp_flows_new(4, HOLDS, key);
    buf_puts(&w->text, "");
    *state = w;
    return w->flows ? 0 : -1;
}

static int teardown(void **state)
{
    struct wire *w = *state;

    tcp_flows_free(w->flows);
    buf_free(&w->text);
    free(w);
    return 0;
}

static const char both[] = A B;
#define BOTH (sizeof(both) - 1)

/* Each cut into three, in all six orders, with the sequence numbers beyond their end too. */
static void each_segmentation(void **state)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    struct wire *w = *state;
    uint32_t n = 0;

    for (size_t i = 1; i < BOTH - 1; i++) {
        for (size_t j = i + 1; j < BOTH; j += 7) {
            for (size_t o = 0; o < 6; o++) {
                size_t cuts[4] = {0, i, j, BOTH};

                handshake(w, o % 2 ? PHONE + 3000 * n++ : WRAPS);
                for (size_t k = 0; k < 3; k++)
                    says(w, both, cuts[orders[o][k]], cuts[orders[o][k] + 1]);
                expect(w, "+" A "|+" B "|");
            }
        }
    }
}

static void byte_by_byte_forwards_and_backwards(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    for (size_t i = 0; i < BOTH; i++)
        says(w, both, i, i + 1);
    expect(w, "+" A "|+" B "|");
    w->phone += BOTH;
    for (size_t i = BOTH; i > 0; i--)
        says(w, both, i - 1, i);
    expect(w, "+" A "|+" B "|");
}

static void repeated_and_overlapping(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    says(w, both, 0, 30);
    says(w, both, 0, 30);
    says(w, both, 10, 40);
    says(w, both, 60, 90);
    says(w, both, 70, 95);
    says(w, both, 35, BOTH);
    expect(w, "+" A "|+" B "|");
    says(w, both, 0, BOTH);
    expect(w, "");
    assert_int_equal(tcp_flows_figures(w->flows)->contradicted, 0);
    assert_int_equal(tcp_flows_figures(w->flows)->repeated, 2);
}

/* The same place said twice in two ways: what came first stands, and is doubtful. */
static void contradiction(void **state)
{
    struct wire *w = *state;
    char other[] = A B;

    other[45] = 'X';
    handshake(w, PHONE);
    says(w, both, 40, 50);
    says(w, other, 40, 50);
    says(w, both, 0, 40);
    says(w, both, 50, BOTH);
    expect(w, "+?" A "|+" B "|");
    assert_int_equal(tcp_flows_figures(w->flows)->contradicted, 1);
}

/* What came first was taken, by the PBX too. */
static void said_again_otherwise(void **state)
{
    struct wire *w = *state;
    char other[sizeof(both)];

    memset(other, '\n', sizeof(other));
    handshake(w, PHONE);
    for (size_t i = 0; i < BOTH; i++) {
        says(w, both, i, i + 1);
        says(w, other, i > 40 ? i - 40 : 0, i + 1);
    }
    expect(w, "+" A "|+" B "|");
}

/* Linux takes what covers an earlier segment in its place: nobody knows what the PBX has read, but it answers. */
static void said_before_otherwise(void **state)
{
    static const struct {
        char otherwise;
        const char *found;
    } cases[] = {{'x', "+?Rxxxx"}, {'\n', "+?"}};

    struct wire *w = *state;
    const char text[] = B;
    size_t n = sizeof(text) - 1;
    char other[sizeof(text)];

    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        memset(other, cases[k].otherwise, sizeof(other));
        handshake(w, PHONE + (uint32_t)k * 3000);
        for (size_t i = n - 1; i > 0; i--) {
            says(w, other, i, i + 1);
            says(w, text, i, i + 2 < n ? i + 2 : n);
        }
        says(w, k ? other : text, 0, 1);
        expect(w, "");
        segment(w, false, PBX + 1, w->phone + (uint32_t)n, TCP_ACK, SPAN(B));
        assert_memory_equal(w->text.p, cases[k].found, strlen(cases[k].found));
        assert_string_equal(w->text.p + w->text.n - sizeof(B) - 2, "|+" B "|");
        buf_clear(&w->text);
        w->phone += n;
        segment(w, true, w->phone, PBX + 1 + (uint32_t)n, TCP_ACK, SPAN(A));
        expect(w, "+" A "|");
    }
}

/* Line ends that acknowledge what the PBX never said: it does not take them, but what comes in their place. */
static void what_the_pbx_refuses_hides_nothing(void **state)
{
    struct wire *w = *state;
    char nothing[BOTH];

    memset(nothing, '\n', sizeof(nothing));
    handshake(w, PHONE);
    segment(w, true, w->phone, PBX + 2, TCP_ACK, (struct span){nothing, BOTH});
    says(w, both, 0, BOTH);
    expect(w, "+" A "|+" B "|");
    assert_int_equal(tcp_flows_figures(w->flows)->refused, 1);
}

static void urgent(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    segment(w, true, w->phone, PBX + 1, TCP_ACK | TCP_URG, (struct span){both, 20});
    says(w, both, 20, BOTH);
    expect(w, "+?" A "|+" B "|");
}

/* A hole that the PBX has acknowledged will not be filled: the next message is found. */
static void lost_on_the_way_to_us(void **state)
{
    struct wire *w = *state;
    size_t a = sizeof(A) - 1;

    handshake(w, PHONE);
    says(w, both, 0, 20);
    acknowledges(w, 40);
    says(w, both, 40, a);
    expect(w, "");
    says(w, both, a, BOTH);
    expect(w, "+" B "|");
    assert_int_equal(tcp_flows_figures(w->flows)->lost, 1);
}

static void from_the_middle(void **state)
{
    struct wire *w = *state;

    w->phone = 77;
    says(w, both, 30, BOTH);
    expect(w, "-" B "|"); /* nothing proves the sender */
    segment(w, false, PBX + 1, w->phone + BOTH, TCP_ACK, SPAN(B));
    expect(w, "+" B "|"); /* the PBX has received what we saw */
    w->phone += BOTH;
    segment(w, true, w->phone, PBX + 1 + sizeof(B) - 1, TCP_ACK, SPAN(A));
    expect(w, "+" A "|"); /* and so has he, now */
}

/* Packets with an invented source do not know the PBX's sequence number. */
static void invented_source(void **state)
{
    struct wire *w = *state;

    w->phone = PHONE + 1;
    segment(w, true, PHONE, 0, TCP_SYN, SPAN(""));
    segment(w, false, PBX, PHONE + 1, TCP_SYN | TCP_ACK, SPAN(""));
    segment(w, true, PHONE + 1, PBX + 4711, TCP_ACK, SPAN(A));
    expect(w, "-" A "|");
}

/* What the PBX's TCP does not take must not lead us away from what it takes. */
static void stray_segments(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    segment(w, true, w->phone + 5, 0, TCP_RST, SPAN(""));              /* not what is due */
    segment(w, true, 99, 0, TCP_SYN, SPAN(""));                        /* in the middle */
    segment(w, true, 99, 4711, TCP_SYN | TCP_ACK, SPAN(""));           /* likewise */
    segment(w, true, w->phone, PBX + 1, 0, SPAN("x"));                 /* without ACK */
    segment(w, true, w->phone + 1000000, PBX + 1, TCP_ACK, SPAN("x")); /* far ahead */
    segment(w, true, w->phone - 1000000, PBX + 1, TCP_ACK, SPAN("x")); /* long ago */
    segment(w, true, w->phone, PBX + 90000, TCP_ACK, SPAN(""));        /* acknowledges the future */
    says(w, both, 0, BOTH);
    expect(w, "+" A "|+" B "|");
    segment(w, false, PBX + 1, w->phone + BOTH, TCP_ACK, SPAN(B));
    expect(w, "+" B "|");
}

static void a_new_connection_of_the_same_ports(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    says(w, both, 0, 20);
    handshake(w, 70000);
    says(w, both, 0, BOTH);
    expect(w, "+" A "|+" B "|");
    segment(w, true, w->phone + BOTH, 0, TCP_RST, SPAN("")); /* the very one that is due */
    w->phone += BOTH;
    says(w, B, 0, sizeof(B) - 1);
    expect(w, "-" B "|"); /* begins anew, in the middle */
}

static void longer_than_is_kept(void **state)
{
    struct wire *w = *state;
    struct buf text = {0};
    size_t head;

    handshake(w, PHONE);
    buf_puts(&text, "MESSAGE sip:a SIP/2.0\r\nContent-Length: 40000\r\n\r\n");
    head = text.n;
    while (text.n < head + 40000)
        buf_putc(&text, 'x');
    buf_puts(&text, B);
    for (size_t i = 0; i < text.n; i += 1000)
        says(w, text.p, i, i + 1000 < text.n ? i + 1000 : text.n);
    assert_memory_equal(w->text.p, "+cutMESSAGE", 11);
    assert_string_equal(w->text.p + w->text.n - sizeof(B) - 1, "+" B "|");
    assert_int_equal(w->text.n, 4 + TCP_HOLD_BYTES + 1 + 1 + sizeof(B));
    buf_free(&text);
}

static void padded_header(void **state)
{
    struct wire *w = *state;
    struct buf text = {0};

    handshake(w, PHONE);
    buf_puts(&text, "REGISTER sip:a SIP/2.0\r\nX: ");
    while (text.n < 30000)
        buf_putc(&text, 'x');
    buf_puts(&text, "\r\n\r\n" B);
    for (size_t i = 0; i < text.n; i += 1400)
        says(w, text.p, i, i + 1400 < text.n ? i + 1400 : text.n);
    assert_memory_equal(w->text.p, "+cutREGISTER", 12);
    assert_string_equal(w->text.p + w->text.n - sizeof(B) - 1, "+" B "|");
    buf_free(&text);
}

static void what_is_no_sip(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    says(w, "HELLO garbage\r\n" B, 0, 15 + sizeof(B) - 1);
    expect(w, "+HELLO garbage\r\n|+" B "|");
    handshake(w, 90000);
    says(w, "\x16\x03\x01 a TLS hello", 0, 14);
    says(w, both, 0, BOTH);
    expect(w, "");
    assert_int_equal(tcp_flows_figures(w->flows)->opaque, 1);
}

/* One address that leaves messages unfinished takes from itself. */
static void unfinished_messages(void **state)
{
    struct wire *w = *state;

    handshake(w, PHONE);
    says(w, both, 0, 30);
    for (unsigned i = 0; i < 4 * HOLDS; i++) {
        struct tcp_segment s = {
            .from = craft_address("203.0.113.9:1"),
            .to = craft_address("198.51.100.1:5060"),
            .sequence = 1,
            .flags = TCP_ACK,
            .bytes = SPAN("\r\nINVITE sip:"),
        };

        s.from.port = (uint16_t)(1000 + i);
        w->now++;
        tcp_flows_take(w->flows, &s, w->now, give, w);
    }
    says(w, both, 30, BOTH);
    expect(w, "+" A "|+" B "|");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(each_segmentation),
        CASE(byte_by_byte_forwards_and_backwards),
        CASE(repeated_and_overlapping),
        CASE(contradiction),
        CASE(said_again_otherwise),
        CASE(said_before_otherwise),
        CASE(what_the_pbx_refuses_hides_nothing),
        CASE(urgent),
        CASE(lost_on_the_way_to_us),
        CASE(from_the_middle),
        CASE(invented_source),
        CASE(stray_segments),
        CASE(a_new_connection_of_the_same_ports),
        CASE(longer_than_is_kept),
        CASE(padded_header),
        CASE(what_is_no_sip),
        CASE(unfinished_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
