/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts that nobody adds one by one: bulk import and adoption. */
#include <inttypes.h>
#include <stdio.h>

#include "store/bulk_impl.h"
#include "store/names.h"
#include "store/rules.h"
#include "store/store_impl.h"

/* What the rows name, once each and not once a row. `*bad`: something of it cannot be. */
static int resolve(struct store_tx *tx, struct bulk *b, bool *bad, struct fault *f)
{
    struct fault said = {0};
    int err = 0;

    *bad = false;
    for (size_t i = 0; !err && i < b->n_homes; i++) {
        struct bulk_home *home = &b->homes[i];
        home->why = home->barred;
        if (!home->barred)
            err = bulk_note(b, account_home(tx, home->switch_name, home->tenant, &home->at, &said),
                            &said, &home->why, f);
        *bad |= home->why != NULL;
    }
    for (size_t i = 0; !err && i < b->n_sets; i++) {
        struct bulk_set *set = &b->sets[i];
        set->why = NULL;
        err = bulk_note(b, rules_intern(tx, set->rules, set->n, false, &set->id, &said), &said,
                        &set->why, f);
        *bad |= set->why != NULL;
    }
    return err;
}

/* With the rows of a bulk in its order, and ids from base + 1. */
#define INSERT_BULK                                                                                \
    "INSERT INTO accounts (id, switch, name, tenant, state, note, adopted, rule_set, state_set,"   \
    " created, change) SELECT id, switch, name, tenant, state, note, 0, rule_set, ?2, ?2, ?2"      \
    " FROM sekisho_bulk(?1)"

static int insert(struct store_tx *tx, struct bulk *b, int64_t change, struct fault *f)
{
    bool found;
    int err =
        db_int(tx->db, &b->base, &found,
               "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'accounts'), 0)",
               NULL, 0, f);

    if (err)
        return err;
    b->gave_way = false;
    bulk_phase(b, BULK_ADDING, 0, b->n);
    err = db_run(tx->db,
                 b->keep ? INSERT_BULK " WHERE true ON CONFLICT (switch, name) DO NOTHING"
                         : INSERT_BULK,
                 DB_VALUES(POINTER(b, BULK_POINTER), INT(change)), f);
    if (err && !db_idle(tx->db) && bulk_look(b, f))
        return ERR_CONFLICT;
    if (err && !db_idle(tx->db) && b->gave_way)
        return STORE_AGAIN;
    /* Some name is taken: which ones, is for store_bulk_check(). */
    return err == ERR_EXISTS ? fault(f, ERR_RANGE, "an account is there already") : err;
}

/* The tenant of all rows, or 0. */
static int64_t common_tenant(const struct bulk *b)
{
    for (size_t i = 1; i < b->n_homes; i++)
        if (b->homes[i].at.tenant_id != b->homes[0].at.tenant_id)
            return 0;
    return b->homes[0].at.tenant_id;
}

/* What the record says of a batch: how many, not who. The rows point to it. */
static const struct change_kind import_kind = {"import", NULL, NULL};

static int add_all(struct change *c, struct bulk *b, bool lives, struct store_import *out,
                   struct fault *f)
{
    struct store_tx *tx = c->tx;
    bool bad = false, ok = true;
    char after[96];
    int err = resolve(tx, b, &bad, f);

    if (!err && (bad || b->faults.n))
        err = fault(f, ERR_RANGE, "something is wrong with the rows");
    if (!err && b->n)
        err = insert(tx, b, c->number, f);
    if (err || !b->n)
        return err;
    out->added = (uint64_t)db_changes(tx->db);
    out->kept = b->n - out->added;
    if (!out->added)
        return 0;
    int n = snprintf(after, sizeof(after), "{\"added\":%" PRIu64 ",\"kept\":%" PRIu64 "}",
                     out->added, out->kept);
    c->after = arena_copy(&tx->arena, (struct span){after, (size_t)n}, &ok);
    if (!ok)
        return fault_nomem(f);
    c->object = c->object_name = SPAN("accounts");
    c->tenant = common_tenant(b);
    if (lives && !out->kept && !tx->touched->bulk)
        tx->touched->bulk = b;
    else
        touched_above(tx->touched, b->base);
    return 0;
}

int store_bulk_import(struct store_tx *tx, const struct store_by *by, struct bulk *b, bool lives,
                      struct store_import *out, struct fault *f)
{
    struct change c;

    out->added = out->kept = 0;
    out->batch = 0;
    b->checked = 0;
    b->store = lives ? tx->store : NULL;
    int err = change_begin(&c, tx, by, &import_kind, "account.import", CHANGE_NEW, f);
    if (!err)
        err = add_all(&c, b, lives, out, f);
    c.rows = out->added ? out->added : 1;
    err = change_end(&c, err, f);
    if (err)
        out->added = out->kept = 0;
    else if (out->added)
        out->batch = c.number;
    if (!err)
        bulk_phase(b, BULK_COMMITTING, 0, b->n);
    return err;
}

static int check_row(struct store_tx *tx, struct bulk *b, const struct bulk_row *row,
                     struct fault *f)
{
    const struct bulk_home *home = &b->homes[row->home];
    const char *why = home->why ? home->why : row->set == BULK_BORN ? NULL : b->sets[row->set].why;
    struct span name = {row->name, row->name_n};
    struct fault said = {0};
    bool found = false;
    int64_t id;

    if (why) {
        fault(&said, ERR_RANGE, "%s", why);
        return bulk_refuse(b, row->line, &said, f);
    }
    if (b->keep)
        return 0;
    int err = db_int(tx->db, &id, &found, "SELECT id FROM accounts WHERE switch = ?1 AND name = ?2",
                     DB_VALUES(INT(home->at.switch_id), TEXT(name)), f);
    if (err || !found)
        return err;
    fault(&said, ERR_EXISTS, "there is an account \"%.*s\" on this switch already", SPAN_FMT(name));
    return bulk_refuse(b, row->line, &said, f);
}

int store_bulk_check(struct store_tx *tx, struct bulk *b, struct fault *f)
{
    size_t end = b->n - b->checked < BULK_CHECK ? b->n : b->checked + BULK_CHECK;
    int err = 0;

    bulk_phase(b, BULK_CHECKING, b->checked, b->n);
    if (b->checked == 0 && !b->keep)
        err = bulk_find_mixed(b, f);
    for (; !err && b->checked < end; b->checked++)
        err = check_row(tx, b, &b->rows[b->checked], f);
    if (!err)
        err = bulk_look(b, f);
    return err ? err : b->checked < b->n;
}

/* ---- rows one by one, within one job -------------------------------------------------------- */

static int read_rows(struct store_import *import, struct bulk *b, struct fault *f)
{
    for (;;) {
        struct store_import_row row = {0};
        struct fault why = {0};
        int more = import->next(import->arg, &row, &why);
        int err = 0;

        if (more == 0)
            return 0;
        uint32_t set = BULK_BORN;
        if (more > 0 && row.own_rules)
            err = bulk_rules(b, row.rules, row.n_rules, &set, f);
        if (more > 0 && !err)
            err = bulk_add(b, &row, set, f);
        else if (more > 0)
            return err;
        else if (bulk_row_fault(more))
            err = bulk_refuse(b, row.line, &why, f);
        else
            err = fault(f, more, "line %" PRIu64 ": %s", row.line,
                        more == ERR_NOMEM ? "out of memory" : why.text);
        if (err)
            return err;
    }
}

static int tell_faults(struct store_tx *tx, struct store_import *import, struct bulk *b,
                       struct fault *f)
{
    int more = 1;

    while (more == 1)
        more = store_bulk_check(tx, b, f);
    if (more < 0)
        return more;
    import->n_faults = b->faults.n;
    import->faults = arena_alloc(&tx->arena, sizeof(b->faults.first));
    if (!import->faults)
        return fault_nomem(f);
    memcpy(import->faults, b->faults.first, sizeof(b->faults.first));
    return bulk_fault(b, f);
}

int store_account_import(struct store_tx *tx, const struct store_by *by,
                         struct store_import *import, struct fault *f)
{
    struct bulk *b = NULL;

    import->added = import->kept = import->n_faults = 0;
    import->faults = NULL;
    import->batch = 0;
    int err = bulk_new(&b, import->keep_existing, NULL, f);
    if (!err)
        err = read_rows(import, b, f);
    if (!err)
        err = store_bulk_import(tx, by, b, false, import, f);
    if (err == ERR_RANGE && b->n + b->faults.n && !db_idle(tx->db))
        err = tell_faults(tx, import, b, f);
    bulk_free(b);
    return err;
}

static int may_adopt(struct store_tx *tx, int64_t sw, int64_t *tenant, struct fault *f)
{
    struct store_settings settings;
    int64_t adopted = 0;
    bool found;
    int err = db_int(tx->db, tenant, &found,
                     "SELECT iif(unknown = 'born', adopt_tenant, 0) FROM switches WHERE id = ?1",
                     DB_VALUES(INT(sw)), f);

    if (!err && !found)
        return fault(f, ERR_MISSING, "there is no switch with id %" PRId64, sw);
    if (!err && *tenant == 0)
        return fault(f, ERR_DENIED, "this switch does not adopt unknown accounts");
    if (!err)
        err = store_settings_get(tx, &settings, f);
    if (!err)
        err = db_int(tx->db, &adopted, &found,
                     "SELECT count(*) FROM accounts WHERE switch = ?1 AND adopted = 1",
                     DB_VALUES(INT(sw)), f);
    if (!err && adopted >= settings.adopted_max)
        return fault(f, ERR_FULL,
                     "%" PRId64
                     " accounts of this switch were adopted, and no more may be: look at "
                     "them, delete what nobody knows, or raise adopted_max",
                     adopted);
    return err;
}

int store_account_adopt(struct store_tx *tx, const struct store_by *by, int64_t sw,
                        struct span asked, int64_t *id, bool *made, struct fault *f)
{
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    struct account_row row = {.switch_id = sw, .state = STORE_ACTIVE, .adopted = true};
    struct change c;
    int64_t new = 0;
    bool found = false;
    int err = account_name_clean(asked, name, f);

    if (!err)
        err =
            db_int(tx->db, &new, &found, "SELECT id FROM accounts WHERE switch = ?1 AND name = ?2",
                   DB_VALUES(INT(sw), WORD(name)), f);
    if (!err && found) {
        *id = new;
        *made = false;
    }
    if (err || found)
        return err;
    err = change_begin(&c, tx, by, &account_kind, "account.adopt", CHANGE_NEW, f);
    if (!err)
        err = may_adopt(tx, sw, &row.tenant_id, f);
    if (!err)
        err = account_born(tx, row.tenant_id, &row.rule_set, f);
    row.name = span_of(name);
    if (!err)
        err = account_insert(tx, &row, c.number, &new, f);
    if (!err) {
        c.id = new;
        touched_account(tx->touched, sw, row.name);
    }
    err = change_end(&c, err, f);
    if (!err) {
        *id = new;
        *made = true;
    }
    return err;
}
