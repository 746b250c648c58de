/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "intake/witness.h"

#define S INT64_C(1000000000)

static struct instant at(int64_t seconds)
{
    return (struct instant){.boot_ns = seconds * S, .wall_ms = seconds * 1000};
}

static void trouble_is_told_worst_first(void **state)
{
    static const struct {
        const char *what;
        enum witness witness;
        bool connected;
        int64_t since, last, now; /* seconds */
        uint64_t understood, not_understood, foreign;
        bool paired, others_heard;
        const char *trouble;
        uint64_t shared;
        int64_t shared_last;
    } cases[] = {
        {"just begun", WITNESS_LOG, false, 100, 0, 159, 0, 0, 0, true, false, "well", 0, 0},
        {"no file in a minute", WITNESS_LOG, false, 100, 0, 160, 0, 0, 0, true, false,
         "not-connected", 0, 0},
        {"all well, paired", WITNESS_LOG, true, 100, 150, 160, 5, 0, 0, true, false, "well", 0, 0},
        {"log alone", WITNESS_LOG, true, 100, 150, 160, 5, 0, 0, false, false, "weak", 0, 0},
        {"ami alone", WITNESS_AMI, true, 100, 150, 160, 5, 0, 0, false, false, "weak", 0, 0},
        {"wire alone", WITNESS_WIRE, true, 100, 150, 160, 5, 0, 0, false, false, "well", 0, 0},
        {"hep alone", WITNESS_HEP, true, 100, 150, 160, 5, 0, 0, false, false, "well", 0, 0},
        {"one nonce for all", WITNESS_WIRE, true, 100, 150, 160, 5, 0, 0, false, false,
         "nonces-shared", 5, 150},
        {"one nonce for all, of a log's wire", WITNESS_HEP, true, 100, 86550, 86549, 5, 0, 0, true,
         false, "nonces-shared", 5, 150},
        {"two met in a second", WITNESS_WIRE, true, 100, 150, 160, 5, 0, 0, false, false, "well", 4,
         150},
        {"a day after it was put right", WITNESS_WIRE, true, 100, 86550, 86550, 5, 0, 0, false,
         false, "well", 5, 150},
        {"other channels", WITNESS_LOG, true, 100, 150, 160, 5, 0, 1, true, false, "forgeable", 0,
         0},
        {"a new format", WITNESS_LOG, true, 100, 0, 160, 0, 1, 0, true, false,
         "understands-nothing", 0, 0},
        {"half a new format", WITNESS_LOG, true, 100, 150, 160, 19, 20, 0, true, false,
         "understands-little", 0, 0},
        {"a few strange lines", WITNESS_LOG, true, 100, 150, 160, 3, 19, 0, true, false, "well", 0,
         0},
        {"quiet since it began", WITNESS_LOG, true, 100, 0, 5000, 0, 0, 0, true, false, "well", 0,
         0},
        {"others hear", WITNESS_LOG, true, 100, 0, 1000, 0, 0, 0, true, true, "silent", 0, 0},
        {"others hear, too early", WITNESS_LOG, true, 101, 0, 1000, 0, 0, 0, true, true, "well", 0,
         0},
        {"gone silent", WITNESS_AMI, true, 100, 150, 1050, 5, 0, 0, true, false, "silent", 0, 0},
        {"connected again", WITNESS_AMI, true, 1000, 150, 1050, 5, 0, 0, true, false, "well", 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct witness_figures w = {.witness = cases[i].witness,
                                    .connected = cases[i].connected,
                                    .since = at(cases[i].since),
                                    .last = at(cases[i].last),
                                    .understood = cases[i].understood,
                                    .not_understood = cases[i].not_understood,
                                    .foreign = cases[i].foreign,
                                    .shared = cases[i].shared,
                                    .shared_last = at(cases[i].shared_last)};
        const char *got = witness_trouble_name(
            witness_trouble(&w, cases[i].paired, cases[i].others_heard, at(cases[i].now)));

        if (strcmp(got, cases[i].trouble))
            fail_msg("%s: %s, not %s", cases[i].what, got, cases[i].trouble);
    }
}

static void who_only_proves_needs_somebody_who_reports(void **state)
{
    struct witness_figures w = {.witness = WITNESS_WIRE,
                                .connected = true,
                                .only_proves = true,
                                .since = at(100),
                                .not_understood = 9};

    assert_int_equal(witness_trouble(&w, false, true, at(160)), WITNESS_PROVES_NOTHING);
    w.connected = false;
    assert_int_equal(witness_trouble(&w, false, true, at(160)), WITNESS_NOT_CONNECTED);
    w.connected = true;
    w.not_understood = 0;
    assert_int_equal(witness_trouble(&w, true, true, at(160)), WITNESS_WELL);
}

static void a_connection_remembers_since_when_and_why_not(void **state)
{
    struct witness_figures w = {.witness = WITNESS_AMI};
    struct buf b = {0};

    witness_connected(&w, at(5));
    witness_connected(&w, at(6));
    assert_int_equal(w.since.boot_ns, 5 * S);
    witness_disconnected(&w, "refused\n\x1b[31m", at(7));
    witness_disconnected(&w, "refused\n\x1b[31m", at(8));
    assert_int_equal(w.since.boot_ns, 7 * S);
    assert_int_equal(w.restarts, 1);
    witness_trouble_say(&b, &w, WITNESS_NOT_CONNECTED, false);
    assert_string_equal(
        b.p, "the witness ami sees nothing, for it is not connected (refused\\x0a\\x1b[31m)");
    buf_clear(&b);
    witness_trouble_say(&b, &w, WITNESS_SILENT, true);
    assert_non_null(strstr(b.p, "沈黙"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_is_told_worst_first),
        cmocka_unit_test(who_only_proves_needs_somebody_who_reports),
        cmocka_unit_test(a_connection_remembers_since_when_and_why_not),
    };

    return cmocka_run_group_tests_name("witness", tests, NULL, NULL);
}
