/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libosip2 and libre as oracles: what they read from valid messages, we must read too. The messages are
 * those of a case file in whose reading nothing is wrong, or generated ones. Where a reader says something
 * else, DISAGREEMENTS must say why, and each of its rows must be needed.
 *
 *   test_oracle DISAGREEMENTS [CASES]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cases.h"
#include "facts.h"

#define GENERATED 5000
#define ROWS_MAX 200

static struct {
    struct buf text;
    struct row {
        struct span reader, message, key;
        bool used;
    } rows[ROWS_MAX];
    size_t n;
} known;

static bool read_rows(const char *path)
{
    struct fault f;

    if (file_read(path, 1 << 20, &known.text, &f))
        return false;
    for (struct span rest = buf_span(&known.text); rest.n;) {
        struct span line = span_cut(rest, '\n', &rest), why;
        struct row *r = &known.rows[known.n];

        if (!line.n || line.p[0] == '#')
            continue;
        r->reader = span_cut(line, '\t', &line);
        r->message = span_cut(line, '\t', &line);
        r->key = span_cut(line, '\t', &why);
        if (!why.n || ++known.n == ROWS_MAX)
            return false;
    }
    return true;
}

static bool is_known(const char *reader, struct span message, struct span key)
{
    for (size_t i = 0; i < known.n; i++) {
        struct row *r = &known.rows[i];

        if (span_is(r->reader, reader) && span_eq(r->message, message) && span_eq(r->key, key))
            return r->used = true;
    }
    return false;
}

static void compare(const char *reader, void (*facts_of)(struct buf *, struct span),
                    struct span message, struct span bytes)
{
    struct buf ours = {0}, theirs = {0};

    facts_of_ours(&ours, bytes);
    facts_of(&theirs, bytes);
    for (struct span rest = buf_span(&theirs); rest.n;) {
        struct span wanted, got = {NULL, 0}, line = span_cut(rest, '\n', &rest);
        struct span key = span_cut(line, '\t', &wanted);

        if (facts_get(&ours, key, &got) && span_eq(got, wanted))
            continue;
        if (!is_known(reader, message, key))
            fail_msg("%s\t%.*s\t%.*s: it says \"%.*s\", we say \"%.*s\", of:\n%.*s", reader,
                     SPAN_FMT(message), SPAN_FMT(key), SPAN_FMT(wanted), SPAN_FMT(got),
                     SPAN_FMT(bytes));
    }
    buf_free(&ours);
    buf_free(&theirs);
}

static void generated_messages_are_read_alike(void **state)
{
    for (uint64_t seed = 1; seed <= GENERATED; seed++) {
        struct buf for_osip = {0}, for_re = {0};

        generate(&for_osip, seed, WITHOUT_TABS);
        compare("osip", facts_of_osip, SPAN("generated"), buf_span(&for_osip));
        generate(&for_re, seed, WITHOUT_COMMA_IN_USER);
        compare("re", facts_of_re, SPAN("generated"), buf_span(&for_re));
        buf_free(&for_osip);
        buf_free(&for_re);
    }
}

static bool is_valid(const struct test_case *c)
{
    return !strstr(c->name, "invalid") && !strstr(c->out.p, "fault:") && !strstr(c->out.p, " ? ") &&
           !strstr(c->name, "(exact)") &&
           (strncmp(c->out.p, "request", 7) == 0 || strncmp(c->out.p, "response", 8) == 0);
}

static void a_case_is_read_alike(void **state)
{
    const struct test_case *c = *state;
    struct buf message = {0};
    struct span name = span_of(c->name), rest;

    if (!is_valid(c))
        return;
    for (size_t i = 0; i < c->in.n; i++) {
        if (c->in.p[i] == '\n' && (i == 0 || c->in.p[i - 1] != '\r'))
            buf_putc(&message, '\r');
        buf_putc(&message, c->in.p[i]);
    }
    name = span_cut(name, ':', &rest);
    compare("osip", facts_of_osip, name, buf_span(&message));
    compare("re", facts_of_re, name, buf_span(&message));
    buf_free(&message);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest generated[] = {cmocka_unit_test(generated_messages_are_read_alike)};
    int failed;

    if (argc < 2 || argc > 3 || !read_rows(argv[1]))
        return 2;
    failed = argc == 3 ? cases_run(argv[2], a_case_is_read_alike, NULL, 0)
                       : cmocka_run_group_tests(generated, NULL, NULL);
    for (size_t i = 0; i < known.n; i++) {
        if (!known.rows[i].used) {
            fprintf(stderr, "%s: row %zu is not needed\n", argv[1], i + 1);
            failed = 1;
        }
    }
    buf_free(&known.text);
    return failed;
}
