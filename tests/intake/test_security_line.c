/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the security log: test_security_line CASES RECORDED-LOG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/file.h"
#include "cases.h"
#include "failalloc.h"
#include "intake/security_line.h"
#include "said.h"

static const char *recorded_path;

/* The recorded log's remarks are left out. Each line in memory of its own, so that a read beyond its end is found. */
static void read_all(struct buf *out, struct span lines)
{
    struct security_reader reader = {0};
    struct attempt attempt;

    for (struct span rest = lines; rest.n;) {
        struct span line = span_cut(rest, '\n', &rest);
        char *exact;

        if (span_starts(line, SPAN("###")))
            continue;
        exact = malloc(line.n ? line.n : 1);
        assert_non_null(exact);
        memcpy(exact, line.p, line.n);
        line.p = exact;
        said(out, security_line_read(&reader, line, &attempt), &attempt);
        free(exact);
    }
    security_reader_free(&reader);
}

static void lines_are_understood(void **state)
{
    const struct test_case *c = *state;
    struct buf got = {0};

    read_all(&got, buf_span(&c->in));
    if (!span_eq(buf_span(&got), buf_span(&c->out)))
        fail_msg("wanted:\n%sgot:\n%s", c->out.p, got.p);
    buf_free(&got);
}

static void a_recorded_log_is_understood(void **state)
{
    struct buf log = {0}, got = {0};
    struct fault f;

    if (file_read(recorded_path, 1 << 20, &log, &f))
        fail_msg("%s", f.text);
    read_all(&got, buf_span(&log));
    assert_int_equal(said_count(&got, "success "), 7);
    assert_int_equal(said_count(&got, "challenged "), 39);
    assert_int_equal(said_count(&got, "wrong-credentials "), 10);
    assert_int_equal(said_count(&got, "unknown-account "), 27);
    assert_int_equal(said_count(&got, "listed "), 2);
    assert_int_equal(said_count(&got, "nothing\n"), 6);
    assert_int_equal(said_count(&got, "not-event\n"), 0);
    assert_int_equal(said_count(&got, "dropped\n") + said_count(&got, "not-understood\n"), 0);
    /* What was planted in Call-IDs, nonces and responses. */
    assert_null(strstr(got.p, " 10.98.0.77:"));
    assert_null(strstr(got.p, " 1.1.1.1:"));
    buf_free(&log);
    buf_free(&got);
}

static void a_gap_ends_what_is_open(void **state)
{
    static const struct span half = SPAN(
        "SECURITY[1] res_security_log.c: SecurityEvent=\"InvalidAccountID\",EventTV="
        "\"2026-11-24T02:33:36.344+0000\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\","
        "AccountID=\"a");
    struct security_reader reader = {0};
    struct attempt attempt;

    assert_int_equal(security_line_read(&reader, half, &attempt), SECURITY_HELD);
    security_line_gap(&reader);
    assert_int_equal(reader.lost, 1);
    assert_int_equal(security_line_read(&reader, SPAN("x"), &attempt), SECURITY_NOT_EVENT);
    assert_int_equal(reader.split, 1);

    failalloc_after(0);
    security_reader_free(&reader);
    assert_int_equal(security_line_read(&reader, half, &attempt), SECURITY_DROPPED);
    assert_true(failalloc_off());
    assert_int_equal(security_line_read(&reader, SPAN("x"), &attempt), SECURITY_NOT_EVENT);
    security_reader_free(&reader);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_log_is_understood),
        cmocka_unit_test(a_gap_ends_what_is_open),
    };

    recorded_path = argv[2];
    return cases_run(argv[1], lines_are_understood, tests, sizeof(tests) / sizeof(*tests));
}
