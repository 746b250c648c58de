/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages in a byte stream: what is found when all bytes are there at once, and when they come one by
 * one, must be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buf.h"
#include "sip/stream.h"

#define HEAD "v: SIP/2.0/TCP h\r\nf: <sip:a@h>;tag=1\r\nt: <sip:a@h>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n"
#define OPTIONS "OPTIONS sip:h SIP/2.0\r\n" HEAD

/* What is found, in the words of the tables below: "message BODY", "keepalive", "lost", "more". */
static void find_all(struct buf *out, struct span bytes, size_t step)
{
    struct sip_stream s = {0};
    size_t have = 0, from = 0;

    for (;;) {
        char *exact = malloc(have - from + 1);
        struct sip_message m = {0};
        size_t used;

        assert_non_null(exact);
        memcpy(exact, bytes.p + from, have - from);
        enum sip_stream_found found =
            sip_stream_next(&s, (struct span){exact, have - from}, &m, &used);

        if (found == SIP_STREAM_MESSAGE)
            buf_printf(out, "message %.*s, ", SPAN_FMT(m.body));
        free(exact);
        from += used;
        switch (found) {
        case SIP_STREAM_MESSAGE: assert_true(used > 0); break;
        case SIP_STREAM_KEEPALIVE:
            assert_true(used > 0);
            if (!out->n || out->p[out->n - 1] != 'e')
                buf_puts(out, "keepalive");
            break;
        case SIP_STREAM_LOST: buf_puts(out, "lost"); return;
        case SIP_STREAM_MORE:
            assert_int_equal(used, 0);
            if (have == bytes.n) {
                buf_puts(out, from == have ? "end" : "more");
                return;
            }
            have += step < bytes.n - have ? step : bytes.n - have;
        }
    }
}

static const struct {
    const char *in, *found;
} cases[] = {
    {"", "end"},
    {"\r\n", "keepaliveend"},
    {"\r\n\r\n", "keepaliveend"},
    {"\r", "more"},
    {OPTIONS "l: 0\r\n\r\n", "message , end"},
    {OPTIONS "Content-Length : 2\r\n\r\nab" OPTIONS "l:1\r\n\r\nc", "message ab, message c, end"},
    {"\r\n" OPTIONS "l: 2\r\n\r\nab\r\n\r\n" OPTIONS "l:1\r\n\r\nc",
     "keepalivemessage ab, keepalivemessage c, end"},
    {"SIP/2.0 200 OK\r\n" HEAD "l: 3\r\n\r\nabc", "message abc, end"},
    {OPTIONS "l: 2\r\n\r\na", "more"},
    {OPTIONS "l: 2\r\n", "more"},
    {OPTIONS "x: a\r\n \r\n b\r\nl: 0\r\n\r\n", "message , end"},
    {OPTIONS "l: 2\r\n\r\n a", "message  a, end"},
    {"OPTIONS sip:h SIP/2.0\nl: 1\n\na", "message a, end"},
    /* Where it ends cannot be known. */
    {OPTIONS "\r\n", "lost"},
    {OPTIONS "l: 2\r\nl: 2\r\n\r\nab", "lost"},
    {OPTIONS "l: 2\r\nContent-Length: 3\r\n\r\nabc", "lost"},
    {OPTIONS "l: -2\r\n\r\nab", "lost"},
    {OPTIONS "l: 2 2\r\n\r\nab", "lost"},
    {OPTIONS "l: 65535\r\n\r\nab", "lost"},
    {OPTIONS "l: 4294967298\r\n\r\nab", "lost"},
    {OPTIONS "l: 36893488147419103234\r\n\r\nab", "lost"},
    /* No SIP. */
    {"\x16\x03\x01\x02", "lost"},
    {"\x80", "lost"},
    {"GET / HTTP/1.1\r\n\r\n", "lost"},
    {"STUN", "more"},
    {"GET / HTTP/1.1\r\nx", "lost"},
    {"\r" OPTIONS "l: 0\r\n\r\n", "lost"},
    {OPTIONS "l: 1\r\n\r\nab", "message a, more"},
    {OPTIONS "l: 1\r\n\r\nab\r\n\r\n", "message a, lost"},
};

static void messages_are_found(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span in = span_of(cases[i].in);

        for (size_t step = 1; step <= in.n + 1; step++) {
            struct buf got = {0};

            find_all(&got, in, step);
            if (!span_is(buf_span(&got), cases[i].found))
                fail_msg("case %zu, %zu at once: wanted %s, got %s", i, step, cases[i].found,
                         got.p);
            buf_free(&got);
        }
    }
}

static void what_is_too_long_is_lost(void **state)
{
    struct sip_stream s = {0};
    struct buf in = {0};
    struct sip_message m;
    size_t used;

    buf_puts(&in, "OPTIONS sip:h SIP/2.0\r\nx: ");
    while (in.n < SIP_MESSAGE_MAX - 1)
        buf_putc(&in, 'a');
    assert_int_equal(sip_stream_next(&s, buf_span(&in), &m, &used), SIP_STREAM_MORE);
    buf_putc(&in, 'a');
    assert_int_equal(sip_stream_next(&s, buf_span(&in), &m, &used), SIP_STREAM_LOST);
    buf_free(&in);
}

static void a_listener_goes_on_at_the_next_start_line(void **state)
{
    static const struct {
        const char *in;
        size_t drop;
    } places[] = {
        {"", 0},
        {"a", 1},
        {"abc\r\n", 5},
        {"abc\r\nINVITE sip", 5},
        {"abc\r\nINVITE sip:h SIP/2.0\r\nx", 5},
        {"abc\r\nINVITE sip:h  SIP/2.0\r\nx: SIP/2.0\r\nSIP/2.0 200 OK\r\n", 40},
        {"INVITE sip:h SIP/2.0\r\nx: y\r\n\r\n", 30},
        {"INVITE sip:h SIP/2.0\r\nx: y\r\n\r\nACK sip:h SIP/2.0\r\n", 30},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct sip_stream s = {.looked = 7, .needed = 8};

        assert_int_equal(sip_stream_resume(&s, span_of(places[i].in)), places[i].drop);
        assert_int_equal(s.looked, 0);
        assert_int_equal(s.needed, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_found),
        cmocka_unit_test(what_is_too_long_is_lost),
        cmocka_unit_test(a_listener_goes_on_at_the_next_start_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
