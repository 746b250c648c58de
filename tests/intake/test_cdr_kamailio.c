/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of calls that have not ended: its bound, its places, its memory. Rows: cdr_read.cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "failalloc.h"
#include "intake/cdr_kamailio.h"

static const uint8_t key[16] = {7};

/* A row of call `n`, `second` seconds after the beginning. */
static int row(struct cdr_kamailio *k, const char *method, unsigned n, unsigned second,
               struct cdr *out)
{
    char callid[32], at[32];
    struct span fields[CDR_ACC_FIELDS] = {{NULL, 0}};
    struct fault f;

    snprintf(callid, sizeof(callid), "call-%u", n);
    snprintf(at, sizeof(at), "2026-11-24 %02u:%02u:%02u", second / 3600 % 24, second / 60 % 60,
             second % 60);
    fields[CDR_ACC_METHOD] = span_of(method);
    fields[CDR_ACC_CALLID] = span_of(callid);
    fields[CDR_ACC_FROM_TAG] = SPAN("f");
    fields[CDR_ACC_TO_TAG] = SPAN("t");
    fields[CDR_ACC_SIP_CODE] = SPAN("200");
    fields[CDR_ACC_TIME] = span_of(at);
    fields[CDR_ACC_SENT] = SPAN("0312345678");
    return cdr_kamailio_row(k, fields, n, out, &f);
}

static struct cdr_kamailio *table(size_t most)
{
    struct cdr_kamailio *k;
    struct fault f;

    assert_int_equal(cdr_kamailio_new(&k, most, NULL, key, &f), 0);
    return k;
}

static void must_be(const struct cdr *c, const char *callid, unsigned seconds, bool unended)
{
    assert_true(span_is(c->id, callid));
    assert_true(span_is(c->dialled, "0312345678"));
    assert_int_equal(c->billed_s, seconds);
    assert_int_equal(c->unended, unended);
    assert_int_equal(c->outcome, CDR_ANSWERED);
}

static void a_full_table_gives_out_the_oldest(void **state)
{
    struct cdr_kamailio *k = table(3);
    struct cdr c;

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(row(k, "INVITE", i, i, &c), 0);
    assert_int_equal(row(k, "INVITE", 3, 3, &c), 1);
    must_be(&c, "call-0", 0, true);
    assert_int_equal(row(k, "BYE", 0, 9, &c), 0);
    assert_int_equal(row(k, "BYE", 2, 9, &c), 1);
    must_be(&c, "call-2", 7, false);
    assert_int_equal(row(k, "INVITE", 4, 10, &c), 0);
    assert_int_equal(row(k, "INVITE", 5, 10, &c), 1);
    must_be(&c, "call-1", 0, true);
    assert_int_equal(cdr_kamailio_figures(k).displaced, 2);
    assert_int_equal(cdr_kamailio_figures(k).ends, 1);
    assert_int_equal(cdr_kamailio_figures(k).open, 3);
    cdr_kamailio_free(k);
}

static void the_oldest_place_moves_on(void **state)
{
    struct cdr_kamailio *k = table(10);
    struct cdr c;
    uint64_t place = 77;

    assert_false(cdr_kamailio_oldest(k, &place));
    assert_int_equal(place, 77);
    for (unsigned i = 1; i < 4; i++)
        row(k, "INVITE", i, i, &c);
    assert_true(cdr_kamailio_oldest(k, &place));
    assert_int_equal(place, 1);
    row(k, "BYE", 2, 9, &c);
    assert_true(cdr_kamailio_oldest(k, &place));
    assert_int_equal(place, 1);
    row(k, "BYE", 1, 9, &c);
    assert_true(cdr_kamailio_oldest(k, &place));
    assert_int_equal(place, 3);
    assert_true(cdr_kamailio_drain(k, &c));
    must_be(&c, "call-3", 0, true);
    assert_false(cdr_kamailio_drain(k, &c));
    assert_false(cdr_kamailio_oldest(k, &place));
    cdr_kamailio_free(k);
}

/* Read again after an interruption, with an end that had not come before: the same call. */
static void an_end_that_comes_later_is_of_the_same_call(void **state)
{
    struct cdr_kamailio *k = table(10);
    uint8_t first[CDR_IDENTITY_SIZE], second[CDR_IDENTITY_SIZE];
    struct cdr c;

    row(k, "INVITE", 1, 1, &c);
    assert_true(cdr_kamailio_drain(k, &c));
    cdr_identity(&c, first);
    row(k, "INVITE", 1, 1, &c);
    assert_int_equal(row(k, "BYE", 1, 60, &c), 1);
    cdr_identity(&c, second);
    assert_memory_equal(first, second, sizeof(first));
    cdr_kamailio_free(k);
}

static void many_calls_at_once(void **state)
{
    struct cdr_kamailio *k = table(20000);
    struct cdr c;

    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(row(k, "INVITE", i, 0, &c), 0);
    for (unsigned i = 20000; i-- > 0;) {
        char callid[32];

        snprintf(callid, sizeof(callid), "call-%u", i);
        assert_int_equal(row(k, "BYE", i, i % 3600, &c), 1);
        must_be(&c, callid, i % 3600, false);
    }
    assert_int_equal(cdr_kamailio_figures(k).open, 0);
    cdr_kamailio_free(k);
}

static void clocks_set_back_make_no_endless_call(void **state)
{
    struct cdr_kamailio *k = table(10);
    struct cdr c;

    row(k, "INVITE", 1, 60, &c);
    assert_int_equal(row(k, "BYE", 1, 1, &c), 1);
    must_be(&c, "call-1", 0, false);
    cdr_kamailio_free(k);
}

static void without_memory_nothing_changes(void **state)
{
    struct fault f;

    for (size_t n = 0;; n++) {
        struct cdr_kamailio *k = NULL;
        struct cdr c;
        int err;

        failalloc_after(n);
        err = cdr_kamailio_new(&k, 2, NULL, key, &f);
        for (unsigned i = 0; !err && i < 4; i++)
            if ((err = row(k, "INVITE", i, i, &c)) > 0)
                err = 0;
        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            cdr_kamailio_free(k);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        cdr_kamailio_free(k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_table_gives_out_the_oldest),
        cmocka_unit_test(the_oldest_place_moves_on),
        cmocka_unit_test(an_end_that_comes_later_is_of_the_same_call),
        cmocka_unit_test(many_calls_at_once),
        cmocka_unit_test(clocks_set_back_make_no_endless_call),
        cmocka_unit_test(without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
