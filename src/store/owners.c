/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of an operator, tenant, preset or account: which set its row points to. */
#include <inttypes.h>

#include "store/change.h"
#include "store/loosened.h"
#include "store/rules.h"

/* `image` is NULL: what a change of rules records are the rules, not the whole row. */
static const struct owner {
    struct change_kind kind;
    const char *get; /* rule set, change */
    const char *set;
} owners[] = {
    [SCOPE_OPERATOR] =
        {
            .kind = {"operator",
                     "SELECT 'operator', 'operator', NULL, NULL, change FROM operator"
                     " WHERE id = ?1",
                     NULL},
            .get = "SELECT rule_set, change FROM operator WHERE id = ?1",
            .set = "UPDATE operator SET rule_set = ?2, change = ?3 WHERE id = ?1",
        },
    [SCOPE_TENANT] =
        {
            .kind = {"tenant",
                     "SELECT 'tenant:' || name, 'tenant:' || name, id, NULL, change"
                     " FROM tenants WHERE id = ?1",
                     NULL},
            .get = "SELECT rule_set, change FROM tenants WHERE id = ?1",
            .set = "UPDATE tenants SET rule_set = ?2, change = ?3 WHERE id = ?1",
        },
    [SCOPE_PRESET] =
        {
            .kind = {"preset",
                     "SELECT 'preset:' || name, 'preset:' || name, NULL, NULL, change"
                     " FROM presets WHERE id = ?1",
                     NULL},
            .get = "SELECT rule_set, change FROM presets WHERE id = ?1",
            .set = "UPDATE presets SET rule_set = ?2, change = ?3 WHERE id = ?1",
        },
    [SCOPE_ACCOUNT] =
        {
            .kind = {"account",
                     "SELECT 'account:' || a.id, a.name || '@' || s.name, a.tenant, a.id,"
                     " a.change FROM accounts a JOIN switches s ON s.id = a.switch"
                     " WHERE a.id = ?1",
                     NULL},
            .get = "SELECT rule_set, change FROM accounts WHERE id = ?1",
            .set = "UPDATE accounts SET rule_set = ?2, change = ?3 WHERE id = ?1",
        },
};

static const struct owner *owner_of(struct store_ref ref, struct fault *f)
{
    switch (ref.scope) {
    case SCOPE_OPERATOR:
    case SCOPE_TENANT:
    case SCOPE_PRESET:
    case SCOPE_ACCOUNT: return &owners[ref.scope];
    case SCOPE_SWITCH: break;
    }
    fault(f, ERR_RANGE, "a switch has no rules; an operator, tenant, preset or account has");
    return NULL;
}

static int read_owner(struct store_tx *tx, struct store_ref ref, const struct owner *owner,
                      int64_t *set, int64_t *change, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, owner->get, DB_VALUES(INT(ref.id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        *set = query_int(&q, 0);
        *change = query_int(&q, 1);
        err = 0;
    } else if (err == 0) {
        err = fault(f, ERR_MISSING, "there is no %s with id %" PRId64, owner->kind.noun, ref.id);
    }
    query_end(&q);
    return err;
}

int store_rules_get(struct store_tx *tx, struct store_ref ref, struct store_rules *out,
                    struct fault *f)
{
    const struct owner *owner = owner_of(ref, f);
    struct store_rules rules = {0};
    int64_t set = 0;

    if (!owner)
        return ERR_RANGE;
    int err = read_owner(tx, ref, owner, &set, &rules.change, f);
    if (!err)
        err = rules_read(tx->db, &tx->arena, set, &rules.items, &rules.n, f);
    if (!err)
        *out = rules;
    return err;
}

static int touch(struct store_tx *tx, struct store_ref ref, struct fault *f)
{
    struct query q;

    if (ref.scope != SCOPE_ACCOUNT) {
        tx_touch_levels(tx);
        return 0;
    }
    int err = query_start(&q, tx->db, "SELECT switch, name FROM accounts WHERE id = ?1",
                          DB_VALUES(INT(ref.id)), f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        touched_account(tx->touched, query_int(&q, 0), query_text(&q, 1));
        err = 0;
    }
    query_end(&q);
    return err;
}

static int point_to(struct store_tx *tx, struct store_ref ref, const struct owner *owner,
                    const struct change *c, int64_t set, struct fault *f)
{
    int err = db_run(tx->db, owner->set, DB_VALUES(INT(ref.id), INT(set), INT(c->number)), f);

    return err ? err : touch(tx, ref, f);
}

int store_rules_replace(struct store_tx *tx, const struct store_by *by, struct store_ref ref,
                        const struct rule *rules, size_t n, struct fault *f)
{
    const struct owner *owner = owner_of(ref, f);
    struct change c;
    int64_t old = 0, set = 0, change;

    if (!owner)
        return ERR_RANGE;
    int err = change_begin(&c, tx, by, &owner->kind, "rules.replace", ref.id, f);
    if (!err)
        err = rules_intern(tx, rules, n, ref.scope == SCOPE_OPERATOR, &set, f);
    if (!err)
        err = read_owner(tx, ref, owner, &old, &change, f);
    if (!err)
        err = rules_json(tx, old, &c.before, f);
    if (!err)
        err = rules_json(tx, set, &c.after, f);
    if (!err && set != old)
        err = point_to(tx, ref, owner, &c, set, f);
    if (!err && set != old)
        err = loosened_tell(&c, ref.scope, old, set, by, f);
    return change_end(&c, err, f);
}

static const char rule_image[] =
    "SELECT json_object('action', action, 'prefix', prefix,"
    "                   'mandatory', json(iif(mandatory, 'true', 'false')),"
    "                   'until', nullif(until, 0), 'schedule', nullif(schedule, ''))"
    " FROM rules WHERE rule_set = ?1 AND action = ?2 AND prefix = ?3";

/* Changes one rule of an owner: `with` is put in, or, when NULL, (action, prefix) taken out. */
static int change_one(struct store_tx *tx, const struct store_by *by, struct store_ref ref,
                      const struct owner *owner, enum rule_action action, struct span prefix,
                      const struct rule *with, struct fault *f)
{
    const struct rule *rules;
    size_t n, kept = 0;
    struct change c;
    int64_t old = 0, set = 0, change;
    int err =
        change_begin(&c, tx, by, &owner->kind, with ? "rules.put" : "rules.delete", ref.id, f);

    if (!err)
        err = read_owner(tx, ref, owner, &old, &change, f);
    if (!err)
        err = rules_read(tx->db, &tx->arena, old, &rules, &n, f);
    struct rule *copy = err ? NULL : arena_alloc(&tx->arena, (n + 1) * sizeof(*copy));
    if (!err && !copy)
        err = fault_nomem(f);
    for (size_t i = 0; !err && i < n; i++)
        if (rules[i].action != action || !span_eq(rules[i].prefix, prefix))
            copy[kept++] = rules[i];
    if (!err && !with && kept == n)
        err = fault(f, ERR_MISSING, "%s has no rule %s %s", ESCAPED(c.object_name),
                    rule_action_name(action), ESCAPED(prefix));
    if (!err && with)
        copy[kept++] = *with;
    if (!err)
        err = rules_intern(tx, copy, kept, ref.scope == SCOPE_OPERATOR, &set, f);

    struct db_value key[] = {INT(old), WORD(rule_action_name(action)), TEXT(prefix)};
    if (!err)
        err = change_text(tx, rule_image, key, 3, &c.before, f);
    key[0] = INT(set);
    if (!err)
        err = change_text(tx, rule_image, key, 3, &c.after, f);
    if (!err && set != old)
        err = point_to(tx, ref, owner, &c, set, f);
    if (!err && set != old)
        err = loosened_tell(&c, ref.scope, old, set, by, f);
    return change_end(&c, err, f);
}

int store_rule_put(struct store_tx *tx, const struct store_by *by, struct store_ref ref,
                   const struct rule *rule, struct fault *f)
{
    const struct owner *owner = owner_of(ref, f);

    return owner ? change_one(tx, by, ref, owner, rule->action, rule->prefix, rule, f) : ERR_RANGE;
}

int store_rule_delete(struct store_tx *tx, const struct store_by *by, struct store_ref ref,
                      enum rule_action action, struct span prefix, struct fault *f)
{
    const struct owner *owner = owner_of(ref, f);

    return owner ? change_one(tx, by, ref, owner, action, prefix, NULL, f) : ERR_RANGE;
}
