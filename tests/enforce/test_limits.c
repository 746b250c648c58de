/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "enforce/limits.h"

static struct limits limits;

static const struct {
    const char *file, *ban;
    enum enforce_refusal why;
} bans[] = {
    {"", "192.0.2.1", 0},
    {"", "10.0.0.0/16", 0},
    {"", "10.0.0.0/15", ENFORCE_TOO_WIDE},
    {"", "0.0.0.0/0", ENFORCE_TOO_WIDE},
    {"", "2001:db8::/32", 0},
    {"", "2001:db8::/31", ENFORCE_TOO_WIDE},
    {"ceiling ipv4 24\nceiling ipv6 48", "10.0.0.0/23", ENFORCE_TOO_WIDE},
    {"ceiling ipv4 24\nceiling ipv6 48", "10.0.0.0/24", 0},
    {"ceiling ipv4 24\nceiling ipv6 48", "2001:db8::/47", ENFORCE_TOO_WIDE},
    {"192.0.2.1 # the office\n\n  # nothing\n\t2001:db8::/32  \n", "192.0.2.1", ENFORCE_IS_NEVER},
    {"192.0.2.1 # the office\n\n  # nothing\n\t2001:db8::/32  \n", "192.0.2.2", 0},
    {"192.0.2.1 # the office\n\n  # nothing\n\t2001:db8::/32  \n", "2001:db8:1::/48",
     ENFORCE_IS_NEVER},
    {"::ffff:192.0.2.1", "192.0.2.1", ENFORCE_IS_NEVER},
    {"0.0.0.0/0", "192.0.2.1", ENFORCE_IS_NEVER},
    /* A network with a trusted host in it: the kernel lets the host pass first. */
    {"192.0.2.1", "192.0.2.0/24", 0},
};

static void bans_are_refused_by_what_the_file_says(void **state)
{
    for (size_t i = 0; i < sizeof(bans) / sizeof(bans[0]); i++) {
        struct network network;
        struct fault f = {0};

        limits_init(&limits);
        if (limits_read(&limits, span_of(bans[i].file), &f) != 0)
            fail_msg("%s", f.text);
        assert_int_equal(network_parse(span_of(bans[i].ban), &network, NULL), 0);
        if (limits_refuse_ban(&limits, &network) != bans[i].why)
            fail_msg("%s under \"%s\"", bans[i].ban, bans[i].file);
    }
}

static void what_is_no_line_is_refused_with_its_number(void **state)
{
    static const struct {
        const char *file, *says;
    } files[] = {
        {"192.0.2.1\nwww.example.com", "line 2: \"www.example.com\""},
        {"192.0.2.1/24", "line 1: \"192.0.2.1/24\" has bits"},
        {"ceiling ipv4 15", "line 1: ceiling \"15\"; allowed is 16 to 32"},
        {"ceiling ipv6 129", "line 1: ceiling \"129\"; allowed is 32 to 128"},
        {"ceiling ipv6 ", "line 1: \"ceiling ipv6\""},
        {"never-port 0", "line 1: never-port \"0\""},
        {"never-port 65536", "line 1: never-port \"65536\""},
        {"192.0.2.1 192.0.2.2", "line 1: "},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct fault f = {0};

        limits_init(&limits);
        assert_true(limits_read(&limits, span_of(files[i].file), &f) < 0);
        if (strncmp(f.text, files[i].says, strlen(files[i].says)) != 0)
            fail_msg("%s: %s", files[i].file, f.text);
    }
}

static void some_ports_stay_open(void **state)
{
    struct fault f;

    limits_init(&limits);
    assert_int_equal(limits_read(&limits, SPAN("never-port 2222\n"), &f), 0);
    assert_int_equal(limits_refuse_port(&limits, (struct enforce_port){IPPROTO_UDP, 5060}), 0);
    assert_int_equal(limits_refuse_port(&limits, (struct enforce_port){IPPROTO_TCP, 22}),
                     ENFORCE_NOT_PORT);
    assert_int_equal(limits_refuse_port(&limits, (struct enforce_port){IPPROTO_TCP, 2222}),
                     ENFORCE_NOT_PORT);
    assert_int_equal(limits_refuse_port(&limits, (struct enforce_port){IPPROTO_UDP, 0}),
                     ENFORCE_NOT_PORT);
}

/* Who cannot write the file cannot take off what it has. */
static void what_a_message_put_on_never_ban_goes_and_what_the_file_has_stays(void **state)
{
    struct network file, asked, wide;
    struct networks both;
    struct fault f;

    limits_init(&limits);
    assert_int_equal(limits_read(&limits, SPAN("192.0.2.1\n"), &f), 0);
    assert_int_equal(network_parse(SPAN("192.0.2.1"), &file, NULL), 0);
    assert_int_equal(network_parse(SPAN("198.51.100.0/24"), &asked, NULL), 0);
    assert_int_equal(network_parse(SPAN("10.0.0.0/8"), &wide, NULL), 0);
    assert_int_equal(limits_trust_asked(&limits, &wide), ENFORCE_TOO_WIDE);
    assert_int_equal(limits_trust_asked(&limits, &file), 0);
    assert_int_equal(limits_trust_asked(&limits, &asked), 0);
    limits_never(&limits, 4, &both);
    assert_int_equal(both.n, 2);
    assert_int_equal(limits_refuse_ban(&limits, &asked), ENFORCE_IS_NEVER);

    limits_untrust_asked(&limits);
    limits_never(&limits, 4, &both);
    assert_int_equal(both.n, 1);
    assert_int_equal(limits_refuse_ban(&limits, &asked), 0);
    assert_int_equal(limits_refuse_ban(&limits, &file), ENFORCE_IS_NEVER);
}

static void both_lists_together_have_room(void **state)
{
    struct network network = {.family = 4, .bits = 32, .ip = {192, 0, 2, 1}};
    struct networks both;

    limits_init(&limits);
    assert_int_equal(limits_trust(&limits, &network), 0);
    network.ip[0] = 198;
    for (unsigned i = 0; i < NETWORKS_MAX; i++) {
        network.ip[2] = (uint8_t)(i >> 8);
        network.ip[3] = (uint8_t)i;
        assert_int_equal(limits_trust_asked(&limits, &network),
                         i + 1 < NETWORKS_MAX ? 0 : ENFORCE_NO_ROOM);
    }
    limits_never(&limits, 4, &both);
    assert_int_equal(both.n, NETWORKS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bans_are_refused_by_what_the_file_says),
        cmocka_unit_test(what_is_no_line_is_refused_with_its_number),
        cmocka_unit_test(some_ports_stay_open),
        cmocka_unit_test(what_a_message_put_on_never_ban_goes_and_what_the_file_has_stays),
        cmocka_unit_test(both_lists_together_have_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
