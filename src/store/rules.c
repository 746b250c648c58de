/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/rules.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/buf.h"
#include "policy/schedule.h"
#include "policy/snapshot.h"
#include "store/change.h"
#include "store/store_impl.h"

static int compare(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;
    size_t n = x->prefix.n < y->prefix.n ? x->prefix.n : y->prefix.n;

    if (x->action != y->action)
        return (x->action > y->action) - (x->action < y->action);
    int order = memcmp(x->prefix.p, y->prefix.p, n);
    return order ? order : (x->prefix.n > y->prefix.n) - (x->prefix.n < y->prefix.n);
}

/* A schedule whose zone this machine does not know would be in force by guess. */
static int zones_exist(struct store_tx *tx, struct span schedule, struct fault *f)
{
    struct snapshot *snapshot = store_snapshot(tx->store);
    struct zones *zones = snapshot ? snapshot_zones(snapshot) : NULL;

    while (zones && schedule.p) {
        struct span part = span_trim(span_cut(schedule, ';', &schedule));
        const struct tz *tz;
        size_t at = part.n;

        while (at && part.p[at - 1] != ' ')
            at--;
        int err = zones_find(zones, span_skip(part, at), &tz, f);
        if (err)
            return err;
    }
    return 0;
}

static int clean_rule(struct store_tx *tx, struct rule *rule, bool mandatory, struct fault *f)
{
    char text[RULE_SCHEDULE_MAX + 1];
    bool ok = true;
    int err = rule_check(rule, f);

    if (err)
        return err;
    if (rule->mandatory && !mandatory)
        return fault(f, ERR_RANGE, "rule %s: only the operator's own rules can be mandatory",
                     ESCAPED(rule->prefix));
    if (rule->schedule.n == 0)
        return 0;
    err = schedule_canonical(rule->schedule, text, f);
    if (!err)
        err = zones_exist(tx, span_of(text), f);
    if (err) {
        fault_in(f, "rule %s", ESCAPED(rule->prefix));
        return err;
    }
    rule->schedule = arena_copy(&tx->arena, span_of(text), &ok);
    return ok ? 0 : fault_nomem(f);
}

/* A copy that is checked and in order, so that equal sets have equal bytes. */
static int clean(struct store_tx *tx, const struct rule *rules, size_t n, bool mandatory,
                 struct rule **out, struct fault *f)
{
    if (n > STORE_RULES_MAX)
        return fault(f, ERR_RANGE, "%zu rules are too many; one owner has at most %d", n,
                     STORE_RULES_MAX);
    struct rule *copy = arena_alloc(&tx->arena, (n + 1) * sizeof(*copy));
    if (!copy)
        return fault_nomem(f);
    for (size_t i = 0; i < n; i++) {
        copy[i] = rules[i];
        int err = clean_rule(tx, &copy[i], mandatory, f);
        if (err)
            return err;
    }
    qsort(copy, n, sizeof(*copy), compare);
    for (size_t i = 1; i < n; i++)
        if (compare(&copy[i - 1], &copy[i]) == 0)
            return fault(f, ERR_RANGE, "two rules %s %s stand in one list",
                         rule_action_name(copy[i].action), ESCAPED(copy[i].prefix));
    *out = copy;
    return 0;
}

/* No field can hold a NUL, so the text with NULs between says exactly which rules they are. */
static int hash(const struct rule *rules, size_t n, unsigned char out[32], struct fault *f)
{
    struct buf b = {0};

    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &rules[i];
        buf_printf(&b, "%s%c%.*s%c%d%c%" PRId64 "%c%.*s%c", rule_action_name(r->action), 0,
                   SPAN_FMT(r->prefix), 0, r->mandatory, 0, r->until, 0, SPAN_FMT(r->schedule), 0);
    }
    int err = b.failed ? fault_nomem(f) : 0;
    if (!err)
        crypto_generichash(out, 32, (const unsigned char *)b.p, b.n, NULL, 0);
    buf_free(&b);
    return err;
}

static int insert(struct store_tx *tx, struct span key, const struct rule *rules, size_t n,
                  int64_t *set, struct fault *f)
{
    int err = db_run(tx->db, "INSERT INTO rule_sets (hash) VALUES (?1)", DB_VALUES(BLOB(key)), f);
    int64_t id = err ? 0 : db_last_id(tx->db);

    for (size_t i = 0; !err && i < n; i++) {
        const struct rule *r = &rules[i];
        err = db_run(tx->db,
                     "INSERT INTO rules (rule_set, action, prefix, mandatory, until, schedule)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     DB_VALUES(INT(id), WORD(rule_action_name(r->action)), TEXT(r->prefix),
                               INT(r->mandatory), INT(r->until), TEXT(r->schedule)),
                     f);
    }
    if (!err)
        *set = id;
    return err;
}

int rules_intern(struct store_tx *tx, const struct rule *rules, size_t n, bool mandatory,
                 int64_t *set, struct fault *f)
{
    struct rule *copy = NULL;
    unsigned char digest[32];
    struct span key = {(char *)digest, sizeof(digest)};
    bool found = false;
    int err = clean(tx, rules, n, mandatory, &copy, f);

    if (!err)
        err = hash(copy, n, digest, f);
    if (!err)
        err = db_int(tx->db, set, &found, "SELECT id FROM rule_sets WHERE hash = ?1",
                     DB_VALUES(BLOB(key)), f);
    if (!err && !found)
        err = insert(tx, key, copy, n, set, f);
    return err;
}

static struct rule read_rule(struct query *q, struct arena *arena, bool *ok)
{
    return (struct rule){
        .action = span_is(query_text(q, 0), "except") ? RULE_EXCEPT : RULE_RESTRICT,
        .prefix = query_copy(q, 1, arena, ok),
        .mandatory = query_int(q, 2) != 0,
        .until = query_int(q, 3),
        .schedule = query_copy(q, 4, arena, ok),
    };
}

int rules_read(struct db *db, struct arena *arena, int64_t set, const struct rule **rules,
               size_t *n, struct fault *f)
{
    struct query q;
    struct rule *items = NULL;
    size_t count = 0, cap = 0;
    bool ok = true;
    int err = query_start(&q, db,
                          "SELECT action, prefix, mandatory, until, schedule FROM rules"
                          " WHERE rule_set = ?1 ORDER BY action DESC, prefix",
                          DB_VALUES(INT(set)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        if (count == cap) {
            cap = cap ? 4 * cap : 8;
            struct rule *more = arena_alloc(arena, cap * sizeof(*more));
            if (!more) {
                ok = false;
                break;
            }
            if (count)
                memcpy(more, items, count * sizeof(*more));
            items = more;
        }
        items[count++] = read_rule(&q, arena, &ok);
    }
    query_end(&q);
    if (err >= 0)
        err = ok ? 0 : fault_nomem(f);
    if (!err) {
        *rules = items;
        *n = count;
    }
    return err;
}

int rules_json(struct store_tx *tx, int64_t set, struct span *out, struct fault *f)
{
    return change_text(tx, "SELECT " RULES_JSON("?1"), DB_VALUES(INT(set)), out, f);
}

int rules_collect(struct db *db, struct fault *f)
{
    return db_exec(db,
                   "DELETE FROM rule_sets WHERE id > 1"
                   " AND NOT EXISTS (SELECT 1 FROM accounts WHERE rule_set = rule_sets.id)"
                   " AND NOT EXISTS (SELECT 1 FROM tenants WHERE rule_set = rule_sets.id)"
                   " AND NOT EXISTS (SELECT 1 FROM presets WHERE rule_set = rule_sets.id)"
                   " AND NOT EXISTS (SELECT 1 FROM operator WHERE rule_set = rule_sets.id)"
                   " AND NOT EXISTS (SELECT 1 FROM sweep_rows WHERE before = rule_sets.id)"
                   " AND NOT EXISTS (SELECT 1 FROM sweep_rows WHERE after = rule_sets.id)",
                   f);
}
