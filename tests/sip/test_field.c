/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sip/field.h"
#include "sip/message.h"
#include "sip/scan.h"
#include "sip/via.h"

static void check(struct span got, const char *wanted)
{
    if (!span_is(got, wanted))
        fail_msg("wanted \"%s\", got \"%s\"", wanted, ESCAPED(got));
}

/* The elements, each in brackets. */
static void a_list_has_elements(void **state)
{
    static const struct {
        const char *list, *elements[4];
    } cases[] = {
        {"", {NULL}},
        {" , ,", {NULL}},
        {"a", {"a"}},
        {" a ,b,, c\r\n ,", {"a", "b", "c"}},
        {"\"a,b\" <sip:c,d>;e,f", {"\"a,b\" <sip:c,d>;e", "f"}},
        {"\"a\\\",b\",c", {"\"a\\\",b\"", "c"}},
        {"\"a,b", {"\"a,b"}},
        {"<a,b", {"<a,b"}},
        {"a\",\\", {"a\",\\"}},
        {"<\">,\"", {"<\">", "\""}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span list = span_of(cases[i].list), element;

        for (size_t k = 0; cases[i].elements[k]; k++) {
            assert_true(field_next(&list, &element));
            check(element, cases[i].elements[k]);
        }
        assert_false(field_next(&list, &element));
    }
}

static void parameters_keep_their_quotes(void **state)
{
    struct span params = SPAN(" a = \"x;y\" ;; B;c=<d;\r\n e=\"f;"), name, value;

    assert_true(field_next_param(&params, &name, &value));
    check(name, "a");
    check(value, "\"x;y\"");
    assert_true(field_next_param(&params, &name, &value));
    check(name, "B");
    assert_null(value.p);
    assert_true(field_next_param(&params, &name, &value));
    check(value, "<d");
    assert_true(field_next_param(&params, &name, &value));
    check(name, "e");
    check(value, "\"f;");
    assert_false(field_next_param(&params, &name, &value));

    assert_int_equal(field_param(SPAN("a=1;tag=2;Tag=3"), SPAN("tag"), &value), 2);
    check(value, "2");
    assert_int_equal(field_param(SPAN("a=1"), SPAN("tag"), &value), 0);
    check(value, "2");
}

static void a_fold_is_one_space(void **state)
{
    static const struct {
        const char *folded, *plain;
    } cases[] = {
        {"a\r\n b", "a b"},       {"a \t\r\n\t b", "a b"}, {"a\n b", "a b"}, {"a  b", "a  b"},
        {"a\tb\r\n c", "a\tb c"}, {"a\rb", "a\rb"},        {"", ""},
    };
    char out[32];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span folded = span_of(cases[i].folded), plain = span_of(cases[i].plain);

        check((struct span){out, field_unfold(folded, out)}, cases[i].plain);
        assert_true(field_eq(folded, plain));
        assert_true(field_eq(plain, folded));
        assert_false(field_eq(folded, SPAN("a b c")));
    }
    assert_false(field_eq(SPAN("a"), SPAN("a ")));
}

static void quoted_pairs_are_undone(void **state)
{
    char out[32];
    size_t n = 99;

    assert_int_equal(field_unquote(SPAN("a\\\"b\\\\\r\n c"), out, &n), 0);
    check((struct span){out, n}, "a\"b\\ c");
    assert_int_equal(field_unquote(SPAN("a\\"), out, &n), ERR_SYNTAX);
    assert_int_equal(n, 6);
    assert_int_equal(field_quoted(SPAN("\"a\\\"b\"c")), 6);
    assert_int_equal(field_quoted(SPAN("\"a\\\"")), 0);
    assert_int_equal(field_quoted(SPAN("\"a\\")), 0);
}

static void numbers_have_a_bound(void **state)
{
    uint32_t v = 7;

    assert_int_equal(field_number(SPAN("0068"), 255, &v), 0);
    assert_int_equal(v, 68);
    assert_int_equal(field_number(SPAN("4294967295"), UINT32_MAX, &v), 0);
    assert_int_equal(v, UINT32_MAX);
    assert_int_equal(field_number(SPAN("4294967296"), UINT32_MAX, &v), ERR_RANGE);
    assert_int_equal(field_number(SPAN("256"), 255, &v), ERR_RANGE);
    assert_int_equal(field_number(SPAN("99999999999999999999999999"), 255, &v), ERR_RANGE);
    assert_int_equal(field_number(SPAN("999x"), 255, &v), ERR_SYNTAX);
    assert_int_equal(field_number(SPAN(""), 255, &v), ERR_SYNTAX);
    assert_int_equal(field_number(SPAN("+1"), 255, &v), ERR_SYNTAX);
    assert_int_equal(v, UINT32_MAX);
}

/* Wherever a byte stands, and however long the text is. */
static void scanning_finds_the_first(void **state)
{
    char text[64];

    for (size_t n = 0; n < sizeof(text); n++) {
        for (size_t at = 0; at <= n; at++) {
            memset(text, '\t', sizeof(text));
            memset(text + n / 2, '\xff', sizeof(text) - n / 2);
            if (at < sizeof(text))
                text[at] = '\0';
            assert_ptr_equal(scan_control(text, text + n), text + at);
            assert_ptr_equal(scan_either(text, text + n, '\0', '\0'), text + at);
            assert_ptr_equal(scan_either(text, text + n, 'x', '\0'), text + at);
        }
    }
}

/* The same whether or not 16 bytes may be read there. */
static enum sip_header find(struct span name)
{
    char text[48];

    memset(text, 'x', sizeof(text));
    memcpy(text, name.p, name.n);
    enum sip_header h = sip_header_find((struct span){text, name.n}, text + sizeof(text));

    assert_int_equal(sip_header_find(name, name.p + name.n), h);
    return h;
}

/* Each name in any case; with any one byte changed, it is another. */
static void header_names_are_found(void **state)
{
    for (enum sip_header h = SIP_H_VIA; h < SIP_HEADERS; h++) {
        struct span name = span_of(sip_header_name(h));
        char other[32];

        assert_int_equal(find(name), h);
        for (size_t i = 0; i < name.n; i++)
            other[i] = (char)(name.p[i] >= 'A' ? name.p[i] ^ 0x20 : name.p[i]);
        assert_int_equal(find((struct span){other, name.n}), h);
        for (size_t i = 0; i < name.n; i++) {
            memcpy(other, name.p, name.n);
            other[i] = '_';
            assert_int_equal(find((struct span){other, name.n}), SIP_H_OTHER);
        }
        assert_int_equal(find(span_skip(name, 1)), SIP_H_OTHER);
    }
    for (unsigned c = 0; c < 256; c++) {
        char letter = (char)c;
        bool known = c && strchr("vftimlckrbVFTIMLCKRB", (int)c);

        assert_int_equal(find((struct span){&letter, 1}) != SIP_H_OTHER, known);
    }
    assert_int_equal(find(SPAN("")), SIP_H_OTHER);
}

static void methods_are_found(void **state)
{
    bool exact;

    for (enum sip_method m = SIP_REGISTER; m <= SIP_PUBLISH; m++) {
        assert_int_equal(sip_method_find(span_of(sip_method_name(m)), &exact), m);
        assert_true(exact);
    }
    assert_int_equal(sip_method_find(SPAN("Invite"), &exact), SIP_INVITE);
    assert_false(exact);
    assert_int_equal(sip_method_find(SPAN("INVITES"), &exact), SIP_OTHER);
    assert_true(exact);
    assert_int_equal(sip_method_find(SPAN(""), &exact), SIP_OTHER);
}

static void a_message_has_bounds(void **state)
{
    static char big[SIP_MESSAGE_MAX + 1];
    static const char head[] = "OPTIONS sip:h SIP/2.0\r\nv: SIP/2.0/UDP h\r\n";
    struct sip_message m;
    size_t n = sizeof(head) - 1, via = 0;
    struct sip_values vias;
    struct span value;

    memset(big, '\n', sizeof(big));
    memcpy(big, head, n);
    assert_int_equal(sip_message_read(&m, (struct span){big, sizeof(big)}), ERR_RANGE);
    assert_int_equal(sip_message_read(&m, (struct span){big, sizeof(big) - 1}), 0);
    assert_int_equal(m.body.n, sizeof(big) - 2 - n);
    for (size_t i = 1; i < SIP_HEADERS_MAX; i++, n += 4)
        memcpy(big + n, "v:a\n", 4);
    assert_int_equal(sip_message_read(&m, (struct span){big, sizeof(big) - 1}), 0);
    assert_false(m.faults & SIP_TOO_MANY);
    memcpy(big + n, "v:b\n", 4);
    assert_int_equal(sip_message_read(&m, (struct span){big, sizeof(big) - 1}), 0);
    assert_true(m.faults & SIP_TOO_MANY);
    for (vias = sip_values(&m, SIP_H_VIA); sip_values_next(&vias, &value); via++)
        check(value, via == SIP_HEADERS_MAX ? "b" : via ? "a" : "SIP/2.0/UDP h");
    assert_int_equal(via, SIP_HEADERS_MAX + 1);
}

static void options_are_found_in_lists(void **state)
{
    struct sip_message m;

    assert_int_equal(
        sip_message_read(&m, SPAN("SIP/2.0 200 OK\r\nk: a, b\r\nSupported: Path\r\n\r\n")), 0);
    assert_true(sip_message_lists(&m, SIP_H_SUPPORTED, SPAN("b")));
    assert_true(sip_message_lists(&m, SIP_H_SUPPORTED, SPAN("path")));
    assert_false(sip_message_lists(&m, SIP_H_SUPPORTED, SPAN("c")));
    assert_false(sip_message_lists(&m, SIP_H_REQUIRE, SPAN("a")));
}

static void a_branch_may_be_magic(void **state)
{
    assert_true(via_branch_is_magic(SPAN("z9hG4bK1")));
    assert_true(via_branch_is_magic(SPAN("Z9HG4BK")));
    assert_false(via_branch_is_magic(SPAN("z9hG4b")));
    assert_false(via_branch_is_magic((struct span){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_elements),    cmocka_unit_test(parameters_keep_their_quotes),
        cmocka_unit_test(a_fold_is_one_space),    cmocka_unit_test(quoted_pairs_are_undone),
        cmocka_unit_test(numbers_have_a_bound),   cmocka_unit_test(scanning_finds_the_first),
        cmocka_unit_test(header_names_are_found), cmocka_unit_test(methods_are_found),
        cmocka_unit_test(a_message_has_bounds),   cmocka_unit_test(options_are_found_in_lists),
        cmocka_unit_test(a_branch_may_be_magic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
