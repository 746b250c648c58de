/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/evidence.h"

#include <inttypes.h>

#include "store/below.h"
#include "store/change.h"

int evidence_names(struct store_tx *tx, int64_t switch_id, int64_t tenant_id,
                   struct span *switch_name, struct span *tenant, struct fault *f)
{
    int err = change_text(tx, "SELECT name FROM switches WHERE id = ?1", DB_VALUES(INT(switch_id)),
                          switch_name, f);

    return err ? err
               : change_text(tx, "SELECT name FROM tenants WHERE id = ?1",
                             DB_VALUES(INT(tenant_id)), tenant, f);
}

int evidence_within(struct store_tx *tx, struct buf *sql, int64_t within, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, "SELECT id FROM tenants WHERE id IN " TENANTS_BELOW("?1"),
                          DB_VALUES(INT(within)), f);

    if (err)
        return err;
    buf_puts(sql, " AND tenant IN (0");
    while ((err = query_row(&q, f)) == 1)
        buf_printf(sql, ",%" PRId64, query_int(&q, 0));
    buf_puts(sql, ")");
    query_end(&q);
    return err;
}
