/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What will be swept, and on which day: told beforehand, so that one can object. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "store/change.h"
#include "store/notices.h"
#include "store/page.h"
#include "store/store_impl.h"
#include "store/sweep_plan.h"

void sweep_day(int64_t ms, char out[SWEEP_DAY_SIZE])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    if (!localtime_r(&s, &tm) || !strftime(out, SWEEP_DAY_SIZE, "%Y-%m-%d", &tm))
        out[0] = '\0';
}

struct announce {
    const struct store_by *by;
    const struct sweep_plan *plan;
    int64_t due_ms, id;
    uint64_t told;
};

static int note_accounts(struct store_tx *tx, const struct announce *a, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; !err && i < a->plan->n; i++)
        err = db_run(tx->db, "INSERT INTO announced (announcement, account) VALUES (?1, ?2)",
                     DB_VALUES(INT(a->id), INT(a->plan->targets[i].account_id)), f);
    return err;
}

static int tell_tenants(struct store_tx *tx, struct announce *a, struct fault *f)
{
    char day[SWEEP_DAY_SIZE], since[SWEEP_DAY_SIZE], facts[96];

    sweep_day(a->due_ms, day);
    sweep_day(a->plan->ask.terms.since_ms, since);
    int n = snprintf(facts, sizeof(facts), "{\"day\":\"%s\",\"since\":\"%s\"}", day, since);
    const struct notice notice = {
        .kind = NOTICE_SWEEP_ANNOUNCED, .change = a->id, .facts = {facts, (size_t)n}};
    return store_notice_add_batch(tx, &notice, a->id, &a->told, f);
}

static int describe(struct change *c, const struct announce *a, struct fault *f)
{
    const struct sweep_terms *terms = &a->plan->ask.terms;
    char after[160];
    bool ok = true;
    int n = snprintf(
        after, sizeof(after),
        "{\"accounts\":%zu,\"due\":%" PRId64 ",\"since\":%" PRId64 ",\"include_lifted\":%s}",
        a->plan->n, a->due_ms, terms->since_ms, terms->include_lifted ? "true" : "false");

    c->after = arena_copy(&c->tx->arena, (struct span){after, (size_t)n}, &ok);
    c->object = c->object_name = SPAN("accounts");
    c->tenant = a->plan->ask.within;
    c->rows = a->plan->n;
    return ok ? 0 : fault_nomem(f);
}

static int announce(struct change *c, struct announce *a, struct fault *f)
{
    const struct sweep_ask *ask = &a->plan->ask;
    struct store_tx *tx = c->tx;
    int err = sweep_check_fresh(tx, a->plan, c->number, f);

    a->id = c->number;
    if (!err && a->due_ms <= tx->now.wall_ms)
        err = fault(f, ERR_RANGE, "the day has begun already: announce one that is to come");
    if (!err && a->plan->n == 0)
        err = fault(f, ERR_MISSING, "there is no account to restrict");
    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO announcements (id, due, since, lifted, tenant)"
                     " VALUES (?1, ?2, ?3, ?4, ?5)",
                     DB_VALUES(INT(a->id), INT(a->due_ms), INT(ask->terms.since_ms),
                               INT(ask->terms.include_lifted), ID(ask->within)),
                     f);
    if (!err)
        err = note_accounts(tx, a, f);
    if (!err)
        err = tell_tenants(tx, a, f);
    return err ? err : describe(c, a, f);
}

static int announce_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct announce *a = arg;
    struct change c;
    int err = change_begin(&c, tx, a->by, &sweep_kind, "sweep.announce", CHANGE_NEW, f);

    if (!err)
        err = announce(&c, a, f);
    return change_end(&c, err, f);
}

int store_sweep_announce_wait(struct store *store, const struct store_by *by,
                              const struct sweep_plan *plan, int64_t due_ms, int64_t *announcement,
                              uint64_t *told, struct fault *f)
{
    struct announce a = {.by = by, .plan = plan, .due_ms = due_ms};
    int err = store_write_alone_wait(store, announce_job, &a, f);

    if (!err) {
        *announcement = a.id;
        *told = a.told;
    }
    return err;
}

static int read_announcement(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    bool ok = true;

    *(struct store_announcement *)item = (struct store_announcement){
        .id = query_int(q, 0),
        .at_ms = query_int(q, 1),
        .actor = query_copy(q, 2, &tx->arena, &ok),
        .due_ms = query_int(q, 3),
        .since_ms = query_int(q, 4),
        .include_lifted = query_int(q, 5) != 0,
        .tenant = query_copy(q, 6, &tx->arena, &ok),
        .rows = (uint64_t)query_int(q, 7),
    };
    return ok ? 0 : fault_nomem(f);
}

int store_announcement_list(struct store_tx *tx, const struct store_page *page,
                            struct store_announcement_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_announcement), .read = read_announcement};
    struct query q;
    int err = page_begin_id(&p, page, INT64_MAX, f);

    if (!err)
        err = query_start(&q, tx->db,
                          "SELECT n.id, c.at, c.actor, n.due, n.since, n.lifted,"
                          " coalesce(t.name, ''), c.rows FROM announcements n"
                          " JOIN audit c ON c.id = n.id LEFT JOIN tenants t ON t.id = n.tenant"
                          " WHERE n.id < ?1 ORDER BY n.id DESC LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_announcement_list){p.items, p.n, p.next};
    return err;
}
