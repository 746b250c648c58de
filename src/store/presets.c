/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "store/change.h"
#include "store/names.h"
#include "store/page.h"
#include "store/rules.h"

static const struct change_kind preset_kind = {
    "preset",
    "SELECT 'preset:' || name, 'preset:' || name, NULL, NULL, change FROM presets WHERE id = ?1",
    "SELECT json_object('name', name, 'title', title, 'rules', json(" RULES_JSON(
        "presets.rule_set") "))"
                            " FROM presets WHERE id = ?1",
};

static int check(const struct store_preset *p, struct fault *f)
{
    int err = name_check(p->name, "preset", f);

    return err ? err : text_check(p->title, STORE_TEXT_MAX, "the title", f);
}

static int name_is_free(struct store_tx *tx, struct span name, int64_t id, struct fault *f)
{
    int64_t other = 0;
    bool found = false;
    int err = db_int(tx->db, &other, &found, "SELECT id FROM presets WHERE name = ?1 AND id <> ?2",
                     DB_VALUES(TEXT(name), INT(id)), f);

    if (!err && found)
        return fault(f, ERR_EXISTS, "there is a preset \"%s\" already", ESCAPED(name));
    return err;
}

int store_preset_add(struct store_tx *tx, const struct store_by *by, const struct store_preset *p,
                     int64_t *id, struct fault *f)
{
    struct change c;
    int64_t set = 0, new = 0;
    int err = change_begin(&c, tx, by, &preset_kind, "preset.add", CHANGE_NEW, f);

    if (!err)
        err = check(p, f);
    if (!err)
        err = name_is_free(tx, p->name, 0, f);
    if (!err)
        err = rules_intern(tx, p->rules, p->n_rules, false, &set, f);
    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO presets (name, title, rule_set, change) VALUES (?1, ?2, ?3, ?4)",
                     DB_VALUES(TEXT(p->name), TEXT(p->title), INT(set), INT(c.number)), f);
    if (!err)
        c.id = new = db_last_id(tx->db);
    err = change_end(&c, err, f);
    if (!err)
        *id = new;
    return err;
}

int store_preset_update(struct store_tx *tx, const struct store_by *by,
                        const struct store_preset *p, struct fault *f)
{
    struct change c;
    int64_t set = 0;
    int err = change_begin(&c, tx, by, &preset_kind, "preset.update", p->id, f);

    if (!err)
        err = check(p, f);
    if (!err)
        err = name_is_free(tx, p->name, p->id, f);
    if (!err)
        err = rules_intern(tx, p->rules, p->n_rules, false, &set, f);
    if (!err)
        err = db_run(tx->db,
                     "UPDATE presets SET name = ?2, title = ?3, rule_set = ?4, change = ?5"
                     " WHERE id = ?1",
                     DB_VALUES(INT(p->id), TEXT(p->name), TEXT(p->title), INT(set), INT(c.number)),
                     f);
    tx_touch_levels(tx);
    return change_end(&c, err, f);
}

int store_preset_delete(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f)
{
    struct change c;
    int64_t tenants = 0, presets = 0;
    bool found;
    int err = change_begin(&c, tx, by, &preset_kind, "preset.delete", id, f);

    if (!err)
        err = db_int(tx->db, &tenants, &found, "SELECT count(*) FROM tenants WHERE preset = ?1",
                     DB_VALUES(INT(id)), f);
    if (!err && tenants)
        err = fault(f, ERR_CONFLICT, "%s is still the preset of %" PRId64 " tenant(s)",
                    ESCAPED(c.object), tenants);
    if (!err)
        err = db_int(tx->db, &presets, &found, "SELECT count(*) FROM presets", NULL, 0, f);
    if (!err && presets == 1)
        err = fault(f, ERR_CONFLICT,
                    "%s is the last preset: without one nobody could say what a new "
                    "account may call",
                    ESCAPED(c.object));
    if (!err)
        err = db_run(tx->db, "DELETE FROM presets WHERE id = ?1", DB_VALUES(INT(id)), f);
    tx_touch_levels(tx);
    return change_end(&c, err, f);
}

#define SELECT_PRESET "SELECT id, change, name, title, rule_set FROM presets "

static int read_preset(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_preset *out = item;
    bool ok = true;
    struct store_preset p = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .name = query_copy(q, 2, &tx->arena, &ok),
        .title = query_copy(q, 3, &tx->arena, &ok),
    };
    int err = ok ? rules_read(tx->db, &tx->arena, query_int(q, 4), &p.rules, &p.n_rules, f)
                 : fault_nomem(f);

    if (!err)
        *out = p;
    return err;
}

int store_preset_get(struct store_tx *tx, int64_t id, struct store_preset *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_PRESET "WHERE id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_preset(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no preset with id %" PRId64, id);
    query_end(&q);
    return err;
}

int store_preset_find(struct store_tx *tx, struct span name, struct store_preset *out,
                      struct fault *f)
{
    int64_t id;
    int err = preset_id(tx, name, false, &id, f);

    return err ? err : store_preset_get(tx, id, out, f);
}

int store_preset_list(struct store_tx *tx, const struct store_page *page,
                      struct store_preset_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_preset), .key = 2, .read = read_preset};
    struct query q;
    int err = page_begin_name(&p, page, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_PRESET "WHERE name > ?1 ORDER BY name LIMIT ?2",
                          DB_VALUES(TEXT(p.name), INT(p.rows)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_preset_list){p.items, p.n, p.next};
    return err;
}
