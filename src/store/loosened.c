/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/loosened.h"

#include "store/notices.h"

/* Many changes of one hand are one mail. */
#define GATHER_MS (2 * 60 * (int64_t)1000)
#define APART_MS (10 * 60 * (int64_t)1000)

/* ?1 the set before, ?2 the one after. */
static const char difference[] =
    "WITH gone (what, prefix, until) AS ("
    /* Restrictions that are gone, but for those that a shorter one stands in for. */
    " SELECT 'removed', b.prefix, 0 FROM rules b WHERE b.rule_set = ?1 AND b.action = 'restrict'"
    " AND NOT EXISTS (SELECT 1 FROM rules a WHERE a.rule_set = ?2 AND a.action = 'restrict'"
    "  AND substr(b.prefix, 1, length(a.prefix)) = a.prefix"
    "  AND (a.prefix = b.prefix OR (a.until = 0 AND a.schedule = ''))"
    /* Which it does not where an exception stands between. */
    "  AND NOT EXISTS (SELECT 1 FROM rules e WHERE e.rule_set = ?2 AND e.action = 'except'"
    "   AND length(e.prefix) > length(a.prefix)"
    "   AND substr(b.prefix, 1, length(e.prefix)) = e.prefix))"
    /* Those that end, or end earlier, or have another schedule. */
    " UNION ALL SELECT 'narrowed', a.prefix, a.until FROM rules a JOIN rules b ON b.rule_set = ?1"
    "  AND b.action = a.action AND b.prefix = a.prefix WHERE a.rule_set = ?2"
    "  AND a.action = 'restrict' AND ((a.until <> 0 AND (b.until = 0 OR a.until < b.until))"
    "  OR (a.schedule <> '' AND a.schedule <> b.schedule))"
    /* Exceptions that are new, or hold for longer. */
    " UNION ALL SELECT 'excepted', a.prefix, a.until FROM rules a LEFT JOIN rules b"
    "  ON b.rule_set = ?1 AND b.action = a.action AND b.prefix = a.prefix WHERE a.rule_set = ?2"
    "  AND a.action = 'except' AND (b.prefix IS NULL OR (b.until <> 0 AND (a.until = 0 OR"
    "  a.until > b.until)) OR (b.schedule <> '' AND a.schedule <> b.schedule)))"
    " SELECT json_object('count', (SELECT count(*) FROM gone), 'changes',"
    " (SELECT json_group_array(json_object('target', ?3, 'prefix', prefix, what, json('true'),"
    "  'until', until * 1000, 'by', ?4, 'when', ?5, 'change', ?6)) FROM"
    "  (SELECT * FROM gone LIMIT ?7))) WHERE EXISTS (SELECT 1 FROM gone)";

int loosened_tell(struct change *c, enum store_scope scope, int64_t before, int64_t after,
                  const struct store_by *by, struct fault *f)
{
    struct notice notice = {.kind = NOTICE_RULE_LOOSENED, .tenant = c->tenant};

    if (scope == SCOPE_PRESET)
        return 0;
    int err = change_text(c->tx, difference,
                          DB_VALUES(INT(before), INT(after), TEXT(c->object_name), TEXT(by->actor),
                                    INT(c->tx->now.wall_ms), INT(c->number), INT(NOTICE_GATHERED)),
                          &notice.facts, f);
    if (err || !notice.facts.n)
        return err;
    return store_notice_gather(c->tx, &notice, SPAN("changes"), GATHER_MS, APART_MS, f);
}
