/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HEP over a real socket, and whose word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* clang-format off: cmocka.h needs the four above */
#include <cmocka.h>
/* clang-format on */

#include <sys/socket.h>
#include <unistd.h>

#include "craft.h"
#include "intake/hep.h"

static struct buf out;
static struct hep_peer peers[2];

static void give(void *context, const struct attempt *a)
{
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(a->witness, WITNESS_HEP);
    buf_printf(&out, "%d %s %s %s %s\n", (int)a->switch_id, outcome_name(a->outcome),
               proof_name(a->proof), transport_name(a->transport),
               address_ip_text(&a->source, text));
}

static struct hep *make(int *socket_, struct address *bound)
{
    struct hep_config config = {
        .peers = peers,
        .n_peers = 1,
        .exchange = {.request_buckets = 16, .nonce_buckets = 16, .key = "hep", .give = give},
    };
    struct sockaddr_storage at;
    socklen_t n;
    struct address a = craft_address("127.0.0.1:0");
    struct hep *h;

    memset(peers, 0, sizeof(peers));
    peers[0].switch_id = 3;
    assert_int_equal(network_parse(SPAN("127.0.0.1"), &peers[0].from, NULL), 0);
    network_parse(SPAN("10.98.0.1"), &peers[0].ours.networks[0], NULL);
    peers[0].ours.n = 1;
    n = address_to(&a, &at);
    *socket_ = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(*socket_, (const struct sockaddr *)&at, n), 0);
    n = sizeof(at);
    assert_int_equal(getsockname(*socket_, (struct sockaddr *)&at, &n), 0);
    *bound = address_of((const struct sockaddr *)&at);
    buf_clear(&out);
    buf_puts(&out, "");
    assert_int_equal(hep_open(&h, *socket_, &config, NULL), 0);
    return h;
}

static void what_asterisk_says(void **state)
{
    int socket_, sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct address bound;
    struct hep *h = make(&socket_, &bound);
    struct sockaddr_storage to;
    socklen_t n = address_to(&bound, &to);
    struct buf file = {0};
    size_t sent = 0, got = 0;

    craft_file(&file, getenv("ASTERISK_HEP"));
    for (size_t at = 0; at < file.n; sent++) {
        size_t length = (size_t)(uint8_t)file.p[at + 4] << 8 | (uint8_t)file.p[at + 5];

        assert_int_equal(sendto(sender, file.p + at, length, 0, (const struct sockaddr *)&to, n),
                         length);
        at += length;
    }
    while (got < sent) {
        int some = hep_read(h, (struct instant){.boot_ns = 1}, 4);

        assert_true(some > 0);
        got += (size_t)some;
    }
    assert_string_equal(out.p, "3 challenged unproved udp 10.98.0.2\n"
                               "3 success proved udp 10.98.0.2\n"
                               "3 challenged proved tcp 10.98.0.2\n"
                               "3 success proved tcp 10.98.0.2\n"
                               "3 challenged unproved udp 10.98.0.2\n"
                               "3 success proved udp 10.98.0.2\n"
                               "3 challenged unproved udp 10.98.0.2\n"
                               "3 success proved udp 10.98.0.2\n");
    assert_int_equal(hep_figures(h).exchange.understood, sent);
    close(sender);
    hep_close(h);
    buf_free(&file);
}

static void whose_word_counts(void **state)
{
    int socket_;
    struct address bound, listed = craft_address("127.0.0.1:1"),
                          stranger = craft_address("127.0.0.2:1");
    struct hep *h = make(&socket_, &bound);
    struct buf file = {0};

    craft_file(&file, getenv("ASTERISK_HEP"));
    struct span one = {file.p, (size_t)(uint8_t)file.p[4] << 8 | (uint8_t)file.p[5]};
    struct instant now = {.boot_ns = 1};

    hep_take(h, &stranger, one, now);
    assert_int_equal(hep_figures(h).strangers, 1);
    hep_take(h, &listed, SPAN("no HEP"), now);
    assert_int_equal(hep_figures(h).broken, 1);
    memcpy(peers[0].key, "secret", 6);
    peers[0].key_n = 6;
    hep_take(h, &listed, one, now);
    assert_int_equal(hep_figures(h).wrong_key, 1);
    assert_int_equal(hep_figures(h).exchange.seen, 0);
    peers[0].key_n = 0;
    hep_take(h, &listed, one, now);
    assert_int_equal(hep_figures(h).exchange.requests, 1);
    network_parse(SPAN("10.98.0.9"), &peers[0].ours.networks[0], NULL);
    hep_take(h, &listed, one, now);
    assert_int_equal(hep_figures(h).exchange.passing, 1);
    hep_close(h);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_asterisk_says),
        cmocka_unit_test(whose_word_counts),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_free(&out);
    return failed;
}
