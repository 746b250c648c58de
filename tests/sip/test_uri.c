/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sip/uri.h"

struct parts {
    const char *in;
    enum uri_scheme scheme;
    const char *user, *user_params, *password, *host;
    unsigned port;
    const char *params, *headers;
};

static const struct parts uris[] = {
    {"sip:110@h", URI_SIP, "110", "", "", "h", 0, "", ""},
    {"SIPS:a%20b@Example.JP:5061", URI_SIPS, "a%20b", "", "", "Example.JP", 5061, "", ""},
    {"sip:h", URI_SIP, "", "", "", "h", 0, "", ""},
    {"sip:h;lr?a=b", URI_SIP, "", "", "", "h", 0, "lr", "a=b"},
    {"sip:u:p:q@h", URI_SIP, "u", "", "p:q", "h", 0, "", ""},
    {"sip:1;phone-context=+81;x@h;user=phone", URI_SIP, "1", "phone-context=+81;x", "", "h", 0,
     "user=phone", ""},
    {"sip:1@[2001:db8::1]:5060;transport=tcp?To=x@y", URI_SIP, "1", "", "", "[2001:db8::1]", 5060,
     "transport=tcp", "To=x@y"},
    {"sip:1@192.0.2.1", URI_SIP, "1", "", "", "192.0.2.1", 0, "", ""},
    {"tel:+81-3-1234-5678;ext=9", URI_TEL, "+81-3-1234-5678", "ext=9", "", "", 0, "", ""},
    {"Tel:110", URI_TEL, "110", "", "", "", 0, "", ""},
};

static void check_span(struct span got, const char *wanted)
{
    if (!span_is(got, wanted))
        fail_msg("wanted \"%s\", got \"%s\"", wanted, ESCAPED(got));
}

static void a_uri_falls_into_its_parts(void **state)
{
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        const struct parts *want = &uris[i];
        struct fault f = {0};
        struct uri u;

        if (uri_parse(&u, span_of(want->in), &f))
            fail_msg("%s: %s", want->in, f.text);
        assert_int_equal(u.scheme, want->scheme);
        check_span(u.user, want->user);
        check_span(u.user_params, want->user_params);
        check_span(u.password, want->password);
        check_span(u.host, want->host);
        assert_int_equal(u.port, want->port);
        check_span(u.params, want->params);
        check_span(u.headers, want->headers);
    }
}

static void what_is_no_uri_is_refused(void **state)
{
    static const char *const wrong[] = {"",          "sip:",        "sip:@h",        "sip:u@",
                                        "sip:u@h:",  "sip:u@h:0",   "sip:u@h:65536", "sip:u@h:x",
                                        "sip:u@h@i", "sip:u@h h",   "sip:u@[::1",    "sip:u@[::1]x",
                                        "sip:u@a_b", "http://h",    "tel:",          "tel:;x=y",
                                        "sip:u<@h",  "sip:\"u\"@h", "sip:u\r@h",     "sip",
                                        "sip:u@h/x", "sip:u@%41"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fault f = {0};
        struct uri u;

        if (uri_parse(&u, span_of(wrong[i]), &f) != ERR_SYNTAX)
            fail_msg("%s is accepted", wrong[i]);
        assert_true(f.text[0] != '\0');
    }
}

static void a_name_addr_has_a_name_and_parameters(void **state)
{
    static const struct {
        const char *in, *display, *user, *params;
    } cases[] = {
        {"sip:1@h;lr", "", "1", ""},
        {"<sip:1@h;lr>;tag=x", "", "1", "tag=x"},
        {"Ann <sip:1@h>", "Ann", "1", ""},
        {"\"A \\\" <b>\" <sip:1@h> ; tag=x", "\"A \\\" <b>\"", "1", " tag=x"},
        {" \"x\"<tel:1> ", "\"x\"", "1", ""},
    };
    static const char *const wrong[] = {
        "<sip:1@h", "\"x <sip:1@h>", "\"x\" sip:1@h", "<sip:1@h>x", "x", "<>", "<x>", "\"x\""};
    struct name_addr a;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(name_addr_parse(&a, span_of(cases[i].in), NULL), 0);
        check_span(a.display, cases[i].display);
        check_span(a.uri.user, cases[i].user);
        check_span(a.params, cases[i].params);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (name_addr_parse(&a, span_of(wrong[i]), NULL) != ERR_SYNTAX)
            fail_msg("%s is accepted", wrong[i]);
}

static bool accepts(const char *front, char byte, size_t at, size_t n)
{
    char text[64], exact[64];
    size_t before = strlen(front);
    struct uri u;

    memset(text, 'a', sizeof(text));
    memcpy(text, front, before);
    text[before + at] = byte;
    /* Nothing stands behind it: what reads on is seen by a sanitizer. */
    char *behind = exact + sizeof(exact) - (before + n);

    memcpy(behind, text, before + n);
    return uri_parse(&u, (struct span){behind, before + n}, NULL) == 0;
}

/* Hosts and user parts of any length, with any byte in any place. */
static void each_byte_is_looked_at(void **state)
{
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

    for (size_t n = 1; n < 40; n++) {
        for (unsigned c = 0; c < 256; c++) {
            bool odd = c < 0x20 || c == 0x7f || (c && strchr("\"<>\\", (int)c));

            for (size_t at = 1; at < n; at++)
                if (!strchr("@:;?", (int)c) &&
                    accepts("sip:1@", (char)c, at, n) != (c && strchr(host, (int)c)))
                    fail_msg("byte %u at %zu of a host of %zu", c, at, n);
            for (size_t at = 1; at < n; at++)
                if (accepts("tel:", (char)c, at, n) == odd)
                    fail_msg("byte %u at %zu of a number of %zu", c, at, n);
        }
    }
}

static void parameters_come_one_by_one(void **state)
{
    struct span params = SPAN("a=1;;b; c = d ;=e"), name, value;

    assert_true(uri_next_param(&params, &name, &value));
    check_span(name, "a");
    check_span(value, "1");
    assert_true(uri_next_param(&params, &name, &value));
    check_span(name, "b");
    assert_null(value.p);
    assert_true(uri_next_param(&params, &name, &value));
    check_span(name, "c");
    check_span(value, "d");
    assert_true(uri_next_param(&params, &name, &value));
    check_span(name, "");
    check_span(value, "e");
    assert_false(uri_next_param(&params, &name, &value));
}

static void escapes_are_undone_once(void **state)
{
    char out[16];
    size_t n = 99;

    assert_int_equal(uri_unescape(SPAN("%30%2531"), out, &n), 0);
    check_span((struct span){out, n}, "0%31");
    assert_int_equal(uri_unescape(SPAN("a%2b%2B"), out, &n), 0);
    check_span((struct span){out, n}, "a++");
    assert_int_equal(uri_unescape(SPAN("%"), out, &n), ERR_SYNTAX);
    assert_int_equal(uri_unescape(SPAN("%3"), out, &n), ERR_SYNTAX);
    assert_int_equal(uri_unescape(SPAN("%3g"), out, &n), ERR_SYNTAX);
    assert_int_equal(n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_falls_into_its_parts),
        cmocka_unit_test(what_is_no_uri_is_refused),
        cmocka_unit_test(a_name_addr_has_a_name_and_parameters),
        cmocka_unit_test(each_byte_is_looked_at),
        cmocka_unit_test(parameters_come_one_by_one),
        cmocka_unit_test(escapes_are_undone_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
