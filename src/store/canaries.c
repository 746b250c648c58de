/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/change.h"
#include "store/guard_lists.h"
#include "store/names.h"
#include "store/page.h"

static const struct change_kind canary_kind = {
    "canary",
    "SELECT 'canary:' || c.name || '@' || s.name, 'canary:' || c.name || '@' || s.name, NULL, NULL,"
    " c.change FROM canaries c JOIN switches s ON s.id = c.switch WHERE c.id = ?1",
    "SELECT json_object('switch', s.name, 'name', c.name, 'note', nullif(c.note, ''))"
    " FROM canaries c JOIN switches s ON s.id = c.switch WHERE c.id = ?1",
};

/* What names a canary, and its row or CHANGE_NEW. */
struct place {
    int64_t sw, row;
    char name[STORE_ACCOUNT_NAME_MAX + 1];
};

static int find(struct store_tx *tx, struct span switch_name, struct span name, struct place *p,
                struct fault *f)
{
    bool found = false;
    int err = switch_id(tx, switch_name, &p->sw, f);

    if (!err)
        err = account_name_clean(name, p->name, f);
    if (!err)
        err = db_int(tx->db, &p->row, &found,
                     "SELECT id FROM canaries WHERE switch = ?1 AND name = ?2",
                     DB_VALUES(INT(p->sw), WORD(p->name)), f);
    if (!err && !found)
        p->row = CHANGE_NEW;
    return err;
}

static int missing(const struct place *p, struct span switch_name, struct fault *f)
{
    return fault(f, ERR_MISSING, "\"%s\" is no canary on switch \"%s\"", p->name,
                 ESCAPED(switch_name));
}

static int may_be_canary(struct store_tx *tx, const struct place *p, struct fault *f)
{
    int64_t n = 0;
    bool found = false;
    int err = db_int(tx->db, &n, &found, "SELECT id FROM accounts WHERE switch = ?1 AND name = ?2",
                     DB_VALUES(INT(p->sw), WORD(p->name)), f);

    if (!err && found)
        return fault(f, ERR_CONFLICT,
                     "\"%s\" is an account of this switch: a canary is one that nobody has",
                     p->name);
    if (!err)
        err = db_int(tx->db, &n, &found, "SELECT count(*) FROM canaries", NULL, 0, f);
    if (!err && n >= STORE_CANARIES_MAX)
        return fault(f, ERR_FULL, "there are %d canaries, and no more can be added",
                     STORE_CANARIES_MAX);
    return err;
}

static int insert(struct change *c, const struct store_by *by, const struct place *p,
                  struct span note, struct fault *f)
{
    struct store_tx *tx = c->tx;
    int err = may_be_canary(tx, p, f);

    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO canaries (switch, name, note, since, actor, change)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     DB_VALUES(INT(p->sw), WORD(p->name), TEXT(note), INT(tx->now.wall_ms),
                               TEXT(by->actor), INT(c->number)),
                     f);
    if (!err)
        c->id = db_last_id(tx->db);
    return err;
}

int store_canary_put(struct store_tx *tx, const struct store_by *by,
                     const struct store_canary *canary, int64_t *id, struct fault *f)
{
    struct change c;
    struct place p;
    int err = find(tx, canary->switch_name, canary->name, &p, f);

    if (err)
        return err;
    err = change_begin(&c, tx, by, &canary_kind, "canary.put", p.row, f);
    if (!err)
        err = text_check(canary->note, STORE_TEXT_MAX, "the note", f);
    if (!err && p.row == CHANGE_NEW)
        err = insert(&c, by, &p, canary->note, f);
    else if (!err)
        err = db_run(tx->db, "UPDATE canaries SET note = ?2, change = ?3 WHERE id = ?1",
                     DB_VALUES(INT(p.row), TEXT(canary->note), INT(c.number)), f);
    if (!err)
        *id = c.id;
    tx_touch_guard(tx);
    return change_end(&c, err, f);
}

int store_canary_delete(struct store_tx *tx, const struct store_by *by, struct span switch_name,
                        struct span name, struct fault *f)
{
    struct change c;
    struct place p;
    int err = find(tx, switch_name, name, &p, f);

    if (!err && p.row == CHANGE_NEW)
        return missing(&p, switch_name, f);
    if (err)
        return err;
    err = change_begin(&c, tx, by, &canary_kind, "canary.delete", p.row, f);
    if (!err)
        err = db_run(tx->db, "DELETE FROM canaries WHERE id = ?1", DB_VALUES(INT(p.row)), f);
    tx_touch_guard(tx);
    return change_end(&c, err, f);
}

#define SELECT_CANARY                                                                              \
    "SELECT c.id, c.change, c.switch, s.name, c.name, c.note, c.since, c.actor FROM canaries c"    \
    " JOIN switches s ON s.id = c.switch "

static int read_canary(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_canary *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_canary c = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .switch_id = query_int(q, 2),
        .switch_name = query_copy(q, 3, a, &ok),
        .name = query_copy(q, 4, a, &ok),
        .note = query_copy(q, 5, a, &ok),
        .since_ms = query_int(q, 6),
        .actor = query_copy(q, 7, a, &ok),
    };

    if (!ok)
        return fault_nomem(f);
    *out = c;
    return 0;
}

int store_canary_get(struct store_tx *tx, struct span switch_name, struct span name,
                     struct store_canary *out, struct fault *f)
{
    struct query q;
    struct place p;
    int err = find(tx, switch_name, name, &p, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_CANARY "WHERE c.id = ?1", DB_VALUES(INT(p.row)), f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_canary(tx, &q, out, f);
    else if (err == 0)
        err = missing(&p, switch_name, f);
    query_end(&q);
    return err;
}

int store_canary_list(struct store_tx *tx, const struct store_page *page,
                      struct store_canary_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_canary), .read = read_canary};
    struct query q;
    int err = page_begin_id(&p, page, 0, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_CANARY "WHERE c.id > ?1 ORDER BY c.id LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_canary_list){p.items, p.n, p.next};
    return err;
}
