/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

#define CASES_MAX 1000

/* Returns what the escape at the beginning of `s` took, or 0 when there is none. */
static size_t add_escape(struct buf *to, struct span s, bool hex)
{
    char word[8] = {0};
    unsigned value;
    int used = 0;

    if (s.n < 3 || s.p[0] != '\\')
        return 0;
    memcpy(word, s.p + 2, s.n - 2 < 7 ? s.n - 2 : 7);
    if (hex && s.p[1] == 'x') {
        word[2] = '\0';
        if (sscanf(word, "%2x%n", &value, &used) != 1 || used != 2)
            return 0;
        buf_putc(to, (char)value);
    } else if (s.p[1] == '@') {
        if (sscanf(word, "%5u%n", &value, &used) != 1)
            return 0;
        while (value--)
            buf_putc(to, 'a');
    } else {
        return 0;
    }
    return 2 + (size_t)used;
}

static void add_line(struct buf *to, struct span line, bool hex)
{
    while (line.n) {
        size_t n = add_escape(to, line, hex);

        if (!n)
            buf_putc(to, line.p[n++]);
        line = span_skip(line, n);
    }
    buf_putc(to, '\n');
}

static size_t read_cases(const char *path, struct test_case *cases)
{
    struct buf text = {0};
    struct test_case *c = NULL;
    struct fault f;
    bool answer = false;
    size_t n = 0;

    if (file_read(path, 1 << 20, &text, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    for (struct span rest = buf_span(&text); rest.p;) {
        struct span line = span_cut(rest, '\n', &rest);

        if (span_starts(line, SPAN("== ")) && n < CASES_MAX) {
            c = &cases[n++];
            c->name = strndup(line.p + 3, line.n - 3);
            buf_puts(&c->in, "");
            buf_puts(&c->out, "");
            answer = false;
        } else if (c && span_is(line, "--")) {
            answer = true;
        } else if (c && !answer) {
            add_line(&c->in, line, true);
        } else if (c && line.n) {
            add_line(&c->out, line, false);
        }
    }
    buf_free(&text);
    return n;
}

int cases_run(const char *path, void (*function)(void **state), const struct CMUnitTest *fixed,
              size_t n_fixed)
{
    struct test_case *cases = calloc(CASES_MAX, sizeof(*cases));
    struct CMUnitTest *tests = calloc(CASES_MAX + n_fixed, sizeof(*tests));
    size_t n = cases && tests ? read_cases(path, cases) : 0;

    if (n == 0) {
        fprintf(stderr, "no cases in %s\n", path);
        exit(1);
    }
    if (n_fixed)
        memcpy(tests, fixed, n_fixed * sizeof(*tests));
    for (size_t i = 0; i < n; i++)
        tests[n_fixed + i] = (struct CMUnitTest){
            .name = cases[i].name, .test_func = function, .initial_state = &cases[i]};
    int failed = _cmocka_run_group_tests("cases", tests, n_fixed + n, NULL, NULL);

    for (size_t i = 0; i < n; i++) {
        free(cases[i].name);
        buf_free(&cases[i].in);
        buf_free(&cases[i].out);
    }
    free(cases);
    free(tests);
    return failed;
}
