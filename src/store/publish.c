/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/publish.h"

#include <stdlib.h>

#include "policy/snapshot.h"
#include "store/bulk_impl.h"
#include "store/rules.h"
#include "store/store_impl.h"

/* Rule sets of the store by id, as the snapshot has interned them; a set is read once. */
struct sets {
    struct set_slot {
        int64_t id; /* 0: free */
        const struct ruleset *set;
    } * slots;
    size_t n, cap; /* cap is a power of two */
    struct set_slot last;
};

static struct set_slot *find_slot(const struct sets *s, int64_t id)
{
    size_t at = (size_t)(((uint64_t)id * 0x9e3779b97f4a7c15u) >> 20) & (s->cap - 1);

    while (s->slots[at].id && s->slots[at].id != id)
        at = (at + 1) & (s->cap - 1);
    return &s->slots[at];
}

static int grow(struct sets *s, struct fault *f)
{
    struct sets more = {.cap = s->cap ? 2 * s->cap : 64, .n = s->n};

    more.slots = calloc(more.cap, sizeof(*more.slots));
    if (!more.slots)
        return fault_nomem(f);
    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i].id)
            *find_slot(&more, s->slots[i].id) = s->slots[i];
    free(s->slots);
    *s = more;
    return 0;
}

static void sets_free(struct sets *s, struct snapshot *snap)
{
    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i].id)
            snapshot_rules_unref(snap, s->slots[i].set);
    free(s->slots);
}

static int find_set(struct sets *s, struct store_tx *tx, int64_t id, const struct ruleset **out,
                    struct fault *f)
{
    struct snapshot *snap = store_snapshot(tx->store);
    struct arena arena = {0};
    const struct rule *rules;
    size_t n;

    if (s->last.id == id) {
        *out = s->last.set;
        return 0;
    }
    int err = 2 * s->n >= s->cap ? grow(s, f) : 0;
    if (err)
        return err;
    struct set_slot *slot = find_slot(s, id);
    if (!slot->id) {
        err = rules_read(tx->db, &arena, id, &rules, &n, f);
        if (!err)
            err = snapshot_rules(snap, rules, n, &slot->set, f);
        if (!err) {
            slot->id = id;
            s->n++;
        }
        arena_free(&arena);
    }
    if (!err) {
        s->last = *slot;
        *out = slot->set;
    }
    return err;
}

#define SELECT_ACCOUNT                                                                             \
    "SELECT a.id, a.switch, a.name, a.tenant, a.state, a.rule_set FROM accounts a "

static enum account_state state_of(enum store_state state)
{
    switch (state) {
    case STORE_ACTIVE: return ACCOUNT_ACTIVE;
    case STORE_SUSPENDED: return ACCOUNT_SUSPENDED;
    case STORE_LOCKED: break;
    }
    return ACCOUNT_LOCKED;
}

static int stage_row(struct sets *sets, struct store_tx *tx, struct query *q, bool stopped,
                     struct fault *f)
{
    enum store_state state = STORE_LOCKED;

    store_state_parse(query_text(q, 4), &state);
    struct snapshot_account a = {
        .id = query_int(q, 0),
        .switch_id = query_int(q, 1),
        .name = query_text(q, 2),
        .tenant = query_int(q, 3),
        .state = state_of(state),
        .stopped = stopped,
    };
    int err = find_set(sets, tx, query_int(q, 5), &a.rules, f);

    return err ? err : snapshot_stage_account(store_snapshot(tx->store), &a, f);
}

static int count(struct store_tx *tx, const char *sql, size_t *n, struct fault *f)
{
    int64_t rows = 0;
    bool found;
    int err = db_int(tx->db, &rows, &found, sql, NULL, 0, f);

    if (!err)
        *n = (size_t)rows;
    return err;
}

/* The accounts that are stopped, in the order of their ids: beside a walk through all accounts, this is
 * much quicker than to ask for each. */
struct stopped {
    struct query q;
    int64_t next; /* INT64_MAX: no more */
};

static int next_stopped(struct stopped *s, struct fault *f)
{
    int more = query_row(&s->q, f);

    s->next = more == 1 ? query_int(&s->q, 0) : INT64_MAX;
    return more < 0 ? more : 0;
}

static int is_stopped(struct stopped *s, int64_t id, bool *out, struct fault *f)
{
    int err = 0;

    while (!err && s->next < id)
        err = next_stopped(s, f);
    *out = s->next == id;
    return err;
}

static int stage_walk(struct sets *sets, struct store_tx *tx, struct stopped *stops, int64_t above,
                      struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_ACCOUNT "WHERE a.id > ?1 ORDER BY a.id",
                          DB_VALUES(INT(above)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        bool stopped = false;
        err = is_stopped(stops, query_int(&q, 0), &stopped, f);
        if (!err)
            err = stage_row(sets, tx, &q, stopped, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* Every account with an id above `above`. */
static int stage_above(struct sets *sets, struct store_tx *tx, int64_t above, struct fault *f)
{
    struct stopped stops;
    size_t n = 0;
    int err = 0;

    if (above == 0 && !tx->store->loaded) /* later they have their slots */
        err = count(tx, "SELECT count(*) FROM accounts", &n, f);
    if (!err && n)
        err = snapshot_reserve(store_snapshot(tx->store), n, f);
    if (err)
        return err;
    err = query_start(&stops.q, tx->db,
                      "SELECT account FROM stops WHERE account > ?1 ORDER BY account",
                      DB_VALUES(INT(above)), f);

    if (err)
        return err;
    err = next_stopped(&stops, f);
    if (!err)
        err = stage_walk(sets, tx, &stops, above, f);
    query_end(&stops.q);
    return err;
}

/* What has just been inserted, without reading it again. */
static int stage_bulk(struct sets *sets, struct store_tx *tx, const struct bulk *b, struct fault *f)
{
    struct snapshot *snap = store_snapshot(tx->store);
    int err = snapshot_reserve(snap, b->n, f);

    for (size_t i = 0; !err && i < b->n; i++) {
        if (i % 4096 == 0)
            bulk_phase(b, BULK_COMMITTING, i, b->n);
        const struct bulk_row *row = &b->rows[i];
        const struct account_home *home = &b->homes[row->home].at;
        struct snapshot_account a = {
            .id = b->base + 1 + (int64_t)i,
            .switch_id = home->switch_id,
            .name = {row->name, row->name_n},
            .tenant = home->tenant_id,
            .state = state_of(row->state),
        };

        err = find_set(sets, tx, bulk_rule_set(b, row), &a.rules, f);
        if (!err)
            err = snapshot_stage_account(snap, &a, f);
    }
    return err;
}

static int stage_found(struct sets *sets, struct store_tx *tx, struct query *q, struct fault *f)
{
    int64_t stopped = 0;
    bool found;
    int err =
        db_int(tx->db, &stopped, &found, "SELECT EXISTS (SELECT 1 FROM stops WHERE account = ?1)",
               DB_VALUES(INT(query_int(q, 0))), f);

    return err ? err : stage_row(sets, tx, q, stopped != 0, f);
}

static int stage_one(struct sets *sets, struct store_tx *tx, const struct touched_account *t,
                     struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_ACCOUNT "WHERE a.switch = ?1 AND a.name = ?2",
                          DB_VALUES(INT(t->switch_id), WORD(t->name)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = stage_found(sets, tx, &q, f);
    else if (err == 0)
        err = snapshot_stage_removal(store_snapshot(tx->store), t->switch_id, span_of(t->name), f);
    query_end(&q);
    return err;
}

/* ---- levels --------------------------------------------------------------------------------- */

static enum mode mode_of(enum store_mode mode)
{
    switch (mode) {
    case STORE_INHERIT: return MODE_INHERIT;
    case STORE_ENFORCE: return MODE_ENFORCE;
    case STORE_OBSERVE: return MODE_OBSERVE;
    }
    return MODE_ENFORCE;
}

static int read_rules(struct store_tx *tx, int64_t set, struct levels_rules *out, struct fault *f)
{
    return rules_read(tx->db, &tx->arena, set, &out->rules, &out->n, f);
}

static int read_tenant(struct store_tx *tx, struct query *q, struct levels_tenant *t,
                       struct fault *f)
{
    enum store_mode mode = STORE_INHERIT;
    int64_t born = 0;
    bool ok = true;

    store_mode_parse(query_text(q, 3), &mode);
    *t = (struct levels_tenant){
        .id = query_int(q, 0),
        .name = query_copy(q, 1, &tx->arena, &ok),
        .parent = query_int(q, 2),
        .mode = mode_of(mode),
        .area = query_copy(q, 4, &tx->arena, &ok),
        .stopped = query_int(q, 6) != 0,
    };
    int err = ok ? read_rules(tx, query_int(q, 5), &t->rules, f) : fault_nomem(f);
    if (!err)
        err = account_born(tx, t->id, &born, f);
    return err ? err : read_rules(tx, born, &t->born, f);
}

static int read_tenants(struct store_tx *tx, struct levels_config *config, struct fault *f)
{
    struct query q;
    size_t n = 0, max = 0;
    int err = count(tx, "SELECT count(*) FROM tenants", &max, f);
    struct levels_tenant *tenants =
        err ? NULL : arena_alloc(&tx->arena, (max + 1) * sizeof(*tenants));

    if (err)
        return err;
    if (!tenants)
        return fault_nomem(f);
    err = query_start(&q, tx->db,
                      "SELECT id, name, parent, mode, area, rule_set,"
                      " EXISTS (SELECT 1 FROM stops WHERE stops.tenant = tenants.id) FROM tenants",
                      NULL, 0, f);
    if (err)
        return err;
    while (n < max && (err = query_row(&q, f)) == 1) {
        err = read_tenant(tx, &q, &tenants[n], f);
        if (err)
            break;
        n++;
    }
    query_end(&q);
    config->tenants = tenants;
    config->n_tenants = n;
    return err;
}

static int read_networks(struct store_tx *tx, const struct store_switch *s,
                         struct levels_switch *out, struct fault *f)
{
    struct network *networks = arena_alloc(&tx->arena, (s->n_addresses + 1) * sizeof(*networks));
    int err = networks ? 0 : fault_nomem(f);

    for (size_t i = 0; !err && i < s->n_addresses; i++)
        err = network_parse(s->addresses[i], &networks[i], f);
    out->networks = networks;
    out->n_networks = s->n_addresses;
    return err;
}

static int read_reach(struct store_tx *tx, const struct store_switch *s, struct levels_switch *out,
                      struct fault *f)
{
    int64_t *tenants = arena_alloc(&tx->arena, (s->n_tenants + 1) * sizeof(*tenants));
    struct query q;
    size_t n = 0;

    if (!tenants)
        return fault_nomem(f);
    int err = query_start(&q, tx->db, "SELECT tenant FROM switch_tenants WHERE switch = ?1",
                          DB_VALUES(INT(s->id)), f);
    if (err)
        return err;
    while (n < s->n_tenants && (err = query_row(&q, f)) == 1)
        tenants[n++] = query_int(&q, 0);
    query_end(&q);
    out->tenants = tenants;
    out->n_tenants = n;
    return err < 0 ? err : 0;
}

static int read_switch(struct store_tx *tx, int64_t id, int64_t adopt, struct levels_switch *out,
                       struct fault *f)
{
    struct store_switch s;
    int err = store_switch_get(tx, id, &s, f);

    if (err)
        return err;
    *out = (struct levels_switch){
        .id = s.id,
        .name = s.name,
        .site = {.plan = s.plan, .outside = s.outside, .extensions = s.extensions, .area = s.area},
        .form = s.form,
        .mode = mode_of(s.mode),
        .unknown = s.unknown == STORE_BORN ? UNKNOWN_BORN : UNKNOWN_DENY,
        .adopt_tenant = adopt,
        .sip = {s.sip_account, (unsigned)s.sip_allow, (unsigned)s.sip_deny},
    };
    err = read_networks(tx, &s, out, f);
    return err ? err : read_reach(tx, &s, out, f);
}

static int read_switches(struct store_tx *tx, struct levels_config *config, struct fault *f)
{
    struct query q;
    size_t n = 0, max = 0;
    int err = count(tx, "SELECT count(*) FROM switches", &max, f);
    struct levels_switch *switches =
        err ? NULL : arena_alloc(&tx->arena, (max + 1) * sizeof(*switches));

    if (err)
        return err;
    if (!switches)
        return fault_nomem(f);
    err = query_start(&q, tx->db, "SELECT id, adopt_tenant FROM switches", NULL, 0, f);
    if (err)
        return err;
    while (n < max && (err = query_row(&q, f)) == 1) {
        err = read_switch(tx, query_int(&q, 0), query_int(&q, 1), &switches[n], f);
        if (err)
            break;
        n++;
    }
    query_end(&q);
    config->switches = switches;
    config->n_switches = n;
    return err;
}

static int stage_levels(struct store_tx *tx, struct fault *f)
{
    const struct store_config *house = &tx->store->config;
    struct levels_config config = {
        .tables = tx->tables,
        .help_lines = house->help_lines,
        .n_help_lines = house->n_help_lines,
        .holidays = store_holidays(tx),
    };
    int64_t set = 0, stopped = 0;
    bool found;
    int err = read_tenants(tx, &config, f);

    if (!err)
        err = read_switches(tx, &config, f);
    if (!err)
        err = db_int(tx->db, &set, &found, "SELECT rule_set FROM operator", NULL, 0, f);
    if (!err)
        err = read_rules(tx, set, &config.operator_rules, f);
    if (!err)
        err = db_int(tx->db, &stopped, &found,
                     "SELECT EXISTS (SELECT 1 FROM stops WHERE tenant IS NULL AND account IS NULL)",
                     NULL, 0, f);
    config.stopped = stopped != 0;
    return err ? err : snapshot_stage_levels(store_snapshot(tx->store), &config, f);
}

int publish_stage_all(struct store_tx *tx, struct fault *f)
{
    struct touched everything = {.levels = true, .any_above = true};

    return publish_stage(tx, &everything, f);
}

int publish_stage(struct store_tx *tx, const struct touched *touched, struct fault *f)
{
    struct snapshot *snap = store_snapshot(tx->store);
    struct sets sets = {0};
    int err = touched->failed ? fault_nomem(f) : 0;

    if (!snap || !tx->tables)
        return err;
    if (!err && touched->levels)
        err = stage_levels(tx, f);
    if (!err && touched->any_above)
        err = stage_above(&sets, tx, touched->accounts_above, f);
    if (!err && touched->bulk)
        err = stage_bulk(&sets, tx, touched->bulk, f);
    for (size_t i = 0; !err && i < touched->n; i++)
        err = stage_one(&sets, tx, &touched->accounts[i], f);
    sets_free(&sets, snap);
    if (err)
        snapshot_discard(snap, 0);
    return err;
}

void publish_commit(struct store *store, int64_t change)
{
    if (store_snapshot(store) && store->tables)
        snapshot_publish(store_snapshot(store), change);
}

void publish_discard(struct store *store)
{
    if (store_snapshot(store))
        snapshot_discard(store_snapshot(store), 0);
}
