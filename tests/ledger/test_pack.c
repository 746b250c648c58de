/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failalloc.h"
#include "ledger/pack.h"

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void assert_same_call(const struct call *a, const struct call *b)
{
    assert_int_equal(a->start_ms, b->start_ms);
    assert_int_equal(a->key, b->key);
    assert_int_equal(a->caller, b->caller);
    assert_int_equal(a->seconds, b->seconds);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->dialled.n, b->dialled.n);
    if (a->dialled.n)
        assert_memory_equal(a->dialled.p, b->dialled.p, a->dialled.n);
}

/* Any call: digits of any length mostly, any bytes sometimes. */
static struct call any_call(uint64_t *seed, char dialled[CALL_DIALLED_MAX])
{
    static const char symbols[] = "0123456789*#+";
    size_t n = random_next(seed) % (CALL_DIALLED_MAX + 1);
    bool plain = random_next(seed) % 4 == 0;

    for (size_t i = 0; i < n; i++)
        dialled[i] =
            plain ? (char)random_next(seed) : symbols[random_next(seed) % (sizeof(symbols) - 1)];
    return (struct call){
        .start_ms = (int64_t)(random_next(seed) % (uint64_t)(CALL_START_MAX + 1)),
        .key = random_next(seed),
        .caller = (uint32_t)random_next(seed),
        .seconds = (uint32_t)random_next(seed) >> random_next(seed) % 32,
        .end = (enum call_end)(random_next(seed) % 4),
        .dialled = {dialled, n},
    };
}

static void what_goes_in_comes_out(void **state)
{
    enum { CALLS = 2000 };
    static char dialled[CALLS][CALL_DIALLED_MAX];
    static struct call calls[CALLS];
    uint64_t seed = 20261124;
    struct pack pack = {0};
    struct buf bytes = {0};
    struct pack_reader reader;
    struct call got;

    (void)state;
    for (int round = 0; round < 2; round++) { /* the second: what pack_close() left is like new */
        buf_clear(&bytes);
        for (size_t i = 0; i < CALLS; i++) {
            calls[i] = any_call(&seed, dialled[i]);
            assert_int_equal(pack_add(&pack, &calls[i]), 0);
        }
        pack_close(&pack, &bytes);
        assert_false(bytes.failed);
        assert_int_equal(pack_open(&reader, buf_span(&bytes), NULL), 0);
        for (size_t i = 0; i < CALLS; i++) {
            assert_int_equal(pack_next(&reader, &got, NULL), 1);
            assert_same_call(&got, &calls[i]);
        }
        assert_int_equal(pack_next(&reader, &got, NULL), 0);
    }
    pack_free(&pack);
    buf_free(&bytes);
}

/* Files are read by later versions: these bytes mean this call for ever. */
static void form_is_fixed(void **state)
{
    static const unsigned char fixed[] = {
        1,    2,                                     /* version, calls */
        0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62,          /* 1,700,000,000,000 ms */
        7,    0xf1, 1,                               /* caller, 60 s << 2 | unanswered */
        1,    2,    3,    4,    5,    6,    7, 8,    /* key */
        5,    0x01, 0x0b, 0xcf,                      /* 010#+ */
        0xcf, 0x0f, 0x80, 1,    3,                   /* 1,000 ms before; caller 128; refused */
        0,    0,    0,    0,    0,    0,    0, 0x80, /* key */
        0x82, '0',  'x',
    };
    struct span dialled[] = {SPAN("010#+"), SPAN("0x")};
    const struct call calls[] = {
        {INT64_C(1700000000000), UINT64_C(0x0807060504030201), 7, 60, CALL_UNANSWERED, dialled[0]},
        {INT64_C(1699999999000), UINT64_C(1) << 63, 128, 0, CALL_REFUSED, dialled[1]},
    };
    struct pack pack = {0};
    struct buf bytes = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pack_add(&pack, &calls[i]), 0);
    pack_close(&pack, &bytes);
    assert_int_equal(bytes.n, sizeof(fixed));
    assert_memory_equal(bytes.p, fixed, sizeof(fixed));
    pack_free(&pack);
    buf_free(&bytes);
}

static void what_is_too_much_is_refused(void **state)
{
    struct pack pack = {0};
    struct buf bytes = {0};
    char dialled[CALL_DIALLED_MAX + 1] = {0};
    struct call call = {.start_ms = -1};

    (void)state;
    assert_int_equal(pack_add(&pack, &call), ERR_RANGE);
    call.start_ms = CALL_START_MAX + 1;
    assert_int_equal(pack_add(&pack, &call), ERR_RANGE);
    call = (struct call){.dialled = {dialled, sizeof(dialled)}};
    assert_int_equal(pack_add(&pack, &call), ERR_RANGE);
    call = (struct call){.end = (enum call_end)4};
    assert_int_equal(pack_add(&pack, &call), ERR_RANGE);
    call = (struct call){0};
    for (size_t i = 0; i < PACK_CALLS_MAX; i++)
        assert_int_equal(pack_add(&pack, &call), 0);
    assert_int_equal(pack_add(&pack, &call), ERR_FULL);
    pack_close(&pack, &bytes);
    assert_int_equal(pack_add(&pack, &call), 0);
    pack_free(&pack);
    buf_free(&bytes);
}

static void memory_runs_out(void **state)
{
    char dialled[] = "0312345678";
    struct call call = {.dialled = SPAN("0312345678")}, got;
    struct pack pack = {0};
    struct buf bytes = {0};
    struct pack_reader reader;
    size_t added = 0;

    (void)state;
    call.dialled.p = dialled;
    while (added < 1000) {
        int code;

        failalloc_after(0);
        code = pack_add(&pack, &call);
        if (failalloc_off()) {
            assert_int_equal(code, ERR_NOMEM);
            code = pack_add(&pack, &call);
        }
        assert_int_equal(code, 0);
        added++;
    }
    pack_close(&pack, &bytes);
    assert_int_equal(pack_open(&reader, buf_span(&bytes), NULL), 0);
    for (size_t i = 0; i < added; i++)
        assert_int_equal(pack_next(&reader, &got, NULL), 1);
    assert_int_equal(pack_next(&reader, &got, NULL), 0);
    pack_free(&pack);
    buf_free(&bytes);
}

static int read_all(struct span bytes, struct fault *f)
{
    struct pack_reader reader;
    struct call call;
    int code = pack_open(&reader, bytes, f);

    while (code == 0 && (code = pack_next(&reader, &call, f)) == 1)
        code = 0;
    return code;
}

static void broken_blocks_are_refused(void **state)
{
    static const struct {
        struct span bytes;
        const char *sentence;
    } cases[] = {
        {SPAN(""), "calls in a form that this version does not know"},
        {SPAN("\2"), "calls in a form that this version does not know"},
        {SPAN("\1"), "a block of calls without a count of 0 to 8192"},
        {SPAN("\1\x81\x40"), "a block of calls without a count of 0 to 8192"},
        {SPAN("\1\0x"), "bytes behind the last call of a block"},
        {SPAN("\1\1\1\0\0"
              "12345678"
              "\0"), /* a millisecond before 1970 */
         "a block of calls is broken, 1 calls before its end"},
        {SPAN("\1\1\0\0\0"
              "12345678"
              "\1\x1e"), /* the half that is none is no 0xf */
         "a block of calls is broken, 1 calls before its end"},
        {SPAN("\1\1\0\0\0"
              "12345678"
              "\2\x1f"), /* 0xf is no symbol */
         "a block of calls is broken, 1 calls before its end"},
        {SPAN("\1\1\0\xff\xff\xff\xff\x1f\0"
              "12345678"
              "\0"), /* a caller of 33 bits */
         "a block of calls is broken, 1 calls before its end"},
    };
    struct fault f;

    (void)state;
    assert_int_equal(read_all(SPAN("\1\0"), &f), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_all(cases[i].bytes, &f), ERR_CORRUPT);
        assert_string_equal(f.text, cases[i].sentence);
    }
}

static void a_key_tells_calls_apart(void **state)
{
    struct call call = {1000, 0, 1, 60, CALL_ANSWERED, SPAN("010")}, other = call;
    uint64_t key = call_key(&call, SPAN("id"), 0);

    (void)state;
    assert_int_equal(call_key(&other, SPAN("id"), 0), key);
    other.key = 77; /* is what is asked for, and no part of the question */
    assert_int_equal(call_key(&other, SPAN("id"), 0), key);
    assert_int_not_equal(call_key(&call, SPAN("id"), 1), key);
    assert_int_not_equal(call_key(&call, SPAN(""), 0), key);
    other.dialled = SPAN("01");
    assert_int_not_equal(call_key(&other, SPAN("0id"), 0),
                         key); /* the same bytes, parted elsewhere */
    other = call;
    other.start_ms++;
    assert_int_not_equal(call_key(&other, SPAN("id"), 0), key);
    other = call;
    other.caller++;
    assert_int_not_equal(call_key(&other, SPAN("id"), 0), key);
    other = call;
    other.seconds++;
    assert_int_not_equal(call_key(&other, SPAN("id"), 0), key);
    other = call;
    other.end = CALL_REFUSED;
    assert_int_not_equal(call_key(&other, SPAN("id"), 0), key);
}

static void an_id_may_have_any_length(void **state)
{
    struct call call = {0};
    char id[4096];
    uint64_t key;

    (void)state;
    memset(id, 'a', sizeof(id));
    key = call_key(&call, (struct span){id, sizeof(id)}, 0);
    assert_int_not_equal(call_key(&call, (struct span){id, sizeof(id) - 1}, 0), key);
    id[2000] = 'b';
    assert_int_not_equal(call_key(&call, (struct span){id, sizeof(id)}, 0), key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),      cmocka_unit_test(form_is_fixed),
        cmocka_unit_test(what_is_too_much_is_refused), cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(broken_blocks_are_refused),   cmocka_unit_test(a_key_tells_calls_apart),
        cmocka_unit_test(an_id_may_have_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
