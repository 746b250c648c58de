/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What records are made of: names of channels, outcomes, who pays. test_cdr CHANNELS */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "intake/cdr.h"
#include "intake/cdr_channel.h"

static const char *channels_path;

static void channels_have_endpoints_and_numbers(void **state)
{
    FILE *in = fopen(channels_path, "r");
    char line[512];
    size_t n = 0;

    assert_non_null(in);
    while (fgets(line, sizeof(line), in)) {
        struct span rest, what = span_cut(span_of(line), '\t', &rest), want, text, half;
        struct cdr_channel c;

        if (line[0] == '#')
            continue;
        text = span_cut(rest, '\t', &rest);
        want = span_cut(rest, '\t', &rest);
        half = span_cut(rest, '\n', &rest);
        c = cdr_channel_read(text);
        if (span_is(what, "number"))
            c = (struct cdr_channel){cdr_dialled_number(text), false};
        if (!span_eq(c.endpoint, want) || c.near_half != span_is(half, "near"))
            fail_msg("%.*s: %.*s%s", SPAN_FMT(text), SPAN_FMT(c.endpoint),
                     c.near_half ? ", the near half" : "");
        n++;
    }
    fclose(in);
    assert_in_range(n, 30, 1000);
}

static void the_rule_says_who_pays(void **state)
{
    static const struct {
        const char *rule, *account, *endpoint, *src, *pays;
    } cases[] = {
        {"accountcode, endpoint, src", "a", "e", "s", "a"},
        {"accountcode,endpoint,src", "", "e", "s", "e"},
        {"accountcode,endpoint,src", "", "", "s", "s"},
        {"accountcode,endpoint", "", "", "s", ""},
        {"src, accountcode", "a", "e", "s", "s"},
        {"endpoint", "a", "e", "s", "e"},
        {"endpoint", "a", "", "s", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cdr c = {.account = span_of(cases[i].account),
                        .endpoint = span_of(cases[i].endpoint),
                        .src = span_of(cases[i].src)};
        struct cdr_payer_rule rule;
        struct fault f;

        assert_int_equal(cdr_payer_rule_parse(&rule, span_of(cases[i].rule), &f), 0);
        assert_true(span_is(cdr_payer(&c, &rule, NULL), cases[i].pays));
    }
}

static void a_rule_that_is_none_is_told(void **state)
{
    static const struct {
        const char *rule, *says;
    } cases[] = {
        {"accountcode, name", "\"name\" names no account"},
        {"src,src", "src stands twice"},
        {"", "\"\" names no account"},
        {"src,", "\"\" names no account"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cdr_payer_rule rule = {.n = 77};
        struct fault f;

        assert_int_equal(cdr_payer_rule_parse(&rule, span_of(cases[i].rule), &f), ERR_SYNTAX);
        assert_non_null(strstr(f.text, cases[i].says));
        assert_int_equal(rule.n, 77);
    }
}

static void outcomes_have_names_and_statuses(void **state)
{
    static const struct {
        unsigned status;
        const char *name;
    } cases[] = {
        {200, "answered"},  {299, "answered"},  {302, "failed"},    {403, "failed"},
        {404, "failed"},    {408, "no-answer"}, {480, "no-answer"}, {486, "busy"},
        {487, "cancelled"}, {503, "failed"},    {600, "busy"},      {603, "failed"},
        {699, "failed"},    {700, "unknown"},   {180, "unknown"},   {0, "unknown"},
    };
    enum cdr_outcome back;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum cdr_outcome o = cdr_outcome_of_sip(cases[i].status);

        assert_string_equal(cdr_outcome_name(o), cases[i].name);
        assert_true(cdr_outcome_named(span_of(cases[i].name), &back) && back == o);
    }
    assert_true(cdr_outcome_named(SPAN("refused"), &back) && back == CDR_REFUSED);
    assert_false(cdr_outcome_named(SPAN("ANSWERED"), &back));
}

static void an_identity_is_of_the_call_alone(void **state)
{
    struct cdr a = {.id = SPAN("1795487582.0"),
                    .channel = SPAN("PJSIP/1001-00000000"),
                    .dialled = SPAN("0312345678"),
                    .start_ms = 1795487582000,
                    .sequence = -1};
    struct cdr b = a;
    uint8_t one[CDR_IDENTITY_SIZE], other[CDR_IDENTITY_SIZE];

    b.account = SPAN("1001");
    b.trunk = SPAN("trunk");
    cdr_identity(&a, one);
    cdr_identity(&b, other);
    assert_memory_equal(one, other, sizeof(one));
    /* A byte that moves from one part to the next. */
    b.id = SPAN("1795487582.0P");
    b.channel = SPAN("JSIP/1001-00000000");
    cdr_identity(&b, other);
    assert_memory_not_equal(one, other, sizeof(one));
    b = a;
    b.sequence = 0;
    cdr_identity(&b, other);
    assert_memory_not_equal(one, other, sizeof(one));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_have_endpoints_and_numbers),
        cmocka_unit_test(the_rule_says_who_pays),
        cmocka_unit_test(a_rule_that_is_none_is_told),
        cmocka_unit_test(outcomes_have_names_and_statuses),
        cmocka_unit_test(an_identity_is_of_the_call_alone),
    };

    channels_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
