/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request as a switch sends it, and the answer as it goes out: sip.cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "cases.h"
#include "serve/sip_reply.h"
#include "serve/sip_request.h"
#include "serve/sip_seen.h"
#include "sip_world.h"

static struct sip_world world;
static int64_t now_ns = 1;

static const char *const counts[SIP_COUNTS] = {
    [SIP_COUNT_ALLOWED] = "allowed",   [SIP_COUNT_DENIED] = "denied",
    [SIP_COUNT_REPEATED] = "repeated", [SIP_COUNT_OPTIONS] = "options",
    [SIP_COUNT_REFUSED] = "refused",   [SIP_COUNT_MALFORMED] = "malformed",
    [SIP_COUNT_ABSORBED] = "absorbed", [SIP_COUNT_STRANGERS] = "stranger",
    [SIP_COUNT_GARBAGE] = "garbage",   [SIP_COUNT_UNSENT] = "unsent",
};

/* Lines of a case end in LF; \x0d stands for one that has none. */
static void add_wire(struct buf *to, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            buf_putc(to, '\r');
        buf_putc(to, text.p[i]);
    }
}

static size_t ask(struct span bytes, const struct address *source, char *reply, size_t size)
{
    struct sip_packet packet = {.bytes = bytes, .source = *source, .reply = reply, .size = size};

    sip_desk_answer(world.desk, &packet, 1, (struct instant){.boot_ns = now_ns});
    return packet.n;
}

/* Every line of an answer ends in CRLF, and the tag is some tag. */
static void show(struct buf *out, struct span reply)
{
    for (size_t i = 0; i < reply.n; i++) {
        if (reply.p[i] == '\r') {
            assert_true(i + 1 < reply.n && reply.p[i + 1] == '\n');
        } else if (i > 5 && memcmp(reply.p + i - 5, ";tag=", 5) == 0 && i + 16 < reply.n &&
                   reply.p[i + 16] == '\r') {
            buf_puts(out, "TAG");
            i += 15;
        } else {
            buf_putc(out, reply.p[i]);
        }
    }
}

static void show_count(struct buf *out, const struct sip_figures *before)
{
    struct sip_figures after = {0};
    size_t n = 0;

    sip_desk_figures(world.desk, &after);
    for (size_t i = SIP_COUNT_ALLOWED; i < SIP_COUNTS; i++) {
        if (after.n[i] == before->n[i])
            continue;
        buf_printf(out, "%s\n", counts[i]);
        n += after.n[i] - before->n[i];
    }
    assert_int_equal(n, 1);
    assert_int_equal(after.n[SIP_COUNT_RECEIVED], before->n[SIP_COUNT_RECEIVED] + 1);
}

/* Empty lines count for nothing, as in cases.h. */
static void without_empty_lines(struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] != '\n' || (n && b->p[n - 1] != '\n'))
            b->p[n++] = b->p[i];
    b->n = n;
    b->p[n] = '\0';
}

static void answers(void **state)
{
    const struct test_case *c = *state;
    struct span text, first = span_cut(buf_span(&c->in), '\n', &text);
    struct buf wire = {0}, got = {0};
    struct sip_figures before = {0};
    struct address source;
    char reply[8192], again[8192];

    assert_int_equal(address_parse(first, &source, NULL), 0);
    add_wire(&wire, text);
    sip_desk_figures(world.desk, &before);
    now_ns += 2 * SIP_SEEN_NS;

    size_t n = ask(buf_span(&wire), &source, reply, sizeof(reply));

    show_count(&got, &before);
    show(&got, (struct span){reply, n});
    without_empty_lines(&got);
    assert_string_equal(got.p, c->out.p);
    /* Asked again, it says the same to the byte. */
    assert_int_equal(ask(buf_span(&wire), &source, again, sizeof(again)), n);
    assert_memory_equal(reply, again, n);
    /* An answer that has no room is none. */
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ask(buf_span(&wire), &source, again, i), 0);
    buf_free(&wire);
    buf_free(&got);
}

#define INVITE_TO(branch)                                                                          \
    SPAN("INVITE sip:0312345678@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK" branch     \
         "\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"          \
         "P-Asserted-Identity: <sip:alice@h>\r\n\r\n")

/* Counted once for half a minute, whoever else asks meanwhile; told by whom. */
static void retransmissions_count_once(void **state)
{
    struct address one = {4, {192, 0, 2, 7}, 5060}, other = {4, {192, 0, 2, 8}, 5060};
    struct authorize_figures before = authorizer_figures(world.authorizer);
    char reply[2048];

    now_ns += 2 * SIP_SEEN_NS;
    for (int i = 0; i < 7; i++)
        assert_true(ask(INVITE_TO("1"), &one, reply, sizeof(reply)) > 0);
    assert_int_equal(authorizer_figures(world.authorizer).allowed, before.allowed + 1);
    ask(INVITE_TO("2"), &one, reply, sizeof(reply));
    assert_int_equal(authorizer_figures(world.authorizer).allowed, before.allowed + 2);
    ask(INVITE_TO("1"), &other, reply, sizeof(reply));
    assert_int_equal(authorizer_figures(world.authorizer).allowed, before.allowed + 3);
    ask(INVITE_TO("1"), &one, reply, sizeof(reply));
    assert_int_equal(authorizer_figures(world.authorizer).allowed, before.allowed + 3);
    now_ns += SIP_SEEN_NS;
    ask(INVITE_TO("1"), &one, reply, sizeof(reply));
    assert_int_equal(authorizer_figures(world.authorizer).allowed, before.allowed + 4);
}

/* The second Via: where the account's phone is, for locks. What the caller may have written itself says nothing. */
static void the_caller_is_where_the_switch_saw_it(void **state)
{
    static const struct {
        const char *via, *remote;
    } cases[] = {
        {"203.0.113.9", "203.0.113.9"},
        {"203.0.113.9:5060;branch=z9hG4bK1;rport=7", "203.0.113.9"},
        {"[2001:db8::7]:5060", "2001:db8::7"},
        {"phone.example", ""},
        {"phone.example;received=203.0.113.9", "203.0.113.9"},
        {"192.168.1.7;received=203.0.113.9;rport=7", "203.0.113.9"},
        {"192.168.1.7;received=203.0.113.9", ""},
        {"192.168.1.7;received=203.0.113.9;rport", ""},
        {"10.0.0.7;rport=1;received=203.0.113.9", "203.0.113.9"},
        {"172.31.0.7;rport=7;received=203.0.113.9", "203.0.113.9"},
        {"100.127.0.7;rport=7;received=203.0.113.9", "203.0.113.9"},
        {"[fd00::7];rport=7;received=2001:db8::9", "2001:db8::9"},
        {"203.0.113.9;received=203.0.113.9", "203.0.113.9"},
        {"203.0.113.9;received=198.51.100.7", ""},
        {"172.32.0.7;rport=7;received=198.51.100.7", ""},
        {"100.128.0.7;rport=7;received=198.51.100.7", ""},
        {"[2001:db8::7];received=2001:db8::9", ""},
        {"192.168.1.7;received=198.51.100.7;received=203.0.113.9", ""},
        {"192.168.1.7;rport=7;received=phone", ""},
    };
    const struct levels_sip terms = {.account = SPAN("From"), .allow = 302, .deny = 603};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sip_request r;
        struct buf in = {0};

        buf_printf(&in,
                   "INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7\r\nVia: SIP/2.0/UDP %s\r\n"
                   "From: <sip:a@h>\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
                   cases[i].via);
        sip_request_read(&r, buf_span(&in), &terms);
        assert_int_equal(r.kind, SIP_REQUEST_QUESTION);
        if (!span_is(r.remote, cases[i].remote))
            fail_msg("%s: %.*s", cases[i].via, (int)r.remote.n, r.remote.p ? r.remote.p : "");
        buf_free(&in);
    }
}

/* A call that may last for so long: told by each answer that allows it. */
static void an_end_is_told(void **state)
{
    const struct verdict verdict = {
        .action = VERDICT_ALLOW, .dial = "110", .max_seconds = 4294967295};
    const struct address source = {4, {192, 0, 2, 7}, 5060};
    struct levels_sip terms = {.account = SPAN("From"), .allow = 302, .deny = 603};
    struct sip_request r;
    char reply[2048];

    sip_request_read(&r, INVITE_TO("1"), &terms);
    for (int i = 0; i < 2; i++) {
        const struct sip_answer answer = sip_answer_of(&r, &terms, &verdict);
        size_t n = sip_reply(&r, &answer, &source, 1, reply, sizeof(reply) - 1);

        reply[n] = '\0';
        assert_non_null(strstr(reply, "\r\nX-Sekisho-Max-Seconds: 4294967295\r\n"));
        terms.allow = 404;
    }
}

/* Over a stream, what does not say how long it is is malformed; an emergency is one all the same. */
static void streams_need_a_length(void **state)
{
    static const struct {
        const char *start, *method, *more, *status;
    } cases[] = {
        {"INVITE sip:0312345678@h", "INVITE", "", "400 Bad Request: no Content-Length"},
        {"INVITE sip:0312345678@h", "INVITE", "l: 0\r\n", "302 Moved Temporarily"},
        {"INVITE sip:0312345678@h", "INVITE", "l: 0\r\nContent-Length: 0\r\n",
         "400 Bad Request: a header field twice that may stand once"},
        {"INVITE sip:110@h", "INVITE", "", "302 Moved Temporarily"},
        {"OPTIONS sip:h", "OPTIONS", "", "400 Bad Request: no Content-Length"},
        {"REGISTER sip:h", "REGISTER", "", "400 Bad Request: no Content-Length"},
        {"ACK sip:h", "ACK", "", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf in = {0};
        char reply[2048];

        buf_printf(
            &in,
            "%s SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\n"
            "Call-ID: c\r\nCSeq: 1 %s\r\nP-Asserted-Identity: <sip:alice@h>\r\n%s\r\n",
            cases[i].start, cases[i].method, cases[i].more);
        struct sip_packet packet = {.bytes = buf_span(&in),
                                    .by_length = true,
                                    .source = {4, {192, 0, 2, 7}, 5060},
                                    .reply = reply,
                                    .size = sizeof(reply)};
        sip_desk_answer(world.desk, &packet, 1, (struct instant){.boot_ns = ++now_ns});
        struct span rest, line = span_cut((struct span){reply, packet.n}, '\r', &rest);

        if (!span_is(span_skip(line, line.n ? 8 : 0), cases[i].status))
            fail_msg("%s: %.*s", cases[i].start, (int)line.n, line.p);
        buf_free(&in);
    }
}

/* The oldest of the same place is forgotten first. */
static void seen_has_a_bound(void **state)
{
    struct sip_seen *seen = calloc(1, sizeof(*seen));
    const uint64_t step = SIP_SEEN_SLOTS / SIP_SEEN_WAYS;

    assert_non_null(seen);
    for (uint64_t i = 0; i < SIP_SEEN_WAYS; i++)
        assert_false(sip_seen(seen, 7 + i * step, (int64_t)i));
    for (uint64_t i = 0; i < SIP_SEEN_WAYS; i++)
        assert_true(sip_seen(seen, 7 + i * step, 10));
    assert_false(sip_seen(seen, 7 + SIP_SEEN_WAYS * step, 11));
    assert_true(sip_seen(seen, 7 + step, 12));
    assert_false(sip_seen(seen, 7, 13));
    free(seen);
}

static void *look_who_asked_last(void *arg)
{
    for (int64_t *wrong = arg; !__atomic_load_n(&wrong[1], __ATOMIC_RELAXED);) {
        struct sip_last last = sip_desk_last(world.desk);

        wrong[0] += last.at_ms != last.switch_id * 1000;
    }
    return NULL;
}

/* Another thread sees a switch and the time when that one asked. */
static void who_asked_last_is_seen_whole(void **state)
{
    const struct address from[] = {{4, {192, 0, 2, 7}, 1}, {4, {198, 51, 100, 1}, 2}};
    int64_t wrong[2] = {0};
    char reply[2048];
    pthread_t thread;

    for (int i = 0; i < 50000; i++) {
        struct sip_packet packet = {.bytes =
                                        SPAN("OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
                                             "From: <sip:a@h>\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
                                             "CSeq: 1 OPTIONS\r\n\r\n"),
                                    .source = from[i % 2],
                                    .reply = reply,
                                    .size = sizeof(reply)};
        struct instant now = {.boot_ns = now_ns, .wall_ms = (i % 2 + 1) * 1000};

        sip_desk_answer(world.desk, &packet, 1, now);
        assert_true(packet.n > 0);
        if (i == 0)
            assert_int_equal(pthread_create(&thread, NULL, look_who_asked_last, wrong), 0);
    }
    __atomic_store_n(&wrong[1], 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_int_equal(wrong[0], 0);
}

static void batches_are_the_same_as_one_by_one(void **state)
{
    static char replies[SIP_BATCH_MAX][2048], alone[2048];
    struct sip_packet packets[SIP_BATCH_MAX];
    const struct span requests[] = {INVITE_TO("10"), INVITE_TO("11"), SPAN("junk"), INVITE_TO("12"),
                                    SPAN("")};
    const struct address from[] = {
        {4, {192, 0, 2, 7}, 1}, {4, {10, 0, 0, 1}, 2}, {4, {192, 0, 2, 9}, 3}};

    for (size_t i = 0; i < SIP_BATCH_MAX; i++)
        packets[i] = (struct sip_packet){
            .bytes = requests[i % 5], .source = from[i % 3], .reply = replies[i], .size = 2048};
    now_ns += 2 * SIP_SEEN_NS;
    sip_desk_answer(world.desk, packets, SIP_BATCH_MAX, (struct instant){.boot_ns = now_ns});
    for (size_t i = 0; i < SIP_BATCH_MAX; i++) {
        size_t n = ask(requests[i % 5], &from[i % 3], alone, sizeof(alone));

        assert_int_equal(packets[i].n, n);
        assert_memory_equal(replies[i], alone, n);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(retransmissions_count_once),
        cmocka_unit_test(the_caller_is_where_the_switch_saw_it),
        cmocka_unit_test(an_end_is_told),
        cmocka_unit_test(streams_need_a_length),
        cmocka_unit_test(seen_has_a_bound),
        cmocka_unit_test(batches_are_the_same_as_one_by_one),
        cmocka_unit_test(who_asked_last_is_seen_whole),
    };

    assert_int_equal(argc, 2);
    sip_world_open(&world);

    int failed = cases_run(argv[1], answers, fixed, sizeof(fixed) / sizeof(*fixed));

    sip_world_close(&world);
    return failed;
}
