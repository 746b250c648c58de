/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request as a switch sends it, and the answer as it goes out: sip.cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cases.h"
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
        cmocka_unit_test(seen_has_a_bound),
        cmocka_unit_test(batches_are_the_same_as_one_by_one),
    };

    assert_int_equal(argc, 2);
    sip_world_open(&world);

    int failed = cases_run(argv[1], answers, fixed, 3);

    sip_world_close(&world);
    return failed;
}
