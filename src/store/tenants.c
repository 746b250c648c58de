/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "store/below.h"
#include "store/change.h"
#include "store/names.h"
#include "store/notices.h"
#include "store/page.h"
#include "store/rules.h"

static const struct change_kind tenant_kind = {
    "tenant",
    "SELECT 'tenant:' || name, 'tenant:' || name, id, NULL, change FROM tenants WHERE id = ?1",
    "SELECT json_object('name', t.name, 'title', t.title, 'parent', p.name, 'mode', t.mode,"
    "                   'preset', s.name, 'language', t.language, 'area', nullif(t.area, ''),"
    "                   'mail', nullif(t.mail, ''))"
    " FROM tenants t LEFT JOIN tenants p ON p.id = t.parent LEFT JOIN presets s ON s.id = t.preset"
    " WHERE t.id = ?1",
};

static int check(const struct store_tenant *t, struct fault *f)
{
    int err = name_check(t->name, "tenant", f);

    if (!err)
        err = text_check(t->title, STORE_TEXT_MAX, "the title", f);
    if (!err && !span_is(t->language, "ja") && !span_is(t->language, "en"))
        err = fault(f, ERR_RANGE, "the language \"%s\" is neither ja nor en", ESCAPED(t->language));
    if (!err && t->area.n > 16)
        err = fault(f, ERR_RANGE, "the area code \"%s\" is too long", ESCAPED(t->area));
    for (size_t i = 0; !err && i < t->area.n; i++)
        if (t->area.p[i] < '0' || t->area.p[i] > '9')
            err = fault(f, ERR_SYNTAX, "the area code \"%s\" is not digits", ESCAPED(t->area));
    return err ? err : notice_addresses_check(t->mail, f);
}

static int name_is_free(struct store_tx *tx, struct span name, int64_t id, struct fault *f)
{
    int64_t other = 0;
    bool found = false;
    int err = db_int(tx->db, &other, &found, "SELECT id FROM tenants WHERE name = ?1 AND id <> ?2",
                     DB_VALUES(TEXT(name), INT(id)), f);

    if (!err && found)
        return fault(f, ERR_EXISTS, "there is a tenant \"%s\" already", ESCAPED(name));
    return err;
}

/* How many tenants stand above `id`, itself included. The LIMIT ends a circle in a damaged store. */
static const char depth_sql[] =
    "WITH RECURSIVE above (id, n) AS (SELECT ?1, 1 UNION ALL"
    " SELECT t.parent, n + 1 FROM above JOIN tenants t ON t.id = above.id"
    " WHERE t.parent IS NOT NULL LIMIT 100) SELECT max(n) FROM above";
/* How many levels `id` and those below it make. */
static const char height_sql[] =
    "WITH RECURSIVE below (id, n) AS (SELECT ?1, 1 UNION ALL"
    " SELECT t.id, n + 1 FROM below JOIN tenants t ON t.parent = below.id WHERE n < 100)"
    " SELECT max(n) FROM below";

/* `id` (0 for a new one) may stand under `parent`. */
static int check_parent(struct store_tx *tx, int64_t id, int64_t parent, struct fault *f)
{
    int64_t depth = 0, height = 1;
    bool found, circle = false;
    int err = 0;

    if (parent == 0)
        return 0;
    if (id)
        err = store_tenant_within(tx, parent, id, &circle, f);
    if (!err && circle)
        return fault(f, ERR_RANGE, "a tenant cannot stand under itself or under one below it");
    if (!err)
        err = db_int(tx->db, &depth, &found, depth_sql, DB_VALUES(INT(parent)), f);
    if (!err && id)
        err = db_int(tx->db, &height, &found, height_sql, DB_VALUES(INT(id)), f);
    if (!err && depth + height > STORE_TENANT_DEPTH_MAX)
        return fault(f, ERR_RANGE, "tenants can be nested %d deep, not %" PRId64,
                     STORE_TENANT_DEPTH_MAX, depth + height);
    return err;
}

struct refs {
    int64_t parent, preset;
};

static int resolve(struct store_tx *tx, const struct store_tenant *t, int64_t id, struct refs *refs,
                   struct fault *f)
{
    int err = check(t, f);

    if (!err)
        err = name_is_free(tx, t->name, id, f);
    if (!err)
        err = tenant_id(tx, t->parent, true, &refs->parent, f);
    if (!err)
        err = preset_id(tx, t->preset, true, &refs->preset, f);
    if (!err)
        err = check_parent(tx, id, refs->parent, f);
    return err;
}

int store_tenant_add(struct store_tx *tx, const struct store_by *by, const struct store_tenant *t,
                     int64_t *id, struct fault *f)
{
    struct change c;
    struct refs refs = {0};
    int64_t new = 0;
    int err = change_begin(&c, tx, by, &tenant_kind, "tenant.add", CHANGE_NEW, f);

    if (!err)
        err = resolve(tx, t, 0, &refs, f);
    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO tenants (name, title, parent, mode, preset, language, area,"
                     " rule_set, change, mail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                     DB_VALUES(TEXT(t->name), TEXT(t->title), ID(refs.parent),
                               WORD(store_mode_name(t->mode)), ID(refs.preset), TEXT(t->language),
                               TEXT(t->area), INT(RULES_EMPTY), INT(c.number), TEXT(t->mail)),
                     f);
    if (!err)
        c.id = new = db_last_id(tx->db);
    tx_touch_levels(tx);
    err = change_end(&c, err, f);
    if (!err)
        *id = new;
    return err;
}

int store_tenant_update(struct store_tx *tx, const struct store_by *by,
                        const struct store_tenant *t, struct fault *f)
{
    struct change c;
    struct refs refs = {0};
    int err = change_begin(&c, tx, by, &tenant_kind, "tenant.update", t->id, f);

    if (!err)
        err = resolve(tx, t, t->id, &refs, f);
    if (!err)
        err =
            db_run(tx->db,
                   "UPDATE tenants SET name = ?2, title = ?3, parent = ?4, mode = ?5, preset = ?6,"
                   " language = ?7, area = ?8, change = ?9, mail = ?10 WHERE id = ?1",
                   DB_VALUES(INT(t->id), TEXT(t->name), TEXT(t->title), ID(refs.parent),
                             WORD(store_mode_name(t->mode)), ID(refs.preset), TEXT(t->language),
                             TEXT(t->area), INT(c.number), TEXT(t->mail)),
                   f);
    tx_touch_levels(tx);
    return change_end(&c, err, f);
}

/* Who needs the tenant, in words; no row when nobody does. */
static const char needed_sql[] =
    "SELECT n || ' ' || what FROM ("
    "SELECT (SELECT count(*) FROM accounts WHERE tenant = ?1) AS n, 'account(s)' AS what UNION ALL "
    "SELECT (SELECT count(*) FROM tenants WHERE parent = ?1), 'tenant(s) below it' UNION ALL "
    "SELECT (SELECT count(*) FROM switches WHERE adopt_tenant = ?1), 'switch(es) that adopt for it'"
    " UNION ALL "
    "SELECT (SELECT count(*) FROM switch_tenants WHERE tenant = ?1), 'switch(es) that reach it'"
    " UNION ALL "
    "SELECT (SELECT count(*) FROM tokens WHERE tenant = ?1), 'token(s)') WHERE n > 0 LIMIT 1";

int store_tenant_delete(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f)
{
    struct change c;
    struct span needed = {0};
    int err = change_begin(&c, tx, by, &tenant_kind, "tenant.delete", id, f);

    if (!err)
        err = change_text(tx, needed_sql, DB_VALUES(INT(id)), &needed, f);
    if (!err && needed.n)
        err = fault(f, ERR_CONFLICT, "%s still has %s", ESCAPED(c.object), ESCAPED(needed));
    if (!err)
        err = db_run(tx->db, "DELETE FROM tenants WHERE id = ?1", DB_VALUES(INT(id)), f);
    tx_touch_levels(tx);
    return change_end(&c, err, f);
}

#define SELECT_TENANT                                                                              \
    "SELECT t.id, t.change, t.name, t.title, p.name, t.mode, s.name, t.language, t.area,"          \
    " EXISTS (SELECT 1 FROM stops WHERE stops.tenant = t.id), t.mail"                              \
    " FROM tenants t LEFT JOIN tenants p ON p.id = t.parent"                                       \
    " LEFT JOIN presets s ON s.id = t.preset "

static int read_tenant(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_tenant *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_tenant t = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .name = query_copy(q, 2, a, &ok),
        .title = query_copy(q, 3, a, &ok),
        .parent = query_copy(q, 4, a, &ok),
        .preset = query_copy(q, 6, a, &ok),
        .language = query_copy(q, 7, a, &ok),
        .area = query_copy(q, 8, a, &ok),
        .stopped = query_int(q, 9) != 0,
        .mail = query_copy(q, 10, a, &ok),
    };

    store_mode_parse(query_text(q, 5), &t.mode);
    if (!ok)
        return fault_nomem(f);
    *out = t;
    return 0;
}

int store_tenant_get(struct store_tx *tx, int64_t id, struct store_tenant *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_TENANT "WHERE t.id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_tenant(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no tenant with id %" PRId64, id);
    query_end(&q);
    return err;
}

int store_tenant_find(struct store_tx *tx, struct span name, struct store_tenant *out,
                      struct fault *f)
{
    int64_t id;
    int err = tenant_id(tx, name, false, &id, f);

    return err ? err : store_tenant_get(tx, id, out, f);
}

int store_tenant_only(struct store_tx *tx, struct store_tenant *out, struct fault *f)
{
    int64_t n = 0, id = 0;
    bool found;
    int err = db_int(tx->db, &n, &found, "SELECT count(*) FROM tenants", NULL, 0, f);

    if (!err && n != 1)
        return fault(f, ERR_MISSING, "there are %" PRId64 " tenants: say which one is meant", n);
    if (!err)
        err = db_int(tx->db, &id, &found, "SELECT id FROM tenants", NULL, 0, f);
    return err ? err : store_tenant_get(tx, id, out, f);
}

int store_tenant_list(struct store_tx *tx, const struct store_tenant_query *query,
                      struct store_tenant_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_tenant), .key = 2, .read = read_tenant};
    struct query q;
    int err = page_begin_name(&p, &query->page, f);

    if (!err)
        err = query_start(&q, tx->db,
                          SELECT_TENANT "WHERE t.name > ?1 AND (?3 = 0 OR t.id IN " TENANTS_BELOW(
                              "?3") ")"
                                    " ORDER BY t.name LIMIT ?2",
                          DB_VALUES(TEXT(p.name), INT(p.rows), INT(query->within)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_tenant_list){p.items, p.n, p.next};
    return err;
}

int store_tenant_within(struct store_tx *tx, int64_t id, int64_t ancestor, bool *out,
                        struct fault *f)
{
    int64_t in = 0;
    bool found;
    int err = db_int(tx->db, &in, &found, "SELECT ?1 IN " TENANTS_BELOW("?2"),
                     DB_VALUES(INT(id), INT(ancestor)), f);

    if (!err)
        *out = in != 0;
    return err;
}
