/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* clang-format off: cmocka.h needs the four above */
#include <cmocka.h>
/* clang-format on */

#include "craft.h"
#include "intake/hep_packet.h"

static void chunk(struct buf *b, unsigned vendor, unsigned type, struct span value)
{
    unsigned length = 6 + (unsigned)value.n;
    char head[6] = {(char)(vendor >> 8), (char)vendor,        (char)(type >> 8),
                    (char)type,          (char)(length >> 8), (char)length};

    buf_add(b, (struct span){head, 6});
    buf_add(b, value);
}

#define BYTES(literal) ((struct span){(literal), sizeof(literal) - 1})

static void begin(struct buf *b)
{
    buf_clear(b);
    buf_add(b, BYTES("HEP3\0\0"));
}

static int end(struct buf *b, struct hep_packet *out)
{
    b->p[4] = (char)(b->n >> 8);
    b->p[5] = (char)b->n;
    return hep_packet_read(out, buf_span(b));
}

static void usual(struct buf *b)
{
    begin(b);
    chunk(b, 0, 1, BYTES("\x02"));
    chunk(b, 0, 2, BYTES("\x11"));
    chunk(b, 0, 3, BYTES("\xc0\0\x02\x01"));
    chunk(b, 0, 4, BYTES("\xc6\x33\x64\x01"));
    chunk(b, 0, 7, BYTES("\x13\xc5"));
    chunk(b, 0, 8, BYTES("\x13\xc4"));
    chunk(b, 0, 9, BYTES("\0\0\x01\0"));
    chunk(b, 0, 10, BYTES("\0\0\0\x05"));
    chunk(b, 0, 11, BYTES("\x01"));
    chunk(b, 0, 12, BYTES("\0\0\x07\xd1"));
}

static void reads_all_chunks(void **state)
{
    struct buf b = {0};
    struct hep_packet p;
    char text[ADDRESS_TEXT_MAX];

    usual(&b);
    chunk(&b, 0, 14, BYTES("secret"));
    chunk(&b, 7, 15, BYTES("of another vendor"));
    chunk(&b, 0, 4711, BYTES("unknown"));
    chunk(&b, 0, 15, BYTES("OPTIONS"));
    assert_int_equal(end(&b, &p), 0);
    assert_int_equal(p.protocol, HEP_PROTOCOL_UDP);
    assert_string_equal(address_text(&p.from, text), "192.0.2.1:5061");
    assert_string_equal(address_text(&p.to, text), "198.51.100.1:5060");
    assert_int_equal(p.seconds, 256);
    assert_int_equal(p.microseconds, 5);
    assert_int_equal(p.payload_type, HEP_SIP);
    assert_int_equal(p.agent, 2001);
    assert_true(span_is(p.payload, "OPTIONS"));
    assert_true(hep_packet_authentic(&p, SPAN("secret")));
    assert_true(hep_packet_authentic(&p, SPAN("")));
    assert_false(hep_packet_authentic(&p, SPAN("secreT")));
    assert_false(hep_packet_authentic(&p, SPAN("secret1")));
    assert_false(hep_packet_authentic(&p, SPAN("secre")));
    buf_free(&b);
}

static void no_key_is_no_key(void **state)
{
    struct buf b = {0};
    struct hep_packet p;

    usual(&b);
    chunk(&b, 0, 15, BYTES("x"));
    assert_int_equal(end(&b, &p), 0);
    assert_false(hep_packet_authentic(&p, SPAN("secret")));
    buf_free(&b);
}

static void refuses(void **state)
{
    static const struct {
        struct span chunks; /* behind the usual ones */
        int err;
    } cases[] = {
        {BYTES(""), ERR_MISSING},                                  /* no payload */
        {BYTES("\0\0\0\x10\0\x07z"), ERR_RANGE},                   /* compressed */
        {BYTES("\0\0\0\x0f\0\x05"), ERR_SYNTAX},                   /* shorter than its head */
        {BYTES("\0\0\0\x0f\0\0"), ERR_SYNTAX},                     /* would never end */
        {BYTES("\0\0\0\x0f\0\x08x"), ERR_SYNTAX},                  /* beyond the packet */
        {BYTES("\0\0\0\x0f\xff\xffx"), ERR_SYNTAX},                /* far beyond */
        {BYTES("\0\0\0\x0f\0"), ERR_SYNTAX},                       /* half a head */
        {BYTES("\0\0\0\x07\0\x08\x13\xc4"), ERR_SYNTAX},           /* a port twice */
        {BYTES("\0\0\0\x0f\0\x07x\0\0\0\x0f\0\x07y"), ERR_SYNTAX}, /* two payloads */
        {BYTES("\0\0\0\x0d\0\x06\0\0\0\x0e\0\x06"), ERR_MISSING},  /* empty ones of no use */
        {BYTES("\0\0\0\x05\0\x16"
               "0123456789abcdef"),
         ERR_SYNTAX}, /* an IPv6 address beside IPv4 */
    };
    struct buf b = {0};
    struct hep_packet p;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        usual(&b);
        buf_add(&b, cases[i].chunks);
        assert_int_equal(end(&b, &p), cases[i].err);
    }
    begin(&b);
    chunk(&b, 0, 1, BYTES("\x0a"));
    chunk(&b, 0, 3, BYTES("\xc0\0\x02\x01"));
    chunk(&b, 0, 15, BYTES("x"));
    assert_int_equal(end(&b, &p), ERR_SYNTAX); /* IPv4, and says IPv6 */
    begin(&b);
    chunk(&b, 0, 7, BYTES("\x01\x02\x03"));
    chunk(&b, 0, 15, BYTES("x"));
    assert_int_equal(end(&b, &p), ERR_SYNTAX); /* a port of three bytes */
    usual(&b);
    chunk(&b, 0, 15, BYTES("x"));
    assert_int_equal(end(&b, &p), 0);
    buf_putc(&b, 'x');
    assert_int_equal(hep_packet_read(&p, buf_span(&b)), ERR_SYNTAX); /* longer than it says */
    assert_int_equal(hep_packet_read(&p, (struct span){b.p, b.n - 2}), ERR_SYNTAX);
    assert_int_equal(hep_packet_read(&p, SPAN("")), ERR_SYNTAX);
    assert_int_equal(hep_packet_read(&p, SPAN("OPTIONS sip:x SIP/2.0")), ERR_SYNTAX);
    buf_free(&b);
}

static void ipv6_and_mapped(void **state)
{
    struct buf b = {0};
    struct hep_packet p;
    char text[ADDRESS_TEXT_MAX];

    begin(&b);
    chunk(&b, 0, 2, BYTES("\x16"));
    chunk(&b, 0, 5, BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
    chunk(&b, 0, 6, BYTES("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01"));
    chunk(&b, 0, 15, BYTES("x"));
    assert_int_equal(end(&b, &p), 0);
    assert_int_equal(p.protocol, HEP_PROTOCOL_TLS);
    assert_string_equal(address_ip_text(&p.from, text), "2001:db8::1");
    assert_string_equal(address_ip_text(&p.to, text), "192.0.2.1");
    buf_free(&b);
}

static void reads_asterisk(void **state)
{
    struct buf file = {0};
    struct hep_packet p;
    size_t n = 0, tcp = 0;

    craft_file(&file, getenv("ASTERISK_HEP"));
    for (size_t at = 0; at < file.n; n++) {
        size_t length = (size_t)(uint8_t)file.p[at + 4] << 8 | (uint8_t)file.p[at + 5];

        assert_int_equal(hep_packet_read(&p, (struct span){file.p + at, length}), 0);
        assert_int_equal(p.payload_type, HEP_SIP);
        tcp += p.protocol == HEP_PROTOCOL_TCP;
        assert_true(p.from.family == 4 && p.to.family == 4 && p.from.port && p.to.port);
        at += length;
    }
    assert_int_equal(n, 35);
    assert_int_equal(tcp, 4);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_chunks), cmocka_unit_test(no_key_is_no_key),
        cmocka_unit_test(refuses),          cmocka_unit_test(ipv6_and_mapped),
        cmocka_unit_test(reads_asterisk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
