/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cases.h"
#include "serve/agi_answer.h"
#include "serve/agi_request.h"

static void show(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < ' ' || c > '~')
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, (char)c);
    }
}

static void show_question(struct buf *out, struct agi_request *request)
{
    struct agi_question question;
    struct fault f;

    if (agi_request_question(request, &question, &f) != 0) {
        assert_int_equal(f.code, ERR_SYNTAX);
        buf_puts(out, "malformed");
        return;
    }
    show(out, question.account);
    buf_putc(out, '|');
    show(out, question.remote);
    buf_putc(out, '|');
    show(out, question.number);
}

/* Feeds `first` bytes and then the rest in pieces of `step`. */
static void understand(struct buf *out, struct span bytes, size_t first, size_t step)
{
    struct agi_request request;
    enum agi_progress progress;

    agi_request_begin(&request);
    size_t n = first < bytes.n ? first : bytes.n;
    do {
        progress = agi_request_feed(&request, (struct span){bytes.p, n});
        bytes = span_skip(bytes, n);
        n = step < bytes.n ? step : bytes.n;
    } while (progress == AGI_MORE && bytes.n);
    switch (progress) {
    case AGI_MORE: buf_puts(out, "more"); break;
    case AGI_BAD: buf_puts(out, "bad"); break;
    case AGI_DONE: show_question(out, &request); break;
    }
    buf_putc(out, '\n');
}

/* However the bytes are cut, the meaning is the same. */
static void agi_case_runs(void **state)
{
    const struct test_case *c = *state;
    struct buf out = {0};

    for (size_t first = 0; first <= c->in.n; first++) {
        buf_clear(&out);
        understand(&out, buf_span(&c->in), first, c->in.n);
        assert_string_equal(out.p, c->out.p);
    }
    for (size_t step = 1; step < 20; step++) {
        buf_clear(&out);
        understand(&out, buf_span(&c->in), step, step);
        assert_string_equal(out.p, c->out.p);
    }
    buf_free(&out);
}

static void an_answer_sets_every_variable_and_the_verdict_last(void **state)
{
    struct verdict verdict = {.action = VERDICT_ALLOW,
                              .reason = REASON_EXCEPTION,
                              .max_seconds = 4294967295u,
                              .dial = "184010121212345678*#+"};
    char text[AGI_ANSWER_MAX];
    size_t n = agi_answer(CLASS_INTERNATIONAL, &verdict, text);

    assert_int_equal(n, strlen(text));
    assert_string_equal(text, "SET VARIABLE SEKISHO_REASON \"exception\"\n"
                              "SET VARIABLE SEKISHO_DIAL \"184010121212345678*#+\"\n"
                              "SET VARIABLE SEKISHO_CLASS \"INTERNATIONAL\"\n"
                              "SET VARIABLE SEKISHO_MAX_SECONDS \"4294967295\"\n"
                              "SET VARIABLE SEKISHO_VERDICT \"allow\"\n");
}

static void the_longest_answer_fits(void **state)
{
    struct verdict verdict = {.reason = REASON_UNKNOWN_ACCOUNT, .max_seconds = UINT32_MAX};
    char text[AGI_ANSWER_MAX];

    memset(verdict.dial, '9', sizeof(verdict.dial) - 1);
    for (int class = CLASS_EMERGENCY; class <= CLASS_UNKNOWN; class ++)
        for (int reason = REASON_EMERGENCY; reason <= REASON_UNAVAILABLE; reason++) {
            verdict.reason = (enum verdict_reason)reason;
            assert_true(agi_answer((enum number_class) class, &verdict, text) > 0);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_sets_every_variable_and_the_verdict_last),
        cmocka_unit_test(the_longest_answer_fits),
    };
    return cases_run(argv[1], agi_case_runs, tests, sizeof(tests) / sizeof(*tests));
}
