/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/sweep_house.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/rules.h"

/* ---- tenants -------------------------------------------------------------------------------- */

static void copy(char *out, size_t size, struct span text)
{
    snprintf(out, size, "%.*s", SPAN_FMT(text));
}

static int compare(const void *left, const void *right)
{
    const struct house_tenant *a = left, *b = right;

    return (a->id > b->id) - (a->id < b->id);
}

struct house_tenant *house_tenant(const struct house *house, int64_t id)
{
    const struct house_tenant key = {.id = id};

    return house->n_tenants ? bsearch(&key, house->tenants, house->n_tenants, sizeof(key), compare)
                            : NULL;
}

static void read_tenant(struct query *q, struct house_tenant *t)
{
    struct span name = query_text(q, 1);

    t->id = query_int(q, 0);
    t->rule_set = query_int(q, 2);
    snprintf(t->scope, sizeof(t->scope), "tenant:%.*s", SPAN_FMT(name));
    t->objected.ms = query_null(q, 3) ? HISTORY_NEVER : query_int(q, 3);
    copy(t->objected.by, sizeof(t->objected.by), query_text(q, 4));
    t->lifted_at = UINT32_MAX;
}

static int read_parents(struct house *house, struct fault *f)
{
    struct query q;
    int err = query_start(&q, house->main, "SELECT id, parent FROM tenants WHERE parent NOT NULL",
                          NULL, 0, f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        struct house_tenant *t = house_tenant(house, query_int(&q, 0));

        if (t)
            t->parent = house_tenant(house, query_int(&q, 1));
    }
    query_end(&q);
    return err;
}

static int read_tenants(struct house *house, struct fault *f)
{
    struct query q;
    size_t cap = 0;
    int err = query_start(&q, house->main,
                          "SELECT t.id, t.name, t.rule_set, o.at, coalesce(o.actor, '')"
                          " FROM tenants t LEFT JOIN objections o ON o.tenant = t.id ORDER BY t.id",
                          NULL, 0, f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        if (house->n_tenants == cap) {
            cap = cap ? 2 * cap : 64;
            void *more = realloc(house->tenants, cap * sizeof(*house->tenants));
            if (!more) {
                err = fault_nomem(f);
                break;
            }
            house->tenants = more;
            memset(house->tenants + house->n_tenants, 0,
                   (cap - house->n_tenants) * sizeof(*house->tenants));
        }
        read_tenant(&q, &house->tenants[house->n_tenants++]);
    }
    query_end(&q);
    return err ? err : read_parents(house, f);
}

int house_open(struct house *house, struct db *main, const struct sweep_plan *plan, struct fault *f)
{
    bool found;

    *house = (struct house){.main = main, .plan = plan};
    int err = read_tenants(house, f);
    if (!err)
        err =
            db_int(main, &house->operator_set, &found, "SELECT rule_set FROM operator", NULL, 0, f);
    if (err)
        house_close(house);
    return err;
}

void house_close(struct house *house)
{
    free(house->tenants);
    free(house->opinions.slots);
    *house = (struct house){0};
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* What rule sets say behind the access prefix of a switch: a house has few, and many accounts with each. */
struct house_opinion {
    int64_t rule_set; /* 0: free */
    uint32_t at;
    struct sweep_says says;
};

static struct house_opinion *slot_of(const struct house_opinions *o, int64_t rule_set, uint32_t at)
{
    size_t i = (size_t)(((uint64_t)rule_set * 31 + at) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

    for (i &= o->size - 1; o->slots[i].rule_set; i = (i + 1) & (o->size - 1))
        if (o->slots[i].rule_set == rule_set && o->slots[i].at == at)
            break;
    return &o->slots[i];
}

static int grow(struct house_opinions *o, struct fault *f)
{
    struct house_opinions more = {.n = o->n, .size = o->size ? 2 * o->size : 64};

    more.slots = calloc(more.size, sizeof(*more.slots));
    if (!more.slots)
        return fault_nomem(f);
    for (size_t i = 0; i < o->size; i++)
        if (o->slots[i].rule_set)
            *slot_of(&more, o->slots[i].rule_set, o->slots[i].at) = o->slots[i];
    free(o->slots);
    *o = more;
    return 0;
}

static int says(struct house *house, int64_t rule_set, uint32_t at, struct sweep_says *out,
                struct fault *f)
{
    struct house_opinions *o = &house->opinions;
    struct arena arena = {0};
    const struct rule *rules;
    size_t n;
    int err = 2 * o->n >= o->size ? grow(o, f) : 0;

    if (err)
        return err;
    struct house_opinion *slot = slot_of(o, rule_set, at);
    if (!slot->rule_set) {
        err = rules_read(house->main, &arena, rule_set, &rules, &n, f);
        if (!err) {
            struct span access = span_of(house->plan->switches[at].access);

            *slot = (struct house_opinion){
                rule_set, at, sweep_says(rules, n, access, house->plan->ask.terms.now_ms / 1000)};
            o->n++;
        }
        arena_free(&arena);
    }
    if (!err)
        *out = slot->says;
    return err;
}

/* The account, its tenant and those above, the operator. */
#define LEVELS_MAX (STORE_TENANT_DEPTH_MAX + 2)

int house_rules(struct house *house, struct house_tenant *tenant, int64_t rule_set, uint32_t at,
                enum sweep_rules *out, struct span *by, struct fault *f)
{
    struct sweep_says of[LEVELS_MAX];
    struct span who[LEVELS_MAX];
    size_t n = 1, level;
    int err = says(house, rule_set, at, &of[0], f);

    who[0] = SPAN("account");
    for (struct house_tenant *t = tenant; !err && t && n + 1 < LEVELS_MAX; t = t->parent) {
        who[n] = span_of(t->scope);
        err = says(house, t->rule_set, at, &of[n++], f);
    }
    who[n] = SPAN("operator");
    if (!err)
        err = says(house, house->operator_set, at, &of[n++], f);
    if (err)
        return err;
    *out = sweep_rules(of, n, &level);
    *by = who[level];
    return 0;
}

/* ---- who objected, who lifted --------------------------------------------------------------- */

const struct house_deed *house_objected(const struct house_tenant *tenant)
{
    static const struct house_deed nobody = {.ms = HISTORY_NEVER};

    for (; tenant; tenant = tenant->parent)
        if (tenant->objected.ms != HISTORY_NEVER)
            return &tenant->objected;
    return &nobody;
}

/* A change that took away a rule by which all international calls were restricted. */
#define LIFTED(whose)                                                                              \
    "SELECT at, actor FROM audit WHERE " whose                                                     \
    " AND action IN ('rules.put', 'rules.delete', 'rules.replace')"                                \
    " AND EXISTS (SELECT 1 FROM json_each(CASE json_type(detail, '$.before') WHEN 'array'"         \
    "   THEN json_extract(detail, '$.before')"                                                     \
    "   ELSE json_array(json(json_extract(detail, '$.before'))) END) AS rule"                      \
    "  WHERE json_extract(rule.value, '$.action') = 'restrict'"                                    \
    "   AND json_extract(rule.value, '$.prefix')"                                                  \
    "    = substr(?2, 1, length(json_extract(rule.value, '$.prefix'))))"                           \
    " ORDER BY id DESC LIMIT 1"

static const char lifted_account[] = LIFTED("account = ?1");
/* Of its rules, not of those of its accounts. */
static const char lifted_tenant[] = LIFTED("tenant = ?1 AND account IS NULL");

static int read_lifted(struct house *house, const char *sql, int64_t id, uint32_t at,
                       struct house_deed *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, house->main, sql,
                          DB_VALUES(INT(id), WORD(house->plan->switches[at].access)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    out->ms = HISTORY_NEVER;
    if (err == 1) {
        out->ms = query_int(&q, 0);
        copy(out->by, sizeof(out->by), query_text(&q, 1));
    }
    query_end(&q);
    return err < 0 ? err : 0;
}

int house_lifted_account(struct house *house, int64_t account, uint32_t at, struct house_deed *out,
                         struct fault *f)
{
    return read_lifted(house, lifted_account, account, at, out, f);
}

int house_lifted(struct house *house, struct house_tenant *tenant, uint32_t at,
                 const struct house_deed **out, struct fault *f)
{
    static const struct house_deed nobody = {.ms = HISTORY_NEVER};
    int err = 0;

    *out = &nobody;
    for (; !err && tenant; tenant = tenant->parent) {
        /* Accounts come by switch: what was told last is mostly what is asked. */
        if (tenant->lifted_at != at)
            err = read_lifted(house, lifted_tenant, tenant->id, at, &tenant->lifted, f);
        tenant->lifted_at = err ? UINT32_MAX : at;
        if (!err && tenant->lifted.ms > (*out)->ms)
            *out = &tenant->lifted;
    }
    return err;
}
