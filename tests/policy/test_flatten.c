/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cases.h"
#include "failalloc.h"
#include "policy/flatten.h"

#define RANGES_MAX 64

/* "closed 0102", "open 110 whole emergency". */
static size_t ranges_of(struct span text, struct flatten_range *out)
{
    size_t n = 0;

    while (text.n) {
        struct span line = span_cut(text, '\n', &text);
        struct span state = span_cut(line, ' ', &line);

        out[n] = (struct flatten_range){.open = span_is(state, "open"),
                                        .prefix = span_cut(line, ' ', &line)};
        while (line.n) {
            struct span word = span_cut(line, ' ', &line);

            out[n].whole = out[n].whole || span_is(word, "whole");
            out[n].emergency = out[n].emergency || span_is(word, "emergency");
        }
        n++;
    }
    return n;
}

static void lists(void **state)
{
    const struct test_case *c = *state;
    struct flatten_range ranges[RANGES_MAX];
    size_t n = ranges_of(buf_span(&c->in), ranges);
    struct flatten *list = NULL;
    struct buf out = {0};
    struct fault f;

    assert_int_equal(flatten_new(&list, ranges, n, &f), 0);
    buf_puts(&out, "restrict");
    for (size_t i = 0; i < flatten_count(list); i++)
        buf_printf(&out, " %.*s", SPAN_FMT(flatten_prefix(list, i)));
    buf_puts(&out, "\nlost");
    for (size_t i = 0; i < flatten_lost(list); i++)
        buf_printf(&out, " %.*s", SPAN_FMT(ranges[flatten_lost_range(list, i)].prefix));
    buf_putc(&out, '\n');
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
    flatten_free(list);
}

static void memory_may_run_out(void **state)
{
    static const char text[] = "closed 00\nopen 01\nclosed 1\nopen 110 whole emergency\n";
    struct flatten_range ranges[RANGES_MAX];
    size_t n = ranges_of(span_of(text), ranges);
    struct flatten *list = NULL;
    struct fault f;

    (void)state;
    for (unsigned k = 0;; k++) {
        int err;

        failalloc_after(k);
        err = flatten_new(&list, ranges, n, &f);
        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(list);
    }
    flatten_free(list);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {cmocka_unit_test(memory_may_run_out)};

    return argc == 2 ? cases_run(argv[1], lists, fixed, 1) : EXIT_FAILURE;
}
