/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/payers.h"

#include "store/calls_impl.h"

bool payers_doubtful(const struct payers *payers)
{
    return payers->stray_calls > 0 && payers->stray_calls * 5 >= payers->calls;
}

int payers_read(struct db *db, int64_t switch_id, struct payers *out, bool *found, struct fault *f)
{
    struct query q;
    int err = query_start(&q, db,
                          "SELECT at, calls, stray_calls, callers, stray_callers, accounts, silent"
                          " FROM payers WHERE switch = ?1",
                          DB_VALUES(INT(switch_id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    *found = err == 1;
    if (*found)
        *out = (struct payers){.at_ms = query_int(&q, 0),
                               .calls = (uint64_t)query_int(&q, 1),
                               .stray_calls = (uint64_t)query_int(&q, 2),
                               .callers = (uint64_t)query_int(&q, 3),
                               .stray_callers = (uint64_t)query_int(&q, 4),
                               .accounts = (uint64_t)query_int(&q, 5),
                               .silent = (uint64_t)query_int(&q, 6)};
    query_end(&q);
    return err < 0 ? err : 0;
}

/* Puts one in its place among those with most calls. */
static void add_top(struct payers_top *top, struct span name, uint64_t calls)
{
    size_t i = top->n;

    if (i == PAYERS_TOP && top->items[i - 1].calls >= calls)
        return;
    if (i == PAYERS_TOP)
        i--;
    else
        top->n++;
    for (; i > 0 && top->items[i - 1].calls < calls; i--)
        top->items[i] = top->items[i - 1];
    top->items[i] = (struct payers_stray){.calls = calls};
    memcpy(top->items[i].name, name.p, name.n);
}

static int count(struct query *q, bool (*is_account)(void *arg, struct span name), void *arg,
                 struct payers *out, struct payers_top *top, struct fault *f)
{
    int err;

    while ((err = query_row(q, f)) == 1) {
        struct span name = query_text(q, 0);
        uint64_t calls = (uint64_t)query_int(q, 1);

        if (name.n > STORE_ACCOUNT_NAME_MAX)
            continue;
        out->callers++;
        out->calls += calls;
        if (is_account(arg, name))
            continue;
        out->stray_callers++;
        out->stray_calls += calls;
        add_top(top, name, calls);
    }
    return err;
}

static int keep(struct calls *calls, int64_t switch_id, const struct payers *p, struct fault *f)
{
    return db_run(calls->db,
                  "INSERT OR REPLACE INTO payers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                  DB_VALUES(INT(switch_id), INT(p->at_ms), INT((int64_t)p->calls),
                            INT((int64_t)p->stray_calls), INT((int64_t)p->callers),
                            INT((int64_t)p->stray_callers), INT((int64_t)p->accounts),
                            INT((int64_t)p->silent)),
                  f);
}

int payers_count(struct calls *calls, int64_t switch_id,
                 bool (*is_account)(void *arg, struct span name), void *arg, uint64_t accounts,
                 int64_t now_ms, struct payers *out, struct payers_top *top, struct fault *f)
{
    struct payers p = {.at_ms = now_ms, .accounts = accounts};
    struct query q;
    int err = query_start(
        &q, calls->db,
        "SELECT c.name, sum(h.answered + h.unanswered + h.failed + h.refused + h.doubted)"
        " FROM callers c JOIN history h ON h.caller = c.id WHERE c.switch = ?1 GROUP BY c.id",
        DB_VALUES(INT(switch_id)), f);

    if (err)
        return err;
    top->n = 0;
    err = count(&q, is_account, arg, &p, top, f);
    query_end(&q);
    uint64_t matched = p.callers - p.stray_callers;
    p.silent = matched < accounts ? accounts - matched : 0;
    if (!err)
        err = calls_begin(calls, f);
    if (!err)
        err = calls_end(calls, keep(calls, switch_id, &p, f), f);
    if (!err)
        *out = p;
    return err;
}
