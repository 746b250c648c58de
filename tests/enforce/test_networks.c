/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "enforce/networks.h"

static struct networks list, again;
static struct networks_range ranges[NETWORKS_RANGES_MAX];

static struct network net(const char *text)
{
    struct network network;

    assert_int_equal(network_parse(span_of(text), &network, NULL), 0);
    return network;
}

static const struct {
    const char *in;  /* NETWORK=END ... */
    const char *out; /* FIRST-LAST=END ... */
} drawn[] = {
    {"", ""},
    {"192.0.2.1=5", "192.0.2.1-192.0.2.1=5"},
    {"192.0.2.0/24=5", "192.0.2.0-192.0.2.255=5"},
    /* What lies within and ends earlier says nothing. */
    {"192.0.2.0/24=5 192.0.2.8/29=3", "192.0.2.0-192.0.2.255=5"},
    {"192.0.2.0/24=5 192.0.2.8/29=9",
     "192.0.2.0-192.0.2.7=5 192.0.2.8-192.0.2.15=9 192.0.2.16-192.0.2.255=5"},
    {"192.0.2.0/24=5 192.0.2.0/25=9", "192.0.2.0-192.0.2.127=9 192.0.2.128-192.0.2.255=5"},
    {"192.0.2.0/24=5 192.0.2.128/25=9", "192.0.2.0-192.0.2.127=5 192.0.2.128-192.0.2.255=9"},
    {"192.0.2.0/24=5 192.0.2.0/25=9 192.0.2.64/26=7",
     "192.0.2.0-192.0.2.127=9 192.0.2.128-192.0.2.255=5"},
    {"192.0.2.0/24=5 192.0.2.0/25=7 192.0.2.64/26=9",
     "192.0.2.0-192.0.2.63=7 192.0.2.64-192.0.2.127=9 192.0.2.128-192.0.2.255=5"},
    /* Neighbours of one end are one range. */
    {"192.0.2.0/25=5 192.0.2.128/25=5 192.0.3.0/24=6",
     "192.0.2.0-192.0.2.255=5 192.0.3.0-192.0.3.255=6"},
    {"0.0.0.0/0=1 255.255.255.255=2",
     "0.0.0.0-255.255.255.254=1 255.255.255.255-255.255.255.255=2"},
    {"0.0.0.0/0=2 255.255.255.255=1", "0.0.0.0-255.255.255.255=2"},
    {"::/0=1 ffff::/16=2", "::-fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff=1 "
                           "ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff=2"},
    {"2001:db8::/32=1 2001:db8:ffff::/48=1", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff=1"},
};

static void fill(const char *in)
{
    char text[64];
    long end;
    int n;

    list.n = 0;
    for (; sscanf(in, " %63[^=]=%ld%n", text, &end, &n) == 2; in += n) {
        struct network network = net(text);

        assert_int_equal(networks_add(&list, &network, end), 0);
    }
}

static void print_ranges(struct buf *out, size_t n, uint8_t family)
{
    for (size_t i = 0; i < n; i++) {
        struct address first = {.family = family}, last = {.family = family};
        char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX];

        memcpy(first.ip, ranges[i].first, 16);
        memcpy(last.ip, ranges[i].last, 16);
        buf_printf(out, "%s%s-%s=%ld", i ? " " : "", address_text(&first, a),
                   address_text(&last, b), (long)ranges[i].end_ms);
    }
}

static void ranges_do_not_overlap_and_last_as_long_as_the_longest(void **state)
{
    for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
        struct buf out = {0};

        fill(drawn[i].in);
        buf_puts(&out, "");
        print_ranges(&out, networks_draw(&list, ranges), list.of[0].network.family);
        assert_string_equal(out.p ? out.p : "", drawn[i].out);
        buf_free(&out);
    }
}

static void ranges_become_networks_and_the_same_ranges(void **state)
{
    for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++) {
        struct buf out = {0};

        fill(drawn[i].in);
        size_t n = networks_draw(&list, ranges);

        again.n = 0;
        for (size_t k = 0; k < n; k++)
            assert_int_equal(networks_add_range(&again, list.of[0].network.family, &ranges[k]), 0);
        buf_puts(&out, "");
        print_ranges(&out, networks_draw(&again, ranges), list.of[0].network.family);
        assert_string_equal(out.p ? out.p : "", drawn[i].out);
        buf_free(&out);
    }
}

/* The end of one address, by asking each network. */
static int64_t end_of(uint8_t last_byte)
{
    struct address address = {.family = 4, .ip = {10, 0, 0, last_byte}};
    int64_t end = 0;

    for (size_t i = 0; i < list.n; i++)
        if (network_has(&list.of[i].network, &address) && list.of[i].end_ms > end)
            end = list.of[i].end_ms;
    return end;
}

static void random_lists_are_drawn_as_asked_one_address_after_another(void **state)
{
    srand(1);
    for (int round = 0; round < 3000; round++) {
        list.n = 0;
        for (int i = rand() % 12; i > 0; i--) {
            struct network network = {4, (uint8_t)(24 + rand() % 9), {10, 0, 0, (uint8_t)rand()}};

            network.ip[3] &= (uint8_t)(0xff << (32 - network.bits));
            networks_add(&list, &network, 1 + rand() % 4);
        }
        size_t n = networks_draw(&list, ranges);

        assert_true(n <= 2 * list.n);
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t ip[16] = {10, 0, 0, (uint8_t)byte};
            int64_t end = 0;
            unsigned found = 0;

            for (size_t i = 0; i < n; i++) {
                if (memcmp(ranges[i].first, ip, 16) <= 0 && memcmp(ip, ranges[i].last, 16) <= 0) {
                    end = ranges[i].end_ms;
                    found++;
                }
            }
            assert_true(found <= 1 && end == end_of((uint8_t)byte));
        }
    }
}

static void a_list_is_bounded_and_forgets(void **state)
{
    struct network network = {4, 32, {10}};

    list.n = 0;
    for (unsigned i = 0; i < NETWORKS_MAX; i++) {
        network.ip[2] = (uint8_t)(i >> 8);
        network.ip[3] = (uint8_t)i;
        assert_int_equal(networks_add(&list, &network, 100 + i % 2), 0);
        assert_int_equal(networks_add(&list, &network, 100 + i % 2), 0);
    }
    network.ip[1] = 1;
    assert_int_equal(networks_add(&list, &network, 1), ERR_FULL);
    assert_int_equal(networks_draw(&list, ranges), NETWORKS_MAX);
    assert_false(networks_remove(&list, &network));
    assert_false(networks_expire(&list, 99));
    assert_true(networks_expire(&list, 100));
    assert_int_equal(list.n, NETWORKS_MAX / 2);
    network = net("10.0.0.1");
    assert_true(networks_cover(&list, &network));
    assert_true(networks_remove(&list, &network));
    assert_false(networks_cover(&list, &network));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_do_not_overlap_and_last_as_long_as_the_longest),
        cmocka_unit_test(ranges_become_networks_and_the_same_ranges),
        cmocka_unit_test(random_lists_are_drawn_as_asked_one_address_after_another),
        cmocka_unit_test(a_list_is_bounded_and_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
