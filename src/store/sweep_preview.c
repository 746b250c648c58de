/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sweep would do: accounts and their call history, walked side by side. */
#include <stdio.h>
#include <stdlib.h>

#include "numbering/site.h"
#include "store/below.h"
#include "store/payers.h"
#include "store/store_impl.h"
#include "store/sweep_house.h"
#include "store/sweep_plan.h"

/* ---- switches ------------------------------------------------------------------------------- */

static int access_of(struct sweep_switch *out, const struct store_switch *s,
                     const struct tables *tables, struct fault *f)
{
    struct site_config config = {
        .plan = s->plan, .outside = s->outside, .extensions = s->extensions, .area = s->area};
    struct site *site = NULL;
    int err = site_new(&site, tables, &config, f);

    if (err)
        return fault_in(f, "switch \"%s\"", ESCAPED(s->name));
    struct span access = site_access_prefix(site);
    *out = (struct sweep_switch){.id = s->id};
    memcpy(out->name, s->name.p, s->name.n);
    memcpy(out->access, access.p, access.n);
    site_free(site);
    return 0;
}

/* A read job: number tables are nobody's outside of the store's threads. */
static int switches_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct sweep_plan *plan = arg;
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_switch_list list;

    do {
        int err = store_switch_list(tx, &page, &list, f);
        if (err)
            return err;
        struct sweep_switch *more =
            realloc(plan->switches, (plan->n_switches + list.n + 1) * sizeof(*more));
        if (!more)
            return fault_nomem(f);
        plan->switches = more;
        for (size_t i = 0; !err && i < list.n; i++)
            err = access_of(&more[plan->n_switches++], &list.items[i], tx->store->tables, f);
        if (err)
            return err;
        page.cursor = list.next;
    } while (list.next.n);
    return 0;
}

/* ---- the walk ------------------------------------------------------------------------------- */

struct walk {
    struct sweep_plan *plan;
    struct db *main, *calls; /* NULL: there are no calls */
    int (*each)(void *arg, const struct sweep_found *found);
    void *arg;
    struct house house;
    struct query accounts, callers;
    bool more_callers;
    uint32_t at;                 /* the switch of the last account */
    int64_t created, created_ms; /* the last change whose time was asked for */
};

static int next_caller(struct walk *w, struct fault *f)
{
    int more = w->more_callers ? query_row(&w->callers, f) : 0;

    w->more_callers = more == 1;
    return more < 0 ? more : 0;
}

/* Both walks are in the order of switches and names, as SQLite compares text: byte by byte. */
static int order(struct walk *w)
{
    int64_t left = query_int(&w->callers, 1), right = query_int(&w->accounts, 1);
    struct span a = query_text(&w->callers, 2), b = query_text(&w->accounts, 2);
    int by = a.n && b.n ? memcmp(a.p, b.p, a.n < b.n ? a.n : b.n) : 0;

    if (left != right)
        return left < right ? -1 : 1;
    return by ? by : (a.n > b.n) - (a.n < b.n);
}

/* The caller of the present account; 0: it never called. */
static int caller_of(struct walk *w, uint32_t *out, struct fault *f)
{
    int err = 0;

    *out = 0;
    while (!err && w->more_callers && order(w) < 0)
        err = next_caller(w, f);
    if (!err && w->more_callers && order(w) == 0)
        *out = (uint32_t)query_int(&w->callers, 0);
    return err;
}

static int read_history(struct walk *w, uint32_t caller, struct sweep_facts *facts,
                        struct sweep_found *found, struct fault *f)
{
    struct query q;

    if (!caller)
        return 0;
    int err = query_start(
        &q, w->calls, "SELECT first, spoke_last, abroad, country FROM history WHERE caller = ?1",
        DB_VALUES(INT(caller)), f);
    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        struct span country = query_text(&q, 3);

        if (facts->first_call_ms == HISTORY_NEVER || query_int(&q, 0) < facts->first_call_ms)
            facts->first_call_ms = query_int(&q, 0);
        if (query_int(&q, 2) == 0 || query_null(&q, 1) || query_int(&q, 1) <= facts->abroad_ms)
            continue;
        facts->abroad_ms = query_int(&q, 1);
        memset(found->country, 0, sizeof(found->country));
        if (country.n && country.n < sizeof(found->country))
            memcpy(found->country, country.p, country.n);
    }
    query_end(&q);
    found->abroad_ms = facts->abroad_ms;
    return err;
}

static int read_created(struct walk *w, int64_t change, int64_t *out, struct fault *f)
{
    bool found = false;
    int err = 0;

    if (change != w->created)
        err = db_int(w->main, &w->created_ms, &found, "SELECT at FROM audit WHERE id = ?1",
                     DB_VALUES(INT(change)), f);
    w->created = change;
    *out = w->created_ms;
    return err;
}

static int add_target(struct sweep_plan *plan, const struct sweep_target *target, struct fault *f)
{
    if (plan->n == plan->cap) {
        size_t cap = plan->cap ? 2 * plan->cap : 1024;
        void *more = realloc(plan->targets, cap * sizeof(*plan->targets));

        if (!more)
            return fault_nomem(f);
        plan->targets = more;
        plan->cap = cap;
    }
    plan->targets[plan->n++] = *target;
    return 0;
}

static int tell(struct walk *w, struct sweep_found *found, const struct sweep_facts *facts,
                const struct sweep_target *target, struct fault *f)
{
    found->verdict = sweep_judge(facts, &w->plan->ask.terms);
    w->plan->counts[found->verdict]++;
    int err = found->verdict == SWEEP_RESTRICT ? add_target(w->plan, target, f) : 0;
    if (!w->each || err)
        return err;
    bool first = facts->first_call_ms != HISTORY_NEVER && facts->first_call_ms < facts->created_ms;
    found->known_ms = first ? facts->first_call_ms : facts->created_ms;
    if (found->verdict != SWEEP_RESTRICTED && found->verdict != SWEEP_OWN_RULES)
        found->rules_of = (struct span){NULL, 0};
    if (found->verdict != SWEEP_LIFTED && found->verdict != SWEEP_OBJECTED) {
        found->deed_ms = HISTORY_NEVER;
        found->deed_by = (struct span){NULL, 0};
    }
    return w->each(w->arg, found);
}

/* The switch of the present account, which is mostly that of the one before; false: it came after the list of
 * switches was read. */
static bool switch_of(struct walk *w, int64_t id, uint32_t *at)
{
    const struct sweep_plan *plan = w->plan;

    if (w->at >= plan->n_switches || plan->switches[w->at].id != id)
        for (w->at = 0; w->at < plan->n_switches; w->at++)
            if (plan->switches[w->at].id == id)
                break;
    *at = w->at;
    return w->at < plan->n_switches;
}

/* Who decided about an account that no rule restricts: who objected, or else who lifted its restriction last.
 * `own` has room for what is the account's alone. */
static int read_deeds(struct walk *w, const struct sweep_target *target,
                      struct house_tenant *tenant, struct house_deed *own,
                      const struct house_deed **deed, struct sweep_facts *facts, struct fault *f)
{
    struct query *q = &w->accounts;
    int err = 0;

    *deed = house_objected(tenant);
    if (!query_null(q, 6)) {
        own->ms = query_int(q, 6);
        snprintf(own->by, sizeof(own->by), "%.*s", SPAN_FMT(query_text(q, 7)));
        *deed = own;
    }
    facts->objected = (*deed)->ms != HISTORY_NEVER;
    if (facts->objected)
        return 0;
    err = house_lifted_account(&w->house, target->account_id, target->at, own, f);
    if (!err)
        err = house_lifted(&w->house, tenant, target->at, deed, f);
    if (!err && own->ms > (*deed)->ms)
        *deed = own;
    if (!err)
        facts->lifted_ms = (*deed)->ms;
    return err;
}

static int judge_account(struct walk *w, struct fault *f)
{
    static const struct coverage none = {.reach_ms = HISTORY_NEVER};
    struct query *q = &w->accounts;
    struct sweep_target target = {.account_id = query_int(q, 0), .rule_set = query_int(q, 4)};
    struct sweep_facts facts = {
        .abroad_ms = HISTORY_NEVER, .lifted_ms = HISTORY_NEVER, .first_call_ms = HISTORY_NEVER};
    struct house_tenant *tenant = house_tenant(&w->house, query_int(q, 3));
    const struct house_deed *deed = NULL;
    struct house_deed own;

    if (!switch_of(w, query_int(q, 1), &target.at) || !tenant)
        return 0;
    const struct sweep_switch *on = &w->plan->switches[target.at];
    struct sweep_found found = {.account_id = target.account_id,
                                .switch_id = on->id,
                                .tenant_id = tenant->id,
                                .name = query_text(q, 2),
                                .switch_name = span_of(on->name),
                                .tenant = span_skip(span_of(tenant->scope), strlen("tenant:")),
                                .access = span_of(on->access),
                                .abroad_ms = HISTORY_NEVER,
                                .deed_ms = HISTORY_NEVER};
    facts.records = on->strays ? &none : &on->records;
    int err = caller_of(w, &target.caller, f);
    if (!err)
        err = house_rules(&w->house, tenant, target.rule_set, target.at, &facts.rules,
                          &found.rules_of, f);
    if (!err)
        err = read_history(w, target.caller, &facts, &found, f);
    if (!err)
        err = read_created(w, query_int(q, 5), &facts.created_ms, f);
    if (!err && facts.rules == SWEEP_RULES_OPEN)
        err = read_deeds(w, &target, tenant, &own, &deed, &facts, f);
    if (deed) {
        found.deed_ms = deed->ms;
        found.deed_by = span_of(deed->ms == HISTORY_NEVER ? "" : deed->by);
    }
    return err ? err : tell(w, &found, &facts, &target, f);
}

#define SELECT_ACCOUNTS                                                                            \
    "SELECT a.id, a.switch, a.name, a.tenant, a.rule_set, a.created, o.at, o.actor"                \
    " FROM accounts a LEFT JOIN objections o ON o.account = a.id "

static int walk_accounts(struct walk *w, struct fault *f)
{
    int64_t within = w->plan->ask.within;
    int err = query_start(&w->accounts, w->main,
                          within ? SELECT_ACCOUNTS
                              "WHERE a.tenant IN " TENANTS_BELOW("?1") " ORDER BY a.switch, a.name"
                                 : SELECT_ACCOUNTS "WHERE ?1 = 0 ORDER BY a.switch, a.name",
                          DB_VALUES(INT(within)), f);

    if (err)
        return err;
    while ((err = query_row(&w->accounts, f)) == 1) {
        err = judge_account(w, f);
        if (err)
            break;
    }
    query_end(&w->accounts);
    return err;
}

static int walk_both(struct walk *w, struct fault *f)
{
    if (!w->calls)
        return walk_accounts(w, f);
    int err = query_start(&w->callers, w->calls,
                          "SELECT id, switch, name FROM callers ORDER BY switch, name", NULL, 0, f);
    if (err)
        return err;
    w->more_callers = true;
    err = next_caller(w, f);
    if (!err)
        err = walk_accounts(w, f);
    query_end(&w->callers);
    return err;
}

/* ---- the views ------------------------------------------------------------------------------ */

/* Where names are read wrongly, who calls seems not to. */
static int read_payers(struct walk *w, struct sweep_switch *on, struct fault *f)
{
    struct payers payers;
    bool found = false;
    int err = payers_read(w->calls, on->id, &payers, &found, f);

    on->strays = !err && found && payers_doubtful(&payers);
    return err;
}

static int read_days(struct walk *w, struct sweep_switch *on, struct fault *f)
{
    struct query q;
    int err = query_start(&q, w->calls, "SELECT day FROM days WHERE switch = ?1 ORDER BY day",
                          DB_VALUES(INT(on->id)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1)
        coverage_day(&on->records, query_int(&q, 0));
    query_end(&q);
    return err;
}

static int read_records(struct walk *w, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; !err && i < w->plan->n_switches; i++) {
        err = read_days(w, &w->plan->switches[i], f);
        if (!err)
            err = read_payers(w, &w->plan->switches[i], f);
    }
    return err;
}

/* What an import has not summed yet, no history tells: who called abroad would seem not to have. */
int sweep_check_summed(struct db *calls, struct fault *f)
{
    int64_t waiting = 0;
    bool found;
    int err = db_int(calls, &waiting, &found, "SELECT id FROM blocks WHERE summed = 0 LIMIT 1",
                     NULL, 0, f);

    if (err || !found)
        return err;
    return fault(
        f, ERR_CONFLICT,
        "call records are being imported, or an import was broken off: a sweep has to wait "
        "until all of them are in the history");
}

/* Callers that come later called nobody when the preview was made. */
static int read_calls(struct walk *w, struct fault *f)
{
    bool found;
    int err = sweep_check_summed(w->calls, f);

    if (!err)
        err = db_int(w->calls, &w->plan->last_caller, &found, "SELECT max(id) FROM callers", NULL,
                     0, f);
    return err ? err : read_records(w, f);
}

static int open_views(struct walk *w, const char *dir, struct fault *f)
{
    bool found;
    int err = store_file_read(&w->main, dir, &store_file_main, f);

    if (!err && store_file_exists(dir, &store_file_calls))
        err = store_file_view(&w->calls, dir, &store_file_calls, f);
    if (!err)
        err = db_run(w->main, DB_BEGIN, NULL, 0, f);
    if (!err)
        err = db_int(w->main, &w->plan->change, &found, "SELECT max(id) FROM audit", NULL, 0, f);
    if (!err)
        err = house_open(&w->house, w->main, w->plan, f);
    for (size_t i = 0; i < w->plan->n_switches; i++)
        coverage_begin(&w->plan->switches[i].records, w->plan->ask.terms.believed_ms);
    if (!err && w->calls)
        err = db_run(w->calls, DB_BEGIN, NULL, 0, f);
    return err || !w->calls ? err : read_calls(w, f);
}

static void close_view(struct db *db)
{
    if (db && !db_idle(db))
        db_run(db, DB_ROLLBACK, NULL, 0, NULL);
    db_close(db);
}

static int by_account(const void *left, const void *right)
{
    const struct sweep_target *a = left, *b = right;

    return (a->account_id > b->account_id) - (a->account_id < b->account_id);
}

int store_sweep_preview(struct store *store, const struct sweep_ask *ask,
                        int (*each)(void *arg, const struct sweep_found *found), void *arg,
                        struct sweep_plan **out, struct fault *f)
{
    struct sweep_plan *plan = calloc(1, sizeof(*plan));
    struct walk w = {.plan = plan, .each = each, .arg = arg};

    if (!plan)
        return fault_nomem(f);
    plan->ask = *ask;
    int err = store_read_wait(store, switches_job, plan, f);
    if (!err)
        err = open_views(&w, store->dir, f);
    if (!err)
        err = walk_both(&w, f);
    house_close(&w.house);
    close_view(w.calls);
    close_view(w.main);
    if (err) {
        sweep_plan_free(plan);
        return err;
    }
    /* Accounts are changed fastest in the order in which they lie. */
    if (plan->n)
        qsort(plan->targets, plan->n, sizeof(*plan->targets), by_account);
    *out = plan;
    return 0;
}

void sweep_plan_free(struct sweep_plan *plan)
{
    if (!plan)
        return;
    free(plan->switches);
    free(plan->targets);
    free(plan);
}

int64_t sweep_plan_change(const struct sweep_plan *plan)
{
    return plan->change;
}

const struct sweep_ask *sweep_plan_ask(const struct sweep_plan *plan)
{
    return &plan->ask;
}

uint64_t sweep_plan_count(const struct sweep_plan *plan, enum sweep_verdict verdict)
{
    return plan->counts[verdict];
}

size_t sweep_plan_switches(const struct sweep_plan *plan)
{
    return plan->n_switches;
}

struct sweep_records sweep_plan_records(const struct sweep_plan *plan, size_t i)
{
    const struct sweep_switch *on = &plan->switches[i];
    const struct sweep_terms *terms = &plan->ask.terms;

    return (struct sweep_records){
        .switch_name = span_of(on->name),
        .records = on->records,
        .strays = on->strays,
        .hold = !on->strays && coverage_holds(&on->records, terms->since_ms, terms->now_ms)};
}
