/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources known good, for people. guard_state.c writes them. */
#include "store/evidence.h"
#include "store/guard_names.h"
#include "store/guard_records.h"
#include "store/names.h"
#include "store/page.h"

#define DAY_MS (86400 * (int64_t)1000)

#define SELECT_GOOD                                                                                \
    "SELECT g.id, g.switch, g.tenant, g.account, g.network, g.since,"                              \
    " coalesce((SELECT last_day FROM pairs p WHERE p.account = g.pair AND p.home = g.network), 0)" \
    " FROM known_good g WHERE g.id > ?1"

static int read_good(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_known_good *out = item;
    bool ok = true;
    struct store_known_good g = {
        .id = query_int(q, 0),
        .switch_id = query_int(q, 1),
        .account = query_copy(q, 3, &tx->arena, &ok),
        .network = guard_network_unpack(query_text(q, 4)),
        .since_ms = query_int(q, 5),
        .last_ms = query_int(q, 6) * DAY_MS,
    };

    if (g.last_ms < g.since_ms)
        g.last_ms = g.since_ms;
    int err = ok ? evidence_names(tx, g.switch_id, query_int(q, 2), &g.switch_name, &g.tenant, f)
                 : fault_nomem(f);
    if (!err)
        *out = g;
    return err;
}

/* Homes are hosts and /64, so what overlaps a network is inside of it, or the one /64 around it. */
static void bounds(const struct network *n, struct network *low, struct network *high)
{
    int all = n->family == 4 ? 32 : 128, wide = n->family == 6 && n->bits > 64 ? 64 : n->bits;

    *low = *high = *n;
    for (int bit = wide; bit < all; bit++) {
        low->ip[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        high->ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
    low->bits = 0;
    high->bits = UINT8_MAX;
}

static int list_start(struct store_tx *tx, struct query *q,
                      const struct store_known_good_query *query, const struct page *p,
                      struct fault *f)
{
    struct network low = {0}, high = {0};
    /* Bound to a query that outlives this function. */
    char *packed = arena_alloc(&tx->arena, 2 * GUARD_NETWORK_MAX);
    struct buf sql = {0};
    int64_t sw = 0;
    int err = packed ? 0 : fault_nomem(f);

    if (!err && query->switch_name.n)
        err = switch_id(tx, query->switch_name, &sw, f);
    buf_puts(&sql, SELECT_GOOD);
    if (!err && query->within)
        err = evidence_within(tx, &sql, query->within, f);
    if (sw)
        buf_puts(&sql, " AND g.switch = ?3");
    if (query->account.n)
        buf_puts(&sql, " AND g.account = ?4");
    if (query->network.family)
        buf_puts(&sql, " AND g.network >= ?5 AND g.network <= ?6");
    buf_puts(&sql, " ORDER BY g.id LIMIT ?2");
    if (query->network.family)
        bounds(&query->network, &low, &high);
    if (!err)
        err = sql.failed
                  ? fault_nomem(f)
                  : query_build(
                        q, tx->evidence, sql.p,
                        DB_VALUES(INT(p->id), INT(p->rows), INT(sw), TEXT(query->account),
                                  BLOB(guard_network_pack(&low, packed)),
                                  BLOB(guard_network_pack(&high, packed + GUARD_NETWORK_MAX))),
                        f);
    buf_free(&sql);
    return err;
}

int store_known_good_list(struct store_tx *tx, const struct store_known_good_query *query,
                          struct store_known_good_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_known_good), .read = read_good};
    struct query q;
    int err = page_begin_id(&p, &query->page, 0, f);

    if (!err)
        err = list_start(tx, &q, query, &p, f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_known_good_list){p.items, p.n, p.next};
    return err;
}
