/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/change.h"

#include <inttypes.h>

#include "store/names.h"

int change_text(struct store_tx *tx, const char *sql, const struct db_value *values, size_t n,
                struct span *out, struct fault *f)
{
    struct query q;
    bool ok = true;
    int err = query_start(&q, tx->db, sql, values, n, f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err >= 0) {
        struct span text = err == 1 && !query_null(&q, 0) ? query_copy(&q, 0, &tx->arena, &ok)
                                                          : (struct span){NULL, 0};
        err = ok ? 0 : fault_nomem(f);
        if (!err)
            *out = text;
    }
    query_end(&q);
    return err;
}

/* Reads how the object is called; `*found` is false when it is not there. */
static int read_label(struct change *c, int64_t *change, bool *found, struct fault *f)
{
    struct query q;
    bool ok = true;
    int err = query_start(&q, c->tx->db, c->kind->label, DB_VALUES(INT(c->id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    *found = err == 1;
    if (err == 1) {
        c->object = query_copy(&q, 0, &c->tx->arena, &ok);
        c->object_name = query_copy(&q, 1, &c->tx->arena, &ok);
        c->tenant = query_int(&q, 2);
        c->account = query_int(&q, 3);
        *change = query_int(&q, 4);
        err = ok ? 0 : fault_nomem(f);
    }
    query_end(&q);
    return err;
}

static int read_before(struct change *c, const struct store_by *by, struct fault *f)
{
    bool found = false;
    int64_t change = 0;

    if (c->id == CHANGE_NEW)
        return by->expect ? fault(f, ERR_CONFLICT, "this %s does not exist any more", c->kind->noun)
                          : 0;
    int err = read_label(c, &change, &found, f);
    if (err)
        return err;
    if (!found)
        return fault(f, ERR_MISSING, "there is no %s with id %" PRId64, c->kind->noun, c->id);
    if (by->expect && by->expect != change)
        return fault(f, ERR_CONFLICT,
                     "%s was changed meanwhile (change %" PRId64 ", not %" PRId64
                     "); look at it again",
                     ESCAPED(c->object), change, by->expect);
    if (!c->kind->image)
        return 0;
    return change_text(c->tx, c->kind->image, DB_VALUES(INT(c->id)), &c->before, f);
}

int change_begin(struct change *c, struct store_tx *tx, const struct store_by *by,
                 const struct change_kind *kind, const char *action, int64_t id, struct fault *f)
{
    *c = (struct change){.tx = tx, .kind = kind, .id = id, .rows = 1};
    if (tx->lane != LANE_WRITE)
        return fault(f, ERR_DENIED, "only a write job may change the store");
    if (by->actor.n == 0)
        return fault(f, ERR_RANGE, "a change needs an actor");
    int err = text_check(by->actor, STORE_ACTOR_MAX, "the actor", f);
    if (!err)
        err = read_before(c, by, f);
    if (!err)
        err = db_run(tx->db, DB_CHANGE, NULL, 0, f);
    if (err)
        return err;
    c->open = true;
    err = db_run(tx->db, "INSERT INTO audit (at, actor, action) VALUES (?1, ?2, ?3)",
                 DB_VALUES(INT(tx->now.wall_ms), TEXT(by->actor), WORD(action)), f);
    if (!err)
        c->number = db_last_id(tx->db);
    return err;
}

static int complete(struct change *c, bool *same, struct fault *f)
{
    int64_t change;
    bool found;
    int err = 0;

    /* What was deleted keeps the label that it had; a batch brings its own. */
    if (c->id != CHANGE_NEW)
        err = read_label(c, &change, &found, f);
    if (!err && c->kind->image)
        err = change_text(c->tx, c->kind->image, DB_VALUES(INT(c->id)), &c->after, f);
    *same = c->rows == 1 && span_eq(c->before, c->after);
    if (err || *same)
        return err;
    return db_run(
        c->tx->db,
        "UPDATE audit SET object = ?2, object_name = ?3, tenant = ?4, account = ?5,"
        "                 rows = ?6, detail = json_object('before', json(?7), 'after', json(?8))"
        " WHERE id = ?1",
        DB_VALUES(INT(c->number), TEXT(c->object), TEXT(c->object_name), ID(c->tenant),
                  ID(c->account), INT((int64_t)c->rows), c->before.p ? TEXT(c->before) : NONE,
                  c->after.p ? TEXT(c->after) : NONE),
        f);
}

int change_end(struct change *c, int err, struct fault *f)
{
    bool same = false;

    if (!c->open)
        return err;
    if (!err)
        err = complete(c, &same, f);
    /* Should these fail, the job must not stand, whatever it makes of our answer. */
    if ((err || same) && db_run(c->tx->db, DB_CHANGE_UNDO, NULL, 0, NULL) != 0)
        c->tx->broken = true;
    int released = db_run(c->tx->db, DB_CHANGE_KEEP, NULL, 0, err ? NULL : f);
    if (released)
        c->tx->broken = true;
    if (!err && !released && !same)
        c->tx->change = c->number;
    return err ? err : released;
}
