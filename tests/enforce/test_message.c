/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "enforce/message.h"

static struct network net(const char *text)
{
    struct network network;

    assert_int_equal(network_parse(span_of(text), &network, NULL), 0);
    return network;
}

static struct enforce_message read_back(struct enforce_writer *w)
{
    struct enforce_message m;
    struct fault f = {0};

    if (enforce_message_read(&m, enforce_written(w), &f) != 0)
        fail_msg("%s", f.text);
    return m;
}

static void bytes_are_as_documented(void **state)
{
    static const uint8_t want[] = {
        1, 1,  0, 1, 0,   0, 0,    40,   0, 0, 0x30, 0x39,                         /* header */
        4, 24, 1, 0, 192, 0, 2,    0,    0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0, /* network */
        0, 0,  0, 0, 0,   0, 0xea, 0x60,                                           /* 60,000 ms */
    };
    static struct enforce_writer w;
    struct enforce_ban ban = {net("192.0.2.0/24"), ENFORCE_EVERYTHING, 60000};

    enforce_write(&w, ENFORCE_BAN, 12345);
    enforce_write_ban(&w, &ban);
    struct span got = enforce_written(&w);

    assert_int_equal(got.n, sizeof(want));
    assert_memory_equal(got.p, want, sizeof(want));
}

static void every_record_comes_back(void **state)
{
    static struct enforce_writer w;
    struct enforce_ban ban = {net("2001:db8::/48"), ENFORCE_SIP, ENFORCE_LEFT_MAX};
    struct network network = net("2001:db8::1");
    enum enforce_scope scope;
    struct enforce_message m;

    enforce_write(&w, ENFORCE_HELD, 7);
    for (int i = 0; i < ENFORCE_RECORDS_MAX; i++)
        enforce_write_ban(&w, &ban);
    m = read_back(&w);
    assert_int_equal(m.sequence, 7);
    assert_int_equal(m.count, ENFORCE_RECORDS_MAX);
    struct enforce_ban got = enforce_message_ban(&m, ENFORCE_RECORDS_MAX - 1);

    assert_memory_equal(&got.network, &ban.network, sizeof(ban.network));
    assert_true(got.left_ms == ENFORCE_LEFT_MAX && got.scope == ENFORCE_SIP);

    enforce_write(&w, ENFORCE_UNBAN, 8);
    enforce_write_network(&w, &network, ENFORCE_EVERYTHING);
    m = read_back(&w);
    struct network got_network = enforce_message_network(&m, 0, &scope);

    assert_memory_equal(&got_network, &network, sizeof(network));
    assert_int_equal(scope, ENFORCE_EVERYTHING);

    enforce_write(&w, ENFORCE_PORTS, 9);
    enforce_write_port(&w, (struct enforce_port){IPPROTO_SCTP, 65535});
    m = read_back(&w);
    assert_int_equal(enforce_message_port(&m, 0).protocol, IPPROTO_SCTP);
    assert_int_equal(enforce_message_port(&m, 0).port, 65535);

    enforce_write(&w, ENFORCE_DONE, 10);
    enforce_write_failure(&w, (struct enforce_failure){1023, ENFORCE_KERNEL, 28});
    m = read_back(&w);
    assert_int_equal(enforce_message_failure(&m, 0).index, 1023);
    assert_int_equal(enforce_message_failure(&m, 0).why, ENFORCE_KERNEL);
    assert_int_equal(enforce_message_failure(&m, 0).error, 28);

    enforce_write(&w, ENFORCE_COUNTS, 11);
    enforce_write_count(&w, (struct enforce_count){ENFORCE_COUNT_EVERY_NETS, UINT64_MAX, 1});
    m = read_back(&w);
    assert_int_equal(enforce_message_counted(&m, 0).counter, ENFORCE_COUNT_EVERY_NETS);
    assert_true(enforce_message_counted(&m, 0).packets == UINT64_MAX &&
                enforce_message_counted(&m, 0).bytes == 1);

    enforce_write(&w, ENFORCE_READY, 0);
    enforce_write_state(&w, (struct enforce_state){true, 8});
    m = read_back(&w);
    assert_true(enforce_message_state(&m).stood && enforce_message_state(&m).sockets == 8);

    enforce_write(&w, ENFORCE_HELD_END, 0);
    enforce_write_end(&w, (struct enforce_end){true, 1000000});
    m = read_back(&w);
    assert_true(enforce_message_end(&m).interrupted && enforce_message_end(&m).records == 1000000);

    enforce_write(&w, ENFORCE_DISTURBED, 0);
    enforce_write_disturbance(&w, ENFORCE_SETS_CHANGED);
    m = read_back(&w);
    assert_int_equal(enforce_message_disturbance(&m), ENFORCE_SETS_CHANGED);

    enforce_write(&w, ENFORCE_ERROR, 0);
    enforce_write_text(&w, "no");
    m = read_back(&w);
    assert_true(span_is(enforce_message_text(&m), "no"));
}

static void a_mapped_network_is_read_as_IPv4(void **state)
{
    static const struct {
        uint8_t bits, family, as;
    } cases[] = {{128, 4, 32}, {120, 4, 24}, {96, 4, 0}, {95, 6, 95}, {80, 6, 80}};
    static struct enforce_writer w;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct network network = {
            .family = 6, .bits = cases[i].bits, .ip = {[10] = 0xff, [11] = 0xff}};
        enum enforce_scope scope;

        if (cases[i].bits == 128)
            network.ip[15] = 9;
        if (cases[i].bits == 95)
            network.ip[11] = 0xfe;
        if (cases[i].bits == 80)
            network.ip[10] = network.ip[11] = 0;
        enforce_write(&w, ENFORCE_UNBAN, 1);
        enforce_write_network(&w, &network, ENFORCE_SIP);
        struct enforce_message m = read_back(&w);
        struct network got = enforce_message_network(&m, 0, &scope);

        assert_int_equal(got.family, cases[i].family);
        assert_int_equal(got.bits, cases[i].as);
        assert_int_equal(got.ip[3], cases[i].bits == 128 ? 9 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_as_documented),
        cmocka_unit_test(every_record_comes_back),
        cmocka_unit_test(a_mapped_network_is_read_as_IPv4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
