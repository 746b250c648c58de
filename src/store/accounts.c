/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/accounts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "store/below.h"
#include "store/names.h"
#include "store/page.h"
#include "store/rules.h"

/* Rules are part of the image: who is born or deleted is told with what he could call. */
const struct change_kind account_kind = {
    "account",
    "SELECT 'account:' || a.id, a.name || '@' || s.name, a.tenant, a.id, a.change"
    " FROM accounts a JOIN switches s ON s.id = a.switch WHERE a.id = ?1",
    "SELECT json_object('switch', s.name, 'name', a.name, 'tenant', t.name, 'state', a.state,"
    "                   'note', nullif(a.note, ''), 'adopted', json(iif(a.adopted, 'true', "
    "'false')),"
    "                   'rules', json(" RULES_JSON(
        "a.rule_set") "))"
                      " FROM accounts a JOIN switches s ON s.id = a.switch JOIN tenants t ON t.id "
                      "= a.tenant"
                      " WHERE a.id = ?1",
};

static const char born_sql[] =
    "WITH RECURSIVE above (id, preset, n) AS"
    " (SELECT id, preset, 0 FROM tenants WHERE id = ?1 UNION ALL"
    "  SELECT t.id, t.preset, n + 1 FROM above JOIN tenants x ON x.id = above.id"
    "  JOIN tenants t ON t.id = x.parent WHERE n < 100)"
    " SELECT rule_set FROM presets WHERE id = coalesce("
    "  (SELECT preset FROM above WHERE preset IS NOT NULL ORDER BY n LIMIT 1),"
    "  (SELECT min(id) FROM presets))";

int account_born(struct store_tx *tx, int64_t tenant, int64_t *set, struct fault *f)
{
    bool found = false;
    int err = db_int(tx->db, set, &found, born_sql, DB_VALUES(INT(tenant)), f);

    if (!err && !found)
        return fault(f, ERR_CONFLICT,
                     "there is no preset: without one nobody can say what a new "
                     "account may call; add a preset first");
    return err;
}

int account_reach(struct store_tx *tx, int64_t sw, int64_t tenant, struct fault *f)
{
    int64_t out = 0;
    bool found;
    int err = db_int(tx->db, &out, &found,
                     "SELECT EXISTS (SELECT 1 FROM switch_tenants WHERE switch = ?1) AND NOT EXISTS"
                     " (WITH RECURSIVE above (id) AS (SELECT ?2 UNION"
                     "   SELECT t.parent FROM above JOIN tenants t ON t.id = above.id)"
                     "  SELECT 1 FROM above JOIN switch_tenants x ON x.tenant = above.id"
                     "  WHERE x.switch = ?1)",
                     DB_VALUES(INT(sw), INT(tenant)), f);

    if (!err && out)
        return fault(f, ERR_DENIED,
                     "the tenant is not in reach of the switch; its list of tenants "
                     "must name it, or one above it");
    return err;
}

int account_home(struct store_tx *tx, struct span switch_name, struct span tenant,
                 struct account_home *out, struct fault *f)
{
    struct account_home home = {0};
    struct store_switch only_switch;
    struct store_tenant only_tenant;
    int err;

    if (switch_name.n) {
        err = switch_id(tx, switch_name, &home.switch_id, f);
    } else {
        err = store_switch_only(tx, &only_switch, f);
        home.switch_id = err ? 0 : only_switch.id;
    }
    if (err)
        return err;
    if (tenant.n) {
        err = tenant_id(tx, tenant, false, &home.tenant_id, f);
    } else {
        err = store_tenant_only(tx, &only_tenant, f);
        home.tenant_id = err ? 0 : only_tenant.id;
    }
    if (!err)
        err = account_reach(tx, home.switch_id, home.tenant_id, f);
    if (!err)
        err = account_born(tx, home.tenant_id, &home.born, f);
    if (!err)
        *out = home;
    return err;
}

int account_insert(struct store_tx *tx, const struct account_row *row, int64_t change, int64_t *id,
                   struct fault *f)
{
    int err = db_run(tx->db,
                     "INSERT INTO accounts (switch, name, tenant, state, note, adopted, rule_set,"
                     " state_set, created, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8)"
                     " ON CONFLICT (switch, name) DO NOTHING",
                     DB_VALUES(INT(row->switch_id), TEXT(row->name), INT(row->tenant_id),
                               WORD(store_state_name(row->state)), TEXT(row->note),
                               INT(row->adopted), INT(row->rule_set), INT(change)),
                     f);

    if (err)
        return err;
    if (db_changes(tx->db) == 0)
        return ERR_EXISTS;
    *id = db_last_id(tx->db);
    return 0;
}

int store_account_add(struct store_tx *tx, const struct store_by *by, const struct store_account *a,
                      int64_t *id, struct fault *f)
{
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    struct account_home home;
    struct change c;
    int64_t new = 0;
    int err = change_begin(&c, tx, by, &account_kind, "account.add", CHANGE_NEW, f);

    if (!err)
        err = account_name_clean(a->name, name, f);
    if (!err)
        err = text_check(a->note, STORE_TEXT_MAX, "the note", f);
    if (!err)
        err = account_home(tx, a->switch_name, a->tenant, &home, f);
    if (!err) {
        struct account_row row = {home.switch_id, home.tenant_id, span_of(name), a->state,
                                  a->note,        false,          home.born};
        err = account_insert(tx, &row, c.number, &new, f);
        if (err == ERR_EXISTS)
            fault(f, err, "there is an account \"%s\" on this switch already", name);
    }
    if (!err) {
        c.id = new;
        touched_account(tx->touched, home.switch_id, span_of(name));
    }
    err = change_end(&c, err, f);
    if (!err)
        *id = new;
    return err;
}

int store_account_update(struct store_tx *tx, const struct store_by *by,
                         const struct store_account *a, struct fault *f)
{
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    struct store_account old;
    struct change c;
    int64_t tenant = 0, other = 0;
    bool taken = false;
    int err = change_begin(&c, tx, by, &account_kind, "account.update", a->id, f);

    if (!err)
        err = store_account_get(tx, a->id, &old, f);
    if (!err)
        err = account_name_clean(a->name, name, f);
    if (!err)
        err = text_check(a->note, STORE_TEXT_MAX, "the note", f);
    if (!err)
        err = tenant_id(tx, a->tenant, false, &tenant, f);
    if (!err && tenant != old.tenant_id)
        err = account_reach(tx, old.switch_id, tenant, f);
    if (!err)
        err = db_int(tx->db, &other, &taken,
                     "SELECT id FROM accounts WHERE switch = ?1 AND name = ?2 AND id <> ?3",
                     DB_VALUES(INT(old.switch_id), WORD(name), INT(a->id)), f);
    if (!err && taken)
        err = fault(f, ERR_EXISTS, "there is an account \"%s\" on this switch already", name);
    if (!err)
        err =
            db_run(tx->db,
                   "UPDATE accounts SET name = ?2, tenant = ?3, state = ?4, note = ?5, change = ?6,"
                   " state_set = CASE WHEN state = ?4 THEN state_set ELSE ?6 END WHERE id = ?1",
                   DB_VALUES(INT(a->id), WORD(name), INT(tenant), WORD(store_state_name(a->state)),
                             TEXT(a->note), INT(c.number)),
                   f);
    if (!err) {
        touched_account(tx->touched, old.switch_id, old.name);
        touched_account(tx->touched, old.switch_id, span_of(name));
    }
    return change_end(&c, err, f);
}

int store_account_delete(struct store_tx *tx, const struct store_by *by, int64_t id,
                         struct fault *f)
{
    struct store_account old;
    struct change c;
    int err = change_begin(&c, tx, by, &account_kind, "account.delete", id, f);

    if (!err)
        err = store_account_get(tx, id, &old, f);
    if (!err)
        err = db_run(tx->db, "DELETE FROM accounts WHERE id = ?1", DB_VALUES(INT(id)), f);
    if (!err)
        touched_account(tx->touched, old.switch_id, old.name);
    return change_end(&c, err, f);
}

#define SELECT_ACCOUNT                                                                             \
    "SELECT a.id, a.change, a.created, born.at, s.name, a.name, t.name, a.state, a.note,"          \
    " a.adopted, EXISTS (SELECT 1 FROM stops WHERE stops.account = a.id), a.rule_set, a.switch,"   \
    " a.tenant, (SELECT actor FROM audit WHERE id = a.state_set) FROM accounts a JOIN switches s " \
    "ON s.id = a.switch"                                                                           \
    " JOIN tenants t ON t.id = a.tenant JOIN audit born ON born.id = a.created "

static int read_account(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_account *out = item;
    struct arena *arena = &tx->arena;
    bool ok = true;
    struct store_account a = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .created = query_int(q, 2),
        .created_ms = query_int(q, 3),
        .switch_name = query_copy(q, 4, arena, &ok),
        .name = query_copy(q, 5, arena, &ok),
        .tenant = query_copy(q, 6, arena, &ok),
        .note = query_copy(q, 8, arena, &ok),
        .adopted = query_int(q, 9) != 0,
        .stopped = query_int(q, 10) != 0,
        .rule_set = query_int(q, 11),
        .switch_id = query_int(q, 12),
        .tenant_id = query_int(q, 13),
        .state_actor = query_copy(q, 14, arena, &ok),
    };

    store_state_parse(query_text(q, 7), &a.state);
    if (!ok)
        return fault_nomem(f);
    *out = a;
    return 0;
}

/* Takes over a started query that gives at most one row, and ends it. */
static int read_one(struct store_tx *tx, struct query *q, const char *called,
                    struct store_account *out, struct fault *f)
{
    int err = query_row(q, f);

    if (err == 1)
        err = read_account(tx, q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no account %s", called);
    query_end(q);
    return err;
}

int store_account_get(struct store_tx *tx, int64_t id, struct store_account *out, struct fault *f)
{
    char called[32];
    struct query q;
    int err = query_start(&q, tx->db, SELECT_ACCOUNT "WHERE a.id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    snprintf(called, sizeof(called), "%" PRId64, id);
    return read_one(tx, &q, called, out, f);
}

int store_account_find(struct store_tx *tx, struct span switch_name, struct span name,
                       struct store_account *out, struct fault *f)
{
    char clean[STORE_ACCOUNT_NAME_MAX + 1], called[STORE_ACCOUNT_NAME_MAX + 40];
    struct query q;
    int64_t sw = 0;
    int err = account_name_clean(name, clean, f);

    if (!err)
        err = switch_id(tx, switch_name, &sw, f);
    if (!err)
        err = query_start(&q, tx->db, SELECT_ACCOUNT "WHERE a.switch = ?1 AND a.name = ?2",
                          DB_VALUES(INT(sw), WORD(clean)), f);
    if (err)
        return err;
    snprintf(called, sizeof(called), "\"%s\" on this switch", clean);
    return read_one(tx, &q, called, out, f);
}

/* Only the conditions that the query has, so that SQLite can choose the index that serves them. */
static void list_sql(struct buf *sql, const struct store_account_query *query)
{
    buf_puts(sql, SELECT_ACCOUNT "WHERE a.id > ?1");
    if (query->within)
        buf_puts(sql, " AND a.tenant IN " TENANTS_BELOW("?3"));
    if (query->switch_name.n)
        buf_puts(sql, " AND a.switch = ?4");
    if (query->tenant.n)
        buf_puts(sql, " AND a.tenant = ?5");
    if (query->by_state)
        buf_puts(sql, " AND a.state = ?6");
    if (query->text.n)
        buf_puts(sql, " AND (instr(a.name, lower(?7)) OR instr(a.note, ?7))");
    if (query->adopted)
        buf_puts(sql, " AND a.adopted = 1");
    buf_puts(sql, " ORDER BY a.id LIMIT ?2");
}

static int list_start(struct store_tx *tx, struct query *q, const struct store_account_query *query,
                      const struct page *p, struct fault *f)
{
    struct buf sql = {0};
    int64_t sw = 0, tenant = 0;
    int err = query->switch_name.n ? switch_id(tx, query->switch_name, &sw, f) : 0;

    if (!err)
        err = tenant_id(tx, query->tenant, true, &tenant, f);
    if (err)
        return err;
    list_sql(&sql, query);
    err = sql.failed ? fault_nomem(f)
                     : query_build(q, tx->db, sql.p,
                                   DB_VALUES(INT(p->id), INT(p->rows), INT(query->within), INT(sw),
                                             INT(tenant), WORD(store_state_name(query->state)),
                                             TEXT(query->text)),
                                   f);
    buf_free(&sql);
    return err;
}

int store_account_note(struct store_tx *tx, const struct store_by *by, int64_t id,
                       const char *action, struct span detail, struct fault *f)
{
    const struct change_kind kind = {account_kind.noun, account_kind.label, NULL};
    struct change c;
    int err = change_begin(&c, tx, by, &kind, action, id, f);

    c.after = detail;
    return change_end(&c, err, f);
}

int store_account_count(struct store_tx *tx, int64_t switch_id, uint64_t *out, struct fault *f)
{
    int64_t n = 0;
    bool found;
    int err = db_int(tx->db, &n, &found, "SELECT count(*) FROM accounts WHERE switch = ?1",
                     DB_VALUES(INT(switch_id)), f);

    if (!err)
        *out = (uint64_t)n;
    return err;
}

int store_account_list(struct store_tx *tx, const struct store_account_query *query,
                       struct store_account_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_account), .read = read_account};
    struct query q;
    int err = page_begin_id(&p, &query->page, 0, f);

    if (!err)
        err = list_start(tx, &q, query, &p, f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_account_list){p.items, p.n, p.next};
    return err;
}
