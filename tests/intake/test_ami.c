/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/file.h"
#include "intake/ami_message.h"

static struct ami_message message;

static struct span session(struct buf *b)
{
    struct fault f;
    const char *path = getenv("AMI_SESSION");

    assert_non_null(path);
    if (file_read(path, 1 << 20, b, &f))
        fail_msg("%s", f.text);
    return buf_span(b);
}

static void a_recorded_session_is_read_whole(void **state)
{
    struct buf b = {0};
    struct span in = session(&b), version;
    size_t used = 0, messages = 0, responses = 0;

    assert_int_equal(ami_greeting_take(in, &used, &version), 1);
    assert_true(span_is(version, "11.0.0"));
    in = span_skip(in, used);
    while (ami_message_take(in, &used, &message) == 1) {
        in = span_skip(in, used);
        assert_true(ami_message_begins(&message));
        assert_int_equal(message.dropped, 0);
        messages++;
        responses += span_is(message.fields[0].name, "Response");
    }
    assert_int_equal(in.n, 0);
    assert_int_equal(messages, 15);
    assert_int_equal(responses, 1);
    buf_free(&b);
}

/* Bytes come in pieces: whatever the cut, the same messages, and none before its end is there. */
static void every_cut_gives_the_same(void **state)
{
    static const char text[] = "Response: Success\r\nMessage: Go\r\n\r\nEvent: A\r\nX:1\r\n\r\n";
    size_t first = (size_t)(strstr(text, "Event") - text), used = 0;

    for (size_t n = 0; n < sizeof(text); n++) {
        /* In its own allocation, so that a read beyond the end is found. */
        char *copy = malloc(n ? n : 1);

        assert_non_null(copy);
        memcpy(copy, text, n);
        int got = ami_message_take((struct span){copy, n}, &used, &message);
        assert_int_equal(got, n >= first);
        if (got)
            assert_int_equal(used, first);
        free(copy);
    }
}

static void a_hostile_name_stays_in_its_field(void **state)
{
    struct buf b = {0};
    struct span in = session(&b), version;
    size_t used = 0, seen = 0;

    assert_int_equal(ami_greeting_take(in, &used, &version), 1);
    for (in = span_skip(in, used); ami_message_take(in, &used, &message) == 1;
         in = span_skip(in, used)) {
        if (!span_starts(ami_message_first(&message, "AccountID"), SPAN("a\"")))
            continue;
        seen++;
        assert_true(
            span_is(ami_message_last(&message, "RemoteAddress"), "IPV4/UDP/10.99.1.51/52247"));
    }
    assert_int_equal(seen, 1);
    buf_free(&b);
}

/* A user name with %0d%0a%0d%0a: two messages, of which the second was written by the attacker. */
static void a_split_event_shows(void **state)
{
    static const struct span wire =
        SPAN("Event: InvalidAccountID\r\nPrivilege: security,all\r\nAccountID: x\r\n\r\n"
             "RemoteAddress: IPV4/UDP/192.0.2.1/5060\r\nSessionID: 1\r\n"
             "RemoteAddress: IPV4/UDP/198.51.100.7/5060\r\n\r\n");
    size_t used = 0;

    assert_int_equal(ami_message_take(wire, &used, &message), 1);
    assert_true(ami_message_is_event(&message, "InvalidAccountID"));
    assert_null(ami_message_first(&message, "RemoteAddress").p);
    assert_int_equal(ami_message_take(span_skip(wire, used), &used, &message), 1);
    assert_false(ami_message_begins(&message));
    assert_int_equal(ami_message_count(&message, "remoteaddress"), 2);
    assert_true(span_is(ami_message_last(&message, "RemoteAddress"), "IPV4/UDP/198.51.100.7/5060"));
}

static void a_second_event_field_is_no_event(void **state)
{
    static const struct span wire = SPAN("Event: A\nAccountID: x\nEvent: FullyBooted\n\n");
    size_t used = 0;

    assert_int_equal(ami_message_take(wire, &used, &message), 1);
    assert_false(ami_message_is_event(&message, "A"));
    assert_false(ami_message_is_event(&message, "FullyBooted"));
}

static void fields_and_bytes_are_bounded(void **state)
{
    struct buf b = {0};
    size_t used = 0;

    for (int i = 0; i < AMI_FIELDS_MAX + 8; i++)
        buf_printf(&b, "F%d: %d\r\n", i, i);
    buf_puts(&b, "\r\n");
    assert_int_equal(ami_message_take(buf_span(&b), &used, &message), 1);
    assert_int_equal(message.n, AMI_FIELDS_MAX);
    assert_int_equal(message.dropped, 8);
    buf_clear(&b);
    while (b.n < AMI_MESSAGE_MAX)
        buf_puts(&b, "Name: value that never ends\r\n");
    assert_int_equal(ami_message_take(buf_span(&b), &used, &message), ERR_RANGE);
    buf_free(&b);
}

static void a_greeting_must_be_one(void **state)
{
    static const struct {
        struct span in;
        int got;
    } cases[] = {
        {SPAN(""), 0},
        {SPAN("Aster"), 0},
        {SPAN("Asterisk Call Manager/5.0.1"), 0},
        {SPAN("Asterisk Call Manager/5.0.1\r\n"), 1},
        {SPAN("SSH-2.0-OpenSSH_9.2\r\n"), ERR_SYNTAX},
        {SPAN("HTTP/1.1 400 Bad Request\r\n"), ERR_SYNTAX},
    };
    struct span version;
    size_t used = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(ami_greeting_take(cases[i].in, &used, &version), cases[i].got);
}

static void an_action_never_becomes_two(void **state)
{
    struct buf b = {0};
    struct fault f;

    assert_int_equal(ami_action_field(&b, "Action", SPAN("Login"), &f), 0);
    assert_int_equal(ami_action_field(&b, "Username", SPAN("x\r\nAction: Originate"), &f),
                     ERR_SYNTAX);
    assert_int_equal(ami_action_field(&b, "Secret", SPAN("a\nb"), &f), ERR_SYNTAX);
    assert_int_equal(ami_action_field(&b, "Secret", SPAN("a\0b"), &f), ERR_SYNTAX);
    assert_int_equal(ami_action_field(&b, "Bad: name", SPAN("b"), &f), ERR_SYNTAX);
    ami_action_end(&b);
    assert_string_equal(b.p, "Action: Login\r\n\r\n");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_session_is_read_whole),
        cmocka_unit_test(every_cut_gives_the_same),
        cmocka_unit_test(a_hostile_name_stays_in_its_field),
        cmocka_unit_test(a_split_event_shows),
        cmocka_unit_test(a_second_event_field_is_no_event),
        cmocka_unit_test(fields_and_bytes_are_bounded),
        cmocka_unit_test(a_greeting_must_be_one),
        cmocka_unit_test(an_action_never_becomes_two),
    };

    return cmocka_run_group_tests_name("intake/ami", tests, NULL, NULL);
}
