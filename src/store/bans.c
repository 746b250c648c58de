/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's own bans. */
#include <inttypes.h>

#include "guard/exempt.h"
#include "store/change.h"
#include "store/guard_lists.h"
#include "store/guard_lists_impl.h"
#include "store/names.h"
#include "store/page.h"

/* As the guard has it. */
#define WIDEST_V4 16
#define WIDEST_V6 32

static const struct change_kind ban_kind = {
    "ban",
    "SELECT 'ban:' || network, 'ban:' || network, NULL, NULL, change FROM bans WHERE id = ?1",
    "SELECT json_object('network', network, 'until', nullif(until, 0), 'note', nullif(note, ''))"
    " FROM bans WHERE id = ?1",
};

static int find(struct store_tx *tx, const struct network *network, int64_t *id, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];
    bool found = false;
    int err = db_int(tx->db, id, &found, "SELECT id FROM bans WHERE network = ?1",
                     DB_VALUES(WORD(network_text(network, text))), f);

    if (!err && !found)
        *id = CHANGE_NEW;
    return err;
}

/* Calls `each` with the rows of networks that `sql` (id, network) finds and that overlap this one, until it says
 * otherwise than 0. */
static int overlapping(struct store_tx *tx, const char *sql, const struct network *network,
                       int (*each)(struct store_tx *tx, void *arg, const struct network *n,
                                   struct fault *f),
                       void *arg, struct fault *f)
{
    struct query q;
    struct network other;
    int err = query_start(&q, tx->db, sql, NULL, 0, f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = network_parse(query_text(&q, 0), &other, f);
        if (!err && exempts_overlap(&other, network))
            err = each(tx, arg, &other, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

static int is_never(struct store_tx *tx, void *arg, const struct network *never, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX], wide[ADDRESS_TEXT_MAX];

    return fault(f, ERR_CONFLICT, "%s cannot be banned: %s is on the never-ban list",
                 network_text(arg, text), network_text(never, wide));
}

static int check(struct store_tx *tx, const struct store_ban *ban, struct fault *f)
{
    const struct network *network = &ban->network;
    char text[ADDRESS_TEXT_MAX];

    if (network->family == 0)
        return fault(f, ERR_SYNTAX, "no network is named");
    if (network->bits < (network->family == 4 ? WIDEST_V4 : WIDEST_V6))
        return fault(f, ERR_RANGE,
                     "%s is too wide to be banned: at most a /%d of IPv4, a /%d of IPv6",
                     network_text(network, text), WIDEST_V4, WIDEST_V6);
    if (ban->until < 0 || (ban->until && ban->until <= instant_wall_s(tx->now)))
        return fault(f, ERR_RANGE, "a ban cannot end in the past");
    int err = text_check(ban->note, STORE_TEXT_MAX, "the note", f);
    return err ? err
               : overlapping(tx, "SELECT network FROM networks WHERE list = 'never-ban'", network,
                             is_never, (void *)network, f);
}

/* What is over was told when it was decided: its end needs no record. */
static int expire(struct store_tx *tx, struct fault *f)
{
    return db_run(tx->db, "DELETE FROM bans WHERE until > 0 AND until <= ?1",
                  DB_VALUES(INT(instant_wall_s(tx->now))), f);
}

static int insert(struct change *c, const struct store_by *by, const struct store_ban *ban,
                  struct fault *f)
{
    struct store_tx *tx = c->tx;
    char text[ADDRESS_TEXT_MAX];
    int64_t n = 0;
    bool found;
    int err = db_int(tx->db, &n, &found, "SELECT count(*) FROM bans", NULL, 0, f);

    if (!err && n >= STORE_BANS_MAX)
        return fault(f, ERR_FULL, "there are %d bans of the operator's, and no more can be added",
                     STORE_BANS_MAX);
    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO bans (network, until, note, since, actor, change)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     DB_VALUES(WORD(network_text(&ban->network, text)), INT(ban->until),
                               TEXT(ban->note), INT(tx->now.wall_ms), TEXT(by->actor),
                               INT(c->number)),
                     f);
    if (!err)
        c->id = db_last_id(tx->db);
    return err;
}

int store_ban_put(struct store_tx *tx, const struct store_by *by, const struct store_ban *ban,
                  int64_t *id, struct fault *f)
{
    struct change c;
    int64_t row = 0;
    int err = check(tx, ban, f);

    if (!err)
        err = expire(tx, f);
    if (!err)
        err = find(tx, &ban->network, &row, f);
    if (err)
        return err;
    err = change_begin(&c, tx, by, &ban_kind, "ban.put", row, f);
    if (!err && row == CHANGE_NEW)
        err = insert(&c, by, ban, f);
    else if (!err)
        err = db_run(tx->db, "UPDATE bans SET until = ?2, note = ?3, change = ?4 WHERE id = ?1",
                     DB_VALUES(INT(row), INT(ban->until), TEXT(ban->note), INT(c.number)), f);
    if (!err)
        *id = c.id;
    tx_touch_guard(tx);
    return change_end(&c, err, f);
}

static int end_ban(struct store_tx *tx, void *by, const struct network *network, struct fault *f)
{
    struct change c;
    int64_t row = 0;
    int err = find(tx, network, &row, f);

    if (err || row == CHANGE_NEW)
        return err;
    err = change_begin(&c, tx, &(struct store_by){.actor = ((const struct store_by *)by)->actor},
                       &ban_kind, "ban.delete", row, f);
    if (!err)
        err = db_run(tx->db, "DELETE FROM bans WHERE id = ?1", DB_VALUES(INT(row)), f);
    return change_end(&c, err, f);
}

int guard_lists_end_bans(struct store_tx *tx, const struct store_by *by,
                         const struct network *network, struct fault *f)
{
    return overlapping(tx, "SELECT network FROM bans", network, end_ban, (void *)by, f);
}

#define SELECT_BAN "SELECT id, change, network, until, note, since, actor FROM bans "

static int read_ban(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_ban *out = item;
    bool ok = true;
    struct store_ban b = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .until = query_int(q, 3),
        .note = query_copy(q, 4, &tx->arena, &ok),
        .since_ms = query_int(q, 5),
        .actor = query_copy(q, 6, &tx->arena, &ok),
    };

    if (!ok)
        return fault_nomem(f);
    int err = network_parse(query_text(q, 2), &b.network, f);
    if (!err)
        *out = b;
    return err;
}

int store_ban_get(struct store_tx *tx, const struct network *network, struct store_ban *out,
                  struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];
    struct query q;
    int64_t row = 0;
    int err = find(tx, network, &row, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_BAN "WHERE id = ?1 AND (until = 0 OR until > ?2)",
                          DB_VALUES(INT(row), INT(instant_wall_s(tx->now))), f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_ban(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "the operator has not banned %s", network_text(network, text));
    query_end(&q);
    return err;
}

int store_ban_list(struct store_tx *tx, const struct store_page *page, struct store_ban_list *out,
                   struct fault *f)
{
    struct page p = {.size = sizeof(struct store_ban), .read = read_ban};
    struct query q;
    int err = page_begin_id(&p, page, 0, f);

    if (!err)
        err = query_start(&q, tx->db,
                          SELECT_BAN "WHERE id > ?1 AND (until = 0 OR until > ?3)"
                                     " ORDER BY id LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows), INT(instant_wall_s(tx->now))), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_ban_list){p.items, p.n, p.next};
    return err;
}
