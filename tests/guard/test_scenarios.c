/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cases.h"
#include "scenario.h"

static void play(void **state)
{
    const struct test_case *c = *state;
    struct scenario *s = calloc(1, sizeof(*s));
    bool ok;

    assert_non_null(s);
    ok = scenario_play(s, buf_span(&c->in));
    if (!ok)
        print_error("%s\n", s->trouble);
    scenario_end(s);
    free(s);
    assert_true(ok);
}

int main(int argc, char **argv)
{
    (void)argc;
    return cases_run(argv[1], play, NULL, 0);
}
