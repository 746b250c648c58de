/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts that nobody adds one by one: bulk import and adoption. */
#include <inttypes.h>
#include <stdio.h>

#include "store/accounts.h"
#include "store/names.h"
#include "store/rules.h"

/* Consecutive rows mostly share switch, tenant and rules: the last answers are kept. */
struct importer {
    struct store_tx *tx;
    struct store_import *import;
    int64_t change;
    bool have_home;
    char switch_name[STORE_NAME_MAX + 1], tenant[STORE_NAME_MAX + 1];
    struct account_home home;
    int64_t tenant_id; /* of all rows, or 0 */
};

static int note_fault(struct importer *m, uint64_t line, const struct fault *why)
{
    struct store_import *import = m->import;

    if (!import->faults) {
        import->faults = arena_alloc(&m->tx->arena, STORE_IMPORT_FAULTS * sizeof(*import->faults));
        if (!import->faults)
            return ERR_NOMEM;
    }
    if (import->n_faults < STORE_IMPORT_FAULTS) {
        struct store_import_fault *told = &import->faults[import->n_faults];
        told->line = line;
        int n = snprintf(told->text, sizeof(told->text), "%s", why->text);
        if (n >= (int)sizeof(told->text))
            memcpy(told->text + sizeof(told->text) - 4, "...", 4);
    }
    import->n_faults++;
    return 0;
}

static bool remember(char *kept, struct span name)
{
    if (name.n > STORE_NAME_MAX)
        return false;
    if (name.n)
        memcpy(kept, name.p, name.n);
    kept[name.n] = '\0';
    return true;
}

static int find_home(struct importer *m, const struct store_account *a, struct fault *f)
{
    if (m->have_home && span_is(a->switch_name, m->switch_name) && span_is(a->tenant, m->tenant))
        return 0;
    m->have_home = false;
    int err = account_home(m->tx, a->switch_name, a->tenant, &m->home, f);
    if (!err)
        m->have_home = remember(m->switch_name, a->switch_name) && remember(m->tenant, a->tenant);
    return err;
}

static int add_row(struct importer *m, const struct store_import_row *in, struct fault *f)
{
    const struct store_account *a = &in->account;
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    int64_t set, id;
    int err = account_name_clean(a->name, name, f);

    if (!err)
        err = text_check(a->note, STORE_TEXT_MAX, "the note", f);
    if (!err)
        err = find_home(m, a, f);
    if (err)
        return err;
    set = m->home.born;
    if (in->own_rules)
        err = rules_intern(m->tx, in->rules, in->n_rules, false, &set, f);
    if (err)
        return err;
    struct account_row row = {
        m->home.switch_id, m->home.tenant_id, span_of(name), a->state, a->note, false, set};
    err = account_insert(m->tx, &row, m->change, &id, f);
    if (err == ERR_EXISTS) {
        if (!m->import->keep_existing)
            return fault(f, err, "there is an account \"%s\" on this switch already", name);
        m->import->kept++;
        return 0;
    }
    if (!err) {
        if (m->import->added++ == 0)
            m->tenant_id = row.tenant_id;
        else if (m->tenant_id != row.tenant_id)
            m->tenant_id = 0;
    }
    return err;
}

/* A fault of the store itself is the end; a fault of a row is told, and the next one looked at. */
static bool is_row_fault(int err)
{
    return err == ERR_SYNTAX || err == ERR_RANGE || err == ERR_MISSING || err == ERR_EXISTS ||
           err == ERR_DENIED || err == ERR_CONFLICT;
}

static int run(struct importer *m, struct fault *f)
{
    struct store_import_row row;
    struct fault why = {0};
    int more;

    for (;;) {
        row = (struct store_import_row){0};
        more = m->import->next(m->import->arg, &row, &why);
        if (more == 0)
            break;
        int err = more < 0 ? more : add_row(m, &row, &why);
        if (err && is_row_fault(err) && !db_idle(m->tx->db))
            err = note_fault(m, row.line, &why);
        if (err)
            return fault(f, err, "line %" PRIu64 ": %s", row.line,
                         err == ERR_NOMEM ? "out of memory" : why.text);
    }
    if (m->import->n_faults)
        return fault(f, ERR_RANGE,
                     "nothing was imported: line %" PRIu64 ": %s (%" PRIu64 " faults)",
                     m->import->faults[0].line, m->import->faults[0].text, m->import->n_faults);
    return 0;
}

/* What the record says of a batch: how many, not who. The rows point to it. */
static const struct change_kind import_kind = {"import", NULL, NULL};

int store_account_import(struct store_tx *tx, const struct store_by *by,
                         struct store_import *import, struct fault *f)
{
    struct importer m = {.tx = tx, .import = import};
    struct change c;
    char after[96];
    int64_t above = 0;
    bool found;

    import->added = import->kept = import->n_faults = 0;
    import->faults = NULL;
    import->batch = 0;
    int err = change_begin(&c, tx, by, &import_kind, "account.import", CHANGE_NEW, f);
    m.change = c.number;
    if (!err)
        err =
            db_int(tx->db, &above, &found,
                   "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'accounts'), 0)",
                   NULL, 0, f);
    if (!err)
        err = run(&m, f);
    if (!err && import->added) {
        int n = snprintf(after, sizeof(after), "{\"added\":%" PRIu64 ",\"kept\":%" PRIu64 "}",
                         import->added, import->kept);
        c.after = (struct span){after, (size_t)n};
        c.object = c.object_name = SPAN("accounts");
        c.tenant = m.tenant_id;
        touched_above(tx->touched, above);
    }
    c.rows = import->added ? import->added : 1;
    err = change_end(&c, err, f);
    if (err)
        import->added = import->kept = 0;
    else if (import->added)
        import->batch = c.number;
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
