/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that may reach SIP at all, and networks that are never banned. */
#include "store/change.h"
#include "store/guard_lists.h"
#include "store/guard_lists_impl.h"
#include "store/names.h"
#include "store/page.h"

static const char *const names[] = {[STORE_ACCESS] = "access", [STORE_NEVER_BAN] = "never-ban"};

static const struct change_kind network_kind = {
    "network",
    "SELECT list || ':' || network, list || ':' || network, NULL, NULL, change FROM networks"
    " WHERE id = ?1",
    "SELECT json_object('network', network, 'note', nullif(note, '')) FROM networks WHERE id = ?1",
};

const char *store_networks_name(enum store_networks list)
{
    return names[list];
}

/* The row of the network, or CHANGE_NEW. */
static int find(struct store_tx *tx, enum store_networks list, const struct network *network,
                int64_t *id, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];
    bool found = false;
    int err = db_int(tx->db, id, &found, "SELECT id FROM networks WHERE list = ?1 AND network = ?2",
                     DB_VALUES(WORD(names[list]), WORD(network_text(network, text))), f);

    if (!err && !found)
        *id = CHANGE_NEW;
    return err;
}

static int missing(enum store_networks list, const struct network *network, struct fault *f)
{
    char text[ADDRESS_TEXT_MAX];

    return fault(f, ERR_MISSING, "%s is not on the %s list", network_text(network, text),
                 names[list]);
}

static int has_room(struct store_tx *tx, enum store_networks list, struct fault *f)
{
    int64_t n = 0;
    bool found;
    int err = db_int(tx->db, &n, &found, "SELECT count(*) FROM networks WHERE list = ?1",
                     DB_VALUES(WORD(names[list])), f);

    if (!err && n >= STORE_NETWORKS_MAX)
        return fault(f, ERR_FULL, "the %s list has %d networks, and no more can be added",
                     names[list], STORE_NETWORKS_MAX);
    return err;
}

static int insert(struct change *c, const struct store_by *by, enum store_networks list,
                  const struct network *network, struct span note, struct fault *f)
{
    struct store_tx *tx = c->tx;
    char text[ADDRESS_TEXT_MAX];
    int err = has_room(tx, list, f);

    if (!err)
        err = db_run(tx->db,
                     "INSERT INTO networks (list, network, note, since, actor, change)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     DB_VALUES(WORD(names[list]), WORD(network_text(network, text)), TEXT(note),
                               INT(tx->now.wall_ms), TEXT(by->actor), INT(c->number)),
                     f);
    if (!err)
        c->id = db_last_id(tx->db);
    return err;
}

static const char *action(enum store_networks list, bool put)
{
    switch (list) {
    case STORE_ACCESS: return put ? "access.put" : "access.delete";
    case STORE_NEVER_BAN: return put ? "never-ban.put" : "never-ban.delete";
    }
    return "";
}

int store_network_put(struct store_tx *tx, const struct store_by *by, enum store_networks list,
                      const struct network *network, struct span note, int64_t *id, struct fault *f)
{
    struct change c;
    int64_t row = 0;
    int err = network->family ? find(tx, list, network, &row, f)
                              : fault(f, ERR_SYNTAX, "no network is named");

    if (err)
        return err;
    err = change_begin(&c, tx, by, &network_kind, action(list, true), row, f);
    if (!err)
        err = text_check(note, STORE_TEXT_MAX, "the note", f);
    if (!err && row == CHANGE_NEW)
        err = insert(&c, by, list, network, note, f);
    else if (!err)
        err = db_run(tx->db, "UPDATE networks SET note = ?2, change = ?3 WHERE id = ?1",
                     DB_VALUES(INT(row), TEXT(note), INT(c.number)), f);
    if (!err)
        *id = c.id;
    tx_touch_guard(tx);
    err = change_end(&c, err, f);
    if (!err && list == STORE_NEVER_BAN)
        err = guard_lists_end_bans(tx, by, network, f);
    return err;
}

int store_network_delete(struct store_tx *tx, const struct store_by *by, enum store_networks list,
                         const struct network *network, struct fault *f)
{
    struct change c;
    int64_t row = 0;
    int err = find(tx, list, network, &row, f);

    if (!err && row == CHANGE_NEW)
        return missing(list, network, f);
    if (err)
        return err;
    err = change_begin(&c, tx, by, &network_kind, action(list, false), row, f);
    if (!err)
        err = db_run(tx->db, "DELETE FROM networks WHERE id = ?1", DB_VALUES(INT(row)), f);
    tx_touch_guard(tx);
    return change_end(&c, err, f);
}

#define SELECT_NETWORK "SELECT id, change, network, note, since, actor FROM networks "

static int read_network(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_network *out = item;
    bool ok = true;
    struct store_network n = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .note = query_copy(q, 3, &tx->arena, &ok),
        .since_ms = query_int(q, 4),
        .actor = query_copy(q, 5, &tx->arena, &ok),
    };

    if (!ok)
        return fault_nomem(f);
    int err = network_parse(query_text(q, 2), &n.network, f);
    if (!err)
        *out = n;
    return err;
}

int store_network_get(struct store_tx *tx, enum store_networks list, const struct network *network,
                      struct store_network *out, struct fault *f)
{
    struct query q;
    int64_t row = 0;
    int err = find(tx, list, network, &row, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_NETWORK "WHERE id = ?1", DB_VALUES(INT(row)), f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_network(tx, &q, out, f);
    else if (err == 0)
        err = missing(list, network, f);
    query_end(&q);
    return err;
}

int store_network_list(struct store_tx *tx, enum store_networks list, const struct store_page *page,
                       struct store_network_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_network), .read = read_network};
    struct query q;
    int err = page_begin_id(&p, page, 0, f);

    if (!err)
        err = query_start(&q, tx->db,
                          SELECT_NETWORK "WHERE id > ?1 AND list = ?3 ORDER BY id LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows), WORD(names[list])), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_network_list){p.items, p.n, p.next};
    return err;
}
