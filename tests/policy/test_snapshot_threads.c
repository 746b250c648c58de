/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "world.h"

/*
 * Readers ask without a pause while the writer changes everything. What they may see is written down
 * for each kind of account; anything else is a mixture of two states, and counted.
 *
 *   both      has either -0120 and is open, or +0120 and is stopped: 0120 denied and abroad open, or the
 *             other way round
 *   steady    never changes; id 1
 *   moving    belongs to shop (id 2) or office (id 3) and may call 0570 only from office
 *   comes…    are added and removed, so that the table grows and is made anew; ids tell their names
 */
#define READERS 3
#define COMERS 200

struct reader {
    pthread_t thread;
    struct world *world;
    unsigned seed;
    uint64_t questions, mixtures;
};

static bool stop;

static bool allowed(const struct world *w, const struct snapshot_subject *s, const char *dialled)
{
    struct number number;
    struct verdict v;

    numbering_parse(s->site, span_of(dialled), &number);
    snapshot_decide(w->snap, s, &number, false, 1795489200, &v);
    return v.action == VERDICT_ALLOW;
}

static bool consistent(const struct world *w, unsigned *seed)
{
    const struct levels_gate *gate = snapshot_switch_by_name(w->snap, SPAN("pbx"));
    struct snapshot_subject s;
    char name[16];
    int i;

    snapshot_find(w->snap, gate, SPAN("both"), &s);
    if (s.account != 10 || allowed(w, &s, "0120123456") == allowed(w, &s, "010252615123456"))
        return false;
    snapshot_find(w->snap, gate, SPAN("steady"), &s);
    if (s.account != 1 || allowed(w, &s, "010252615123456") || !allowed(w, &s, "0312345678"))
        return false;
    snapshot_find(w->snap, gate, SPAN("moving"), &s);
    if (s.account != 11 || allowed(w, &s, "0570012345") != (s.tenant == 3))
        return false;
    i = rand_r(seed) % COMERS;
    snprintf(name, sizeof(name), "comes%d", i);
    snapshot_find(w->snap, gate, span_of(name), &s);
    return s.account == 0 || s.account == 1000 + i;
}

static void *read_on(void *arg)
{
    struct reader *r = arg;
    int64_t change = 0, now;

    snapshot_reader_register();
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        snapshot_read_lock();
        now = snapshot_change(r->world->snap);
        r->mixtures += now < change || !consistent(r->world, &r->seed);
        snapshot_read_unlock();
        change = now;
        r->questions++;
    }
    snapshot_reader_unregister();
    return NULL;
}

static void stage_both(struct world *w, bool open)
{
    struct snapshot_account a = {
        .id = 10, .switch_id = 1, .name = SPAN("both"), .tenant = 3, .stopped = !open};
    struct fault f;

    must(world_stage_account(w, a, open ? "-0120" : "+0120", &f), &f);
}

static void one_change(struct world *w, int i, unsigned *seed)
{
    static const struct rule restricted[] = {{.prefix = SPAN("0570")}, {.prefix = SPAN("0180")}};
    int comer = rand_r(seed) % COMERS;
    char name[16];

    snprintf(name, sizeof(name), "comes%d", comer);
    if (rand_r(seed) % 2)
        world_account(w, 1000 + comer, 1, name, 1, "-010");
    else
        must(snapshot_stage_removal(w->snap, 1, span_of(name), NULL), NULL);
    stage_both(w, i % 2);
    world_account(w, 11, 1, "moving", i % 3 ? 2 : 3, "");
    if (i % 5 == 0) {
        /* The same in other words, so that blocks come and go without a change of what they say. */
        w->tenants[1].rules = (struct levels_rules){restricted, i % 2 ? 1 : 2};
        w->config.n_switches = i % 4 ? 2 : 1;
        world_stage(w);
    }
    if (i % 7 == 0)
        snapshot_discard(w->snap, snapshot_staged(w->snap) - 1);
    snapshot_publish(w->snap, 100 + i);
    if (i % 11 == 0)
        snapshot_reclaim(w->snap);
}

static void readers_never_see_a_mixture(void **state)
{
    static const struct rule restricted[] = {{.prefix = SPAN("0570")}};
    const int changes = *(const int *)*state;
    struct reader readers[READERS];
    struct world w;
    unsigned seed = 9;
    uint64_t questions = 0;

    world_open(&w, 0);
    w.tenants[1].rules = (struct levels_rules){restricted, 1};
    world_stage(&w);
    stage_both(&w, true);
    world_account(&w, 1, 1, "steady", 3, "-010");
    world_account(&w, 11, 1, "moving", 2, "");
    snapshot_publish(w.snap, 2);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.world = &w, .seed = i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int i = 0; i < changes; i++)
        one_change(&w, i, &seed);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].mixtures, 0);
        questions += readers[i].questions;
    }
    print_message("# %d changes, %llu rounds of questions\n", changes,
                  (unsigned long long)questions);
    assert_true(questions > 0);
    world_close(&w);
}

int main(int argc, char **argv)
{
    int changes = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 4000;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(readers_never_see_a_mixture, &changes),
    };

    return cmocka_run_group_tests_name("snapshot threads", tests, NULL, NULL);
}
