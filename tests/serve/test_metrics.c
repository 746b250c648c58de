/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "serve/metrics.h"

static void families_and_samples(void **state)
{
    const struct metrics_label labels[] = {{"switch", SPAN("local")}, {"witness", SPAN("ami")}};
    struct metrics m = {0};

    metrics_family(&m, METRICS_COUNTER, "x_total", "Of two.");
    metrics_sample(&m, labels, 2, UINT64_MAX);
    metrics_one(&m, METRICS_GAUGE, "y", "Of one.", 0);
    metrics_family(&m, METRICS_GAUGE, "z_seconds", "Since when.");
    metrics_sample_seconds(&m, 1795487580043);
    assert_string_equal(m.out.p, "# HELP sekisho_x_total Of two.\n# TYPE sekisho_x_total counter\n"
                                 "sekisho_x_total{switch=\"local\",witness=\"ami\"} "
                                 "18446744073709551615\n"
                                 "# HELP sekisho_y Of one.\n# TYPE sekisho_y gauge\nsekisho_y 0\n"
                                 "# HELP sekisho_z_seconds Since when.\n"
                                 "# TYPE sekisho_z_seconds gauge\n"
                                 "sekisho_z_seconds 1795487580.043\n");
    buf_free(&m.out);
}

/* A path or a name is whatever somebody wrote: it stays in its label, and the line stays one. */
static void a_value_stays_in_its_label(void **state)
{
    static const struct {
        struct span value;
        const char *written;
    } cases[] = {
        {SPAN(""), ""},
        {SPAN("\xe6\x9d\xb1\xe4\xba\xac"), "\xe6\x9d\xb1\xe4\xba\xac"},
        {SPAN("a\"} 1\nb 2"), "a\\\\\\\"} 1\\\\x0ab 2"},
        {SPAN("\\"), "\\\\\\\\"},
        {SPAN("\xff\0"), "\\\\xff\\\\x00"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct metrics_label l = {"what", cases[i].value};
        struct metrics m = {.name = "x"};
        char wanted[100];

        metrics_sample(&m, &l, 1, 1);
        snprintf(wanted, sizeof(wanted), "sekisho_x{what=\"%s\"} 1\n", cases[i].written);
        assert_string_equal(m.out.p, wanted);
        buf_free(&m.out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_and_samples),
        cmocka_unit_test(a_value_stays_in_its_label),
    };

    return cmocka_run_group_tests_name("serve/metrics", tests, NULL, NULL);
}
