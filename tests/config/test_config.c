/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "cases.h"
#include "config/config.h"
#include "config/config_keys.h"
#include "failalloc.h"

static void config_case_runs(void **state)
{
    const struct test_case *c = *state;
    struct config_report report = {0};
    struct config *config = NULL;
    int err = config_parse(&config, buf_span(&c->in), "t.conf", &report);

    assert_string_equal(report.text.p ? report.text.p : "", c->out.p);
    assert_int_equal(err == 0, report.errors == 0);
    assert_int_equal(err == 0, config != NULL);
    config_free(config);
    config_report_free(&report);
}

static void the_defaults_are_what_the_manual_says(void **state)
{
    struct config_report report = {0};
    struct config *config = NULL;
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(config_parse(&config, SPAN(""), "t.conf", &report), 0);
    assert_string_equal(config->state_dir, "/var/lib/sekisho");
    assert_string_equal(config->plan, "JP");
    assert_int_equal(config->fastagi_listen.n, 1);
    assert_string_equal(address_text(&config->fastagi_listen.at[0], text), "127.0.0.1:4573");
    assert_int_equal(config->http_listen.n, 1);
    assert_string_equal(address_text(&config->http_listen.at[0], text), "127.0.0.1:8470");
    assert_int_equal(config->log_level, LOG_LEVEL_INFO);
    assert_int_equal(config->log_format, LOG_FORMAT_AUTO);
    assert_int_equal(config->fastagi_timeout_ms, 2000);
    assert_int_equal(config->n_trunks, 0);
    assert_int_equal(config->n_switches, 0);
    assert_int_equal(config->enforce, CONFIG_ENFORCE);
    assert_int_equal(config->ports.n, 3);
    config_free(config);
    config_report_free(&report);
}

static void values_reach_their_fields(void **state)
{
    static const char text[] =
        "[daemon]\nlog_format = json\nuser = sekisho\n"
        "[fastagi]\nallow = 192.0.2.0/24\nconnections = 17\n"
        "[trunk a]\nemergency = no\n[trunk b]\nemergency = yes\nendpoint = B\n"
        "[guard]\nports = udp/5060,tcp/5062\nban = 60\nsource_count = 3\n"
        "[switch local]\nlog = /var/log/asterisk/security\nhep = 127.0.0.1:9060\ntrunks = "
        "sip.example.net\n";
    struct config_report report = {0};
    struct config *config = NULL;

    assert_int_equal(config_parse(&config, SPAN(text), "t.conf", &report), 0);
    assert_int_equal(config->log_format, LOG_FORMAT_JSON);
    assert_string_equal(config->user, "sekisho");
    assert_int_equal(config->fastagi_allow.n, 1);
    assert_int_equal(config->fastagi_allow.at[0].bits, 24);
    assert_int_equal(config->fastagi_connections, 17);
    assert_int_equal(config->n_trunks, 2);
    assert_string_equal(config->trunks[0].named.name, "a");
    assert_false(config->trunks[0].emergency);
    assert_string_equal(config->trunks[1].endpoint, "B");
    assert_true(config->trunks[1].emergency);
    assert_int_equal(config->ports.n, 2);
    assert_int_equal(config->ports.at[1].port, 5062);
    assert_int_equal(config->limits.ban, 60);
    assert_int_equal(config->limits.source.count, 3);
    assert_int_equal(config->n_switches, 1);
    assert_string_equal(config->switches[0].named.name, "local");
    assert_true(config->switches[0].wire);
    assert_string_equal(config->switches[0].log, "/var/log/asterisk/security");
    assert_int_equal(config->switches[0].hep.n, 1);
    assert_int_equal(config->switches[0].ami.n, 0);
    assert_string_equal(config->switches[0].trunks, "sip.example.net");
    config_free(config);
    config_report_free(&report);
}

/* Both say what an operator can turn. */
static void the_limits_are_the_guards(void **state)
{
    struct config_report report = {0};
    struct config *config = NULL;
    struct guard_limits limits;
    struct guard_limit_info info;
    size_t n = 0;

    for (; guard_limits_info(n, &info); n++) {
        const struct config_key *key = config_key_find(SPAN("guard"), span_of(info.name));

        if (!key)
            fail_msg("[guard] has no key %s", info.name);
        assert_int_equal(key->offset, offsetof(struct config, limits) + info.offset);
        assert_int_equal(key->min, info.least);
        assert_int_equal(key->max, info.most);
    }
    assert_int_equal(n, sizeof(limits) / sizeof(uint32_t));
    guard_limits_default(&limits);
    assert_int_equal(config_parse(&config, SPAN(""), "t.conf", &report), 0);
    assert_memory_equal(&config->limits, &limits, sizeof(limits));
    config_free(config);
    config_report_free(&report);
}

/* With every # before a key taken away, the shipped file must still be one, with the same values. */
static void the_printed_config_is_read_again(void **state)
{
    struct config_report report = {0};
    struct config *config = NULL;
    struct buf printed = {0}, live = {0};

    config_print(&printed);
    for (struct span rest = buf_span(&printed); rest.p;) {
        struct span line = span_cut(rest, '\n', &rest);
        bool live_line = line.n > 1 && line.p[0] == '#' && line.p[1] != ' ';

        buf_add(&live, live_line ? span_skip(line, 1) : line);
        buf_putc(&live, '\n');
    }
    int err = config_parse(&config, buf_span(&live), "t.conf", &report);
    if (err)
        print_error("%s", report.text.p);
    assert_int_equal(err, 0);
    assert_int_equal(config->n_trunks, 1);
    config_free(config);
    config_report_free(&report);
    buf_free(&live);
    buf_free(&printed);
}

static const char *shipped_path;

static void the_shipped_file_is_what_the_table_prints(void **state)
{
    struct buf printed = {0}, shipped = {0};

    config_print(&printed);
    assert_int_equal(file_read(shipped_path, CONFIG_BYTES_MAX, &shipped, NULL), 0);
    assert_string_equal(shipped.p, printed.p);
    buf_free(&shipped);
    buf_free(&printed);
}

static void the_manual_has_every_key_once(void **state)
{
    struct buf mdoc = {0};

    config_print_mdoc(&mdoc);
    for (size_t i = 0; i < config_keys_n; i++) {
        struct buf item = {0};
        unsigned n = 0, same = 0;

        buf_printf(&item, ".It Ic %s\n", config_keys[i].name);
        for (const char *at = mdoc.p; (at = strstr(at, item.p)); at++)
            n++;
        for (size_t k = 0; k < config_keys_n; k++)
            same += strcmp(config_keys[i].name, config_keys[k].name) == 0;
        assert_int_equal(n, same);
        buf_free(&item);
    }
    buf_free(&mdoc);
}

/* At whatever allocation memory runs out: the sentence, no configuration, nothing left behind. */
static void memory_that_runs_out_leaves_nothing(void **state)
{
    static const char text[] = "[daemon]\nuser = sekisho\n[trunk a]\nemergency = no\nendpoint = A\n"
                               "[trunk b]\nemergency = yes\n[asterisk]\nemergency_trunk = b\n"
                               "[switch s]\nlog = /a\n";
    size_t n = 0;

    for (;; n++) {
        struct config_report report = {0};
        struct config *config = NULL;

        failalloc_after(n);
        int err = config_parse(&config, SPAN(text), "t.conf", &report);
        bool failed = failalloc_off();

        if (failed) {
            assert_int_equal(err, ERR_NOMEM);
            assert_null(config);
        }
        config_free(config);
        config_report_free(&report);
        if (!failed) {
            assert_int_equal(err, 0);
            break;
        }
    }
    assert_true(n > 20);
}

static void what_takes_a_restart_is_named(void **state)
{
    struct config_report report = {0};
    struct config *a = NULL, *b = NULL;
    struct buf names = {0};

    assert_int_equal(config_parse(&a, SPAN(""), "t.conf", &report), 0);
    assert_int_equal(config_parse(&b,
                                  SPAN("[daemon]\nlog_level = error\nstate_dir = /x\n"
                                       "[http]\nlisten = none\nhosts = example.net\n"),
                                  "t.conf", &report),
                     0);
    config_restart_needed(a, a, &names);
    assert_int_equal(names.n, 0);
    config_restart_needed(a, b, &names);
    assert_string_equal(names.p, "daemon.state_dir, http.listen");
    config_free(a);
    config_free(b);
    config_report_free(&report);
    buf_free(&names);
}

static void a_file_that_is_not_there_is_a_sentence(void **state)
{
    struct config_report report = {0};
    struct config *config = NULL;

    assert_int_equal(config_load(&config, "/nonexistent/sekisho.conf", &report), ERR_MISSING);
    assert_string_equal(report.text.p,
                        "cannot open /nonexistent/sekisho.conf: No such file or directory\n");
    assert_null(config);
    config_report_free(&report);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_what_the_manual_says),
        cmocka_unit_test(values_reach_their_fields),
        cmocka_unit_test(the_limits_are_the_guards),
        cmocka_unit_test(the_printed_config_is_read_again),
        cmocka_unit_test(a_file_that_is_not_there_is_a_sentence),
        cmocka_unit_test(the_shipped_file_is_what_the_table_prints),
        cmocka_unit_test(the_manual_has_every_key_once),
        cmocka_unit_test(memory_that_runs_out_leaves_nothing),
        cmocka_unit_test(what_takes_a_restart_is_named),
    };
    shipped_path = argv[2];
    return cases_run(argv[1], config_case_runs, tests, sizeof(tests) / sizeof(*tests));
}
