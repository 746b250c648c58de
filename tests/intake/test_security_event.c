/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Security events as messages of AMI: test_security_event CASES RECORDED-SESSION. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "cases.h"
#include "intake/security_event.h"
#include "said.h"

static const char *recorded_path;

static void read_all(struct buf *out, struct span in)
{
    static struct ami_message message;
    struct security_events events = {0};
    struct attempt attempt;
    size_t used;

    while (ami_message_take(in, &used, &message) == 1) {
        said(out, security_event_read(&events, &message, used, &attempt), &attempt);
        in = span_skip(in, used);
    }
}

static void messages_are_understood(void **state)
{
    const struct test_case *c = *state;
    struct buf in = {0}, got = {0};

    for (size_t i = 0; i < c->in.n; i++) {
        if (c->in.p[i] == '\n')
            buf_putc(&in, '\r');
        buf_putc(&in, c->in.p[i]);
    }
    read_all(&got, buf_span(&in));
    if (!span_eq(buf_span(&got), buf_span(&c->out)))
        fail_msg("wanted:\n%sgot:\n%s", c->out.p, got.p);
    buf_free(&in);
    buf_free(&got);
}

/* The session was recorded together with security.log: the same attempts, but for two behind responses that are
 * no digests, which could be forged here. */
static void a_recorded_session_is_understood(void **state)
{
    struct buf session = {0}, got = {0};
    struct span version;
    struct fault f;
    size_t used;

    if (file_read(recorded_path, 1 << 20, &session, &f))
        fail_msg("%s", f.text);
    assert_int_equal(ami_greeting_take(buf_span(&session), &used, &version), 1);
    read_all(&got, span_skip(buf_span(&session), used));
    assert_int_equal(said_count(&got, "success "), 7);
    assert_int_equal(said_count(&got, "challenged "), 39);
    assert_int_equal(said_count(&got, "wrong-credentials "), 9);
    assert_int_equal(said_count(&got, "unknown-account "), 26);
    assert_int_equal(said_count(&got, "listed "), 2);
    assert_int_equal(said_count(&got, "nothing\n"), 6);
    assert_int_equal(said_count(&got, "dropped\n"), 4);
    assert_int_equal(said_count(&got, "not-understood\n"), 0);
    assert_null(strstr(got.p, " 10.98.0.77:"));
    assert_null(strstr(got.p, " 1.1.1.1:"));
    buf_free(&session);
    buf_free(&got);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_session_is_understood),
    };

    recorded_path = argv[2];
    return cases_run(argv[1], messages_are_understood, tests, sizeof(tests) / sizeof(*tests));
}
