/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the guard's decisions the operator takes back. */
#include "store/change.h"
#include "store/guard_lists.h"
#include "store/guard_names.h"
#include "store/names.h"

/* Longer than any ban lasts: what was decided before is over then by itself. */
#define KEPT_MS (366 * 86400 * (int64_t)1000)

/* before and after are set by each of the operations. */
static const struct change_kind lifted_kind = {
    "decision",
    "SELECT l.kind || ':' || CASE l.kind WHEN 'ban' THEN l.network"
    "  ELSE l.account || '@' || coalesce(s.name, l.switch) END,"
    " l.kind || ':' || CASE l.kind WHEN 'ban' THEN l.network"
    "  ELSE l.account || '@' || coalesce(s.name, l.switch) END,"
    " a.tenant, a.id, l.change FROM lifted l LEFT JOIN switches s ON s.id = l.switch"
    " LEFT JOIN accounts a ON a.switch = l.switch AND a.name = l.account WHERE l.id = ?1",
    NULL,
};

struct lifted {
    const char *kind, *action;
    int64_t sw;
    char account[GUARD_NAME_SHOWN_MAX], network[ADDRESS_TEXT_MAX];
};

static int upsert(struct change *c, const struct lifted *l, struct fault *f)
{
    struct store_tx *tx = c->tx;
    bool found;
    int err = db_run(tx->db, "DELETE FROM lifted WHERE at < ?1",
                     DB_VALUES(INT(tx->now.wall_ms - KEPT_MS)), f);

    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO lifted (kind, switch, account, network, at, change)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, switch, account, network)"
                     " DO UPDATE SET at = excluded.at, change = excluded.change",
                     DB_VALUES(WORD(l->kind), INT(l->sw), WORD(l->account), WORD(l->network),
                               INT(tx->now.wall_ms), INT(c->number)),
                     f);
    if (!err)
        err = db_int(tx->db, &c->id, &found, "SELECT id FROM lifted WHERE change = ?1",
                     DB_VALUES(INT(c->number)), f);
    return err;
}

static int lift(struct store_tx *tx, const struct store_by *by, const struct lifted *l,
                struct fault *f)
{
    struct change c;
    int err = change_begin(&c, tx, &(struct store_by){.actor = by->actor}, &lifted_kind, l->action,
                           CHANGE_NEW, f);

    if (!err)
        err = upsert(&c, l, f);
    if (!err) /* an operator's ban has something to tell of itself */
        err = change_text(tx,
                          "SELECT json_object('network', network, 'until', nullif(until, 0),"
                          " 'note', nullif(note, '')) FROM bans WHERE network = ?1 AND ?2 = 'ban'",
                          DB_VALUES(WORD(l->network), WORD(l->kind)), &c.before, f);
    if (!err)
        err = change_text(tx,
                          "SELECT json_object('lifted', iif(network = '', 'all', network))"
                          " FROM lifted WHERE id = ?1",
                          DB_VALUES(INT(c.id)), &c.after, f);
    if (!err && span_is(span_of(l->kind), "ban"))
        err = db_run(tx->db, "DELETE FROM bans WHERE network = ?1", DB_VALUES(WORD(l->network)), f);
    return change_end(&c, err, f);
}

int store_unban(struct store_tx *tx, const struct store_by *by, const struct network *network,
                struct fault *f)
{
    struct lifted l = {.kind = "ban", .action = "ban.lift"};

    if (network->family == 0)
        return fault(f, ERR_SYNTAX, "no network is named");
    network_text(network, l.network);
    return lift(tx, by, &l, f);
}

int store_ban_gone(struct store_tx *tx, const struct store_by *by, const struct network *network,
                   int64_t seen, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];
    int64_t id;
    bool found;
    int err = db_int(tx->db, &id, &found, "SELECT id FROM bans WHERE network = ?1 AND change <= ?2",
                     DB_VALUES(WORD(network_text(network, text)), INT(seen)), f);

    return err || !found ? err : store_unban(tx, by, network, f);
}

static int of_account(struct store_tx *tx, struct span switch_name, struct span account,
                      struct lifted *l, struct fault *f)
{
    char raw[ACCOUNT_NAME_MAX];
    size_t n = 0;
    int err = switch_id(tx, switch_name, &l->sw, f);

    if (!err)
        err = guard_name_read(account, raw, &n, f);
    if (!err)
        guard_name_show((struct span){raw, n}, l->account);
    return err;
}

int store_unlock(struct store_tx *tx, const struct store_by *by, struct span switch_name,
                 struct span account, struct fault *f)
{
    struct lifted l = {.kind = "lockout", .action = "lockout.lift"};
    int err = of_account(tx, switch_name, account, &l, f);

    return err ? err : lift(tx, by, &l, f);
}

int store_forget_good(struct store_tx *tx, const struct store_by *by, struct span switch_name,
                      struct span account, const struct network *network, struct fault *f)
{
    struct lifted l = {.kind = "known-good", .action = "known-good.lift"};
    int err = of_account(tx, switch_name, account, &l, f);

    if (!err && network)
        network_text(network, l.network);
    return err ? err : lift(tx, by, &l, f);
}
