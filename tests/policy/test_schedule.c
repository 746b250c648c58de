/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/zoneinfo.h"
#include "clock_text.h"
#include "failalloc.h"
#include "policy/schedule.h"

/* Operator's own holidays of these cases. */
static const char *const leave[] = {"2026-12-29", "2026-12-30"};

static void answer(struct buf *out, const struct schedule *s, const struct holidays *extra,
                   struct span moment)
{
    static const char *const states[] = {"off", "on", "unknown"};
    int64_t now = clock_read(moment);
    enum schedule_state state = schedule_state(s, extra, now);
    int64_t end = schedule_end(s, extra, now);
    char text[32];

    buf_printf(out, "%.*s %s", SPAN_FMT(moment), states[state]);
    if (state != SCHEDULE_ON) {
        assert_true(end == now);
    } else if (end == INT64_MAX) {
        buf_puts(out, " without end");
    } else {
        /* The end is the first moment of another state: the second before it is still on. */
        assert_int_equal(schedule_state(s, extra, end - 1), SCHEDULE_ON);
        assert_int_not_equal(schedule_state(s, extra, end), SCHEDULE_ON);
        clock_write(end, text);
        buf_printf(out, " until %s", text);
    }
    buf_putc(out, '\n');
}

/* In: the schedule, then moments. Out: the canonical text, or the sentence that refuses it, and the
 * state at each moment. */
static void schedule_case(void **state)
{
    const struct test_case *c = *state;
    struct span rest, text = span_cut(buf_span(&c->in), '\n', &rest);
    char canonical[RULE_SCHEDULE_MAX + 1];
    int64_t days[sizeof(leave) / sizeof(*leave)];
    struct holidays extra = {days, sizeof(leave) / sizeof(*leave)};
    struct buf out = {0};
    struct fault f = {0};

    for (size_t i = 0; i < extra.n; i++)
        assert_int_equal(civil_parse(span_of(leave[i]), &days[i], &f), 0);
    if (schedule_canonical(text, canonical, &f)) {
        buf_printf(&out, "%s\n", f.text);
    } else {
        struct schedule *s, *again;
        struct zones *zones;
        char twice[RULE_SCHEDULE_MAX + 1];

        assert_int_equal(schedule_canonical(span_of(canonical), twice, &f), 0);
        assert_string_equal(twice, canonical);
        assert_int_equal(zones_new(&zones, zoneinfo_read, NULL, &f), 0);
        assert_int_equal(schedule_new(&s, text, zones, &f), 0);
        assert_true(span_is(schedule_text(s), canonical));
        /* Without zones nothing can be known. */
        assert_int_equal(schedule_new(&again, text, NULL, &f), 0);
        assert_int_equal(schedule_state(again, NULL, 0), SCHEDULE_UNKNOWN);
        schedule_free(again);
        buf_printf(&out, "%s\n", canonical);
        while (rest.p) {
            struct span line = span_cut(rest, '\n', &rest);

            if (line.n)
                answer(&out, s, &extra, line);
        }
        schedule_free(s);
        zones_free(zones);
    }
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

static void no_memory_no_schedule(void **state)
{
    struct schedule *s = NULL;
    struct zones *zones;
    struct fault f;

    assert_int_equal(zones_new(&zones, zoneinfo_read, NULL, &f), 0);
    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = schedule_new(&s, SPAN("mon 09:00-10:00 Asia/Tokyo;all all UTC"), zones, &f);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(s);
    }
    assert_int_equal(schedule_state(s, NULL, 0), SCHEDULE_ON);
    schedule_free(s);
    zones_free(zones);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {cmocka_unit_test(no_memory_no_schedule)};

    return argc == 2 ? cases_run(argv[1], schedule_case, fixed, 1) : 2;
}
