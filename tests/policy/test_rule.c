/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule_text.h"

static void rule_case(void **state)
{
    const struct test_case *c = *state;
    struct span in = {c->in.p, c->in.n - 1}, text;
    struct span word = span_cut(in, ' ', &text);
    char digits[RULE_PREFIX_MAX + 1] = "untouched";
    struct buf out = {0};
    struct fault f = {0};
    int err;

    if (span_is(word, "prefix")) {
        err = rule_prefix_clean(text, digits, &f);
        buf_printf(&out, "%s\n", err ? f.text : digits);
        if (err)
            assert_string_equal(digits, "untouched");
    } else {
        struct rule rule = rule_read(text);

        err = rule_check(&rule, &f);
        buf_printf(&out, "%s\n", err ? f.text : "good");
    }
    if (err)
        assert_int_equal(err, f.code);
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

int main(int argc, char **argv)
{
    return argc == 2 ? cases_run(argv[1], rule_case, NULL, 0) : 2;
}
