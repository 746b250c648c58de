/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"

static void addresses_are_numeric_with_a_port(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:4573", "127.0.0.1:4573"},
        {"[::1]:4573", "[::1]:4573"},
        {"[2001:DB8:0::1]:65535", "[2001:db8::1]:65535"},
        {"[::ffff:192.0.2.1]:80", "192.0.2.1:80"},
        {"0.0.0.0:0", "0.0.0.0"},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:080", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.0.1:80 ", NULL},
        {"[127.0.0.1]:80", NULL},
        {"::1:4573", NULL},
        {"[::1]4573", NULL},
        {"[::1", NULL},
        {"localhost:4573", NULL},
        {"127.1:80", NULL},
        {"0127.0.0.1:80", NULL},
        {"[fe80::1%eth0]:80", NULL},
        {"", NULL},
    };
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct address address = {.family = 9};
        struct fault f;
        int err = address_parse(span_of(cases[i].in), &address, &f);

        assert_int_equal(err, cases[i].out ? 0 : ERR_SYNTAX);
        if (cases[i].out)
            assert_string_equal(address_text(&address, text), cases[i].out);
        else
            assert_int_equal(address.family, 9);
    }
}

static void networks_have_no_bits_behind_their_prefix(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.7", "192.0.2.7"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:db8::/32", "2001:db8::/32"},
        {"::1", "::1"},
        {"192.0.2.1/24", NULL},
        {"192.0.2.0/33", NULL},
        {"2001:db8::/129", NULL},
        {"192.0.2.0/", NULL},
        {"192.0.2.0/024", NULL},
        {"/24", NULL},
        {"10/8", NULL},
    };
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct network network;
        struct fault f;
        int err = network_parse(span_of(cases[i].in), &network, &f);

        assert_int_equal(err == 0, cases[i].out != NULL);
        if (cases[i].out)
            assert_string_equal(network_text(&network, text), cases[i].out);
    }
}

static void a_network_has_its_own_addresses_only(void **state)
{
    static const struct {
        const char *network, *address;
        bool has;
    } cases[] = {
        {"192.0.2.0/25", "192.0.2.127", true},
        {"192.0.2.0/25", "192.0.2.128", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "192.0.2.1", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct network network;
        struct address address;
        struct sockaddr_storage ss;

        assert_int_equal(network_parse(span_of(cases[i].network), &network, NULL), 0);
        assert_int_equal(address_parse_ip(span_of(cases[i].address), &address, NULL), 0);
        assert_int_equal(network_has(&network, &address), cases[i].has);
        address_to(&address, &ss);
        struct address back = address_of((struct sockaddr *)&ss);
        assert_int_equal(network_has(&network, &back), cases[i].has);
    }
}

static void loopback_is_known(void **state)
{
    static const struct {
        const char *address;
        bool loopback;
    } cases[] = {
        {"127.0.0.1", true},  {"127.9.9.9", true}, {"::1", true}, {"::ffff:127.0.0.1", true},
        {"128.0.0.1", false}, {"0.0.0.0", false},  {"::", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct address address;

        assert_int_equal(address_parse_ip(span_of(cases[i].address), &address, NULL), 0);
        assert_int_equal(address_is_loopback(&address), cases[i].loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_numeric_with_a_port),
        cmocka_unit_test(networks_have_no_bits_behind_their_prefix),
        cmocka_unit_test(a_network_has_its_own_addresses_only),
        cmocka_unit_test(loopback_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
