/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "failalloc.h"
#include "ledger/history.h"

enum { CALLERS = 7, PLACES = 5, SUMS = CALLERS * PLACES * 2 };
static const char *const places[PLACES] = {"", "JP", "US", "JM", "001"};

/* All sums that there can be in these tests, merged as the store does. */
struct kept {
    struct history_sum sums[SUMS];
    size_t n;
    uint64_t last_order; /* of this draining */
    size_t stop_at;      /* refuses the sum after so many; SIZE_MAX: none */
    size_t taken;
};

static size_t place_of(const struct history_sum *sum)
{
    for (size_t i = 0; i < PLACES; i++)
        if (strcmp(sum->country, places[i]) == 0)
            return i;
    fail_msg("unknown country %s", sum->country);
    return 0;
}

static int keep(void *arg, const struct history_sum *sum)
{
    struct kept *kept = arg;
    uint64_t order = (uint64_t)sum->caller << 40 | (uint64_t)(unsigned char)sum->country[0] << 24 |
                     (uint64_t)(unsigned char)sum->country[1] << 16 |
                     (uint64_t)(unsigned char)sum->country[2] << 8 | (uint64_t)sum->abroad;
    struct history_sum *at =
        &kept->sums[(sum->caller * PLACES + place_of(sum)) * 2 + (size_t)sum->abroad];

    if (kept->taken == kept->stop_at)
        return ERR_IO;
    assert_true(kept->taken == 0 || order > kept->last_order);
    kept->last_order = order;
    kept->taken++;
    if (at->first_ms == 0) {
        *at = *sum;
        kept->n++;
    } else {
        history_merge(at, sum);
    }
    return 0;
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static struct call any_call(uint64_t *seed, struct history_place *place)
{
    *place = (struct history_place){span_of(places[random_next(seed) % PLACES]),
                                    random_next(seed) % 2 == 0, random_next(seed) % 3 == 0};
    return (struct call){.start_ms = 1 + (int64_t)(random_next(seed) % 1000000),
                         .caller = (uint32_t)(random_next(seed) % CALLERS),
                         .seconds = (uint32_t)(random_next(seed) % 4000),
                         .end = (enum call_end)(random_next(seed) % 4)};
}

/* What history.h says, said again without a table. */
static void count_plainly(struct kept *kept, const struct call *call, struct history_place place)
{
    struct history_sum key = {.caller = call->caller, .abroad = place.abroad};
    struct history_sum *sum;

    memcpy(key.country, place.country.p, place.country.n);
    sum = &kept->sums[(call->caller * PLACES + place_of(&key)) * 2 + (size_t)place.abroad];
    if (sum->first_ms == 0) {
        *sum = key;
        sum->first_ms = INT64_MAX;
        sum->spoke_first_ms = sum->spoke_last_ms = HISTORY_NEVER;
        kept->n++;
    }
    if (call->start_ms < sum->first_ms)
        sum->first_ms = call->start_ms;
    if (call->start_ms > sum->last_ms)
        sum->last_ms = call->start_ms;
    sum->unanswered += call->end == CALL_UNANSWERED;
    sum->failed += call->end == CALL_FAILED;
    sum->refused += call->end == CALL_REFUSED;
    if (call->end != CALL_ANSWERED)
        return;
    sum->seconds += call->seconds;
    sum->doubted += place.doubted;
    sum->answered += !place.doubted;
    if (place.doubted)
        return;
    if (sum->spoke_first_ms == HISTORY_NEVER || call->start_ms < sum->spoke_first_ms)
        sum->spoke_first_ms = call->start_ms;
    if (call->start_ms > sum->spoke_last_ms)
        sum->spoke_last_ms = call->start_ms;
}

static void assert_same_sums(const struct kept *a, const struct kept *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < SUMS; i++) {
        const struct history_sum *x = &a->sums[i], *y = &b->sums[i];

        assert_int_equal(x->caller, y->caller);
        assert_string_equal(x->country, y->country);
        assert_int_equal(x->abroad, y->abroad);
        assert_int_equal(x->answered, y->answered);
        assert_int_equal(x->unanswered, y->unanswered);
        assert_int_equal(x->failed, y->failed);
        assert_int_equal(x->refused, y->refused);
        assert_int_equal(x->doubted, y->doubted);
        assert_int_equal(x->seconds, y->seconds);
        assert_int_equal(x->first_ms, y->first_ms);
        assert_int_equal(x->last_ms, y->last_ms);
        assert_int_equal(x->spoke_first_ms, y->spoke_first_ms);
        assert_int_equal(x->spoke_last_ms, y->spoke_last_ms);
    }
}

/* However small the table and however often it is drained, the sums are those of all calls. */
static void sums_do_not_depend_on_room(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (size_t room = 1; room <= SUMS; room += 7) {
        struct history *history = history_new(room);
        struct kept kept = {.stop_at = SIZE_MAX}, plain = {0};

        assert_non_null(history);
        for (int i = 0; i < 3000; i++) {
            struct history_place place;
            struct call call = any_call(&seed, &place);
            int code = history_add(history, &call, place);

            if (code) {
                assert_int_equal(code, ERR_FULL);
                kept.taken = 0;
                assert_int_equal(history_drain(history, keep, &kept), 0);
                assert_int_equal(kept.taken, room);
                assert_int_equal(history_add(history, &call, place), 0);
            }
            count_plainly(&plain, &call, place);
        }
        kept.taken = 0;
        assert_int_equal(history_drain(history, keep, &kept), 0);
        assert_same_sums(&kept, &plain);
        history_free(history);
    }
}

/* Callers that there was no room for are counted in rounds of their own, each from the first call. */
static void halving_parts_no_caller(void **state)
{
    enum { CALLS = 3000 };
    static struct call calls[CALLS];
    static struct history_place at[CALLS];
    uint64_t seed = 99;
    struct kept kept = {.stop_at = SIZE_MAX}, plain = {0};
    struct history *history = history_new(2 * PLACES + 1); /* one caller has room, and hardly two */
    uint32_t lowest = 0, highest;
    int rounds = 0;

    (void)state;
    for (size_t i = 0; i < CALLS; i++) {
        calls[i] = any_call(&seed, &at[i]);
        count_plainly(&plain, &calls[i], at[i]);
    }
    do {
        highest = UINT32_MAX;
        for (size_t i = 0; i < CALLS; i++)
            while (calls[i].caller >= lowest && calls[i].caller <= highest &&
                   history_add(history, &calls[i], at[i]) == ERR_FULL)
                assert_int_equal(history_halve(history, &highest), 0);
        kept.taken = 0;
        assert_int_equal(history_drain(history, keep, &kept), 0);
        lowest = highest + 1;
        rounds++;
    } while (highest != UINT32_MAX);
    assert_true(rounds > 1 && rounds <= CALLERS);
    assert_same_sums(&kept, &plain);
    history_free(history);
}

static void one_caller_cannot_be_halved(void **state)
{
    struct history *history = history_new(2);
    struct call call = {.start_ms = 1};
    uint32_t highest = 77;

    (void)state;
    assert_int_equal(history_add(history, &call, (struct history_place){.country = SPAN("JP")}), 0);
    assert_int_equal(history_add(history, &call, (struct history_place){.country = SPAN("US")}), 0);
    assert_int_equal(history_halve(history, &highest), ERR_RANGE);
    assert_int_equal(highest, 77);
    assert_int_equal(history_add(history, &call, (struct history_place){.country = SPAN("US")}), 0);
    assert_int_equal(history_add(history, &call, (struct history_place){.country = SPAN("FR")}),
                     ERR_FULL);
    history_free(history);
}

/* The disk was full: nothing is lost, and counting goes on meanwhile. */
static void a_drain_that_failed_may_be_tried_again(void **state)
{
    uint64_t seed = 7;
    struct history *history = history_new(SUMS);
    struct kept kept = {0}, plain = {0};

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct history_place place;
        struct call call = any_call(&seed, &place);

        assert_int_equal(history_add(history, &call, place), 0);
        count_plainly(&plain, &call, place);
        if (i % 100 == 0) {
            kept = (struct kept){.stop_at = (size_t)(i / 100) % plain.n};
            assert_int_equal(history_drain(history, keep, &kept), ERR_IO);
        }
    }
    kept = (struct kept){.stop_at = SIZE_MAX};
    assert_int_equal(history_drain(history, keep, &kept), 0);
    assert_same_sums(&kept, &plain);
    kept.taken = 0;
    assert_int_equal(history_drain(history, keep, &kept), 0);
    assert_int_equal(kept.taken, 0);
    history_free(history);
}

static void counts_stay_at_their_greatest(void **state)
{
    struct history_sum sum = {.answered = UINT32_MAX, .seconds = UINT64_MAX - 1};
    struct history_sum more = {.answered = 1, .refused = 1, .seconds = 5};

    (void)state;
    history_merge(&sum, &more);
    assert_int_equal(sum.answered, UINT32_MAX);
    assert_int_equal(sum.refused, 1);
    assert_true(sum.seconds == UINT64_MAX);
}

static void memory_runs_out(void **state)
{
    (void)state;
    for (size_t n = 0;; n++) {
        struct history *history;

        failalloc_after(n);
        history = history_new(10);
        if (!failalloc_off()) {
            assert_non_null(history);
            history_free(history);
            break;
        }
        assert_null(history);
    }
    assert_null(history_new(0));
    assert_null(history_new(SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_do_not_depend_on_room),
        cmocka_unit_test(halving_parts_no_caller),
        cmocka_unit_test(one_caller_cannot_be_halved),
        cmocka_unit_test(a_drain_that_failed_may_be_tried_again),
        cmocka_unit_test(counts_stay_at_their_greatest),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
