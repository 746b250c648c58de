/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of a bulk as a virtual table, so that one statement inserts all of them: SQLite opens the
 * accounts' table, its indexes and those that it refers to once, and not once a row.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "store/bulk_impl.h"
#include "store/store_impl.h"

#define LOOK_EVERY 1024

enum {
    COLUMN_ID,
    COLUMN_SWITCH,
    COLUMN_NAME,
    COLUMN_TENANT,
    COLUMN_STATE,
    COLUMN_NOTE,
    COLUMN_SET,
    COLUMN_BULK
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct bulk *bulk;
    size_t i;
};

static int connect_table(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **out, char **error)
{
    int code = sqlite3_declare_vtab(
        db, "CREATE TABLE x (id, switch, name, tenant, state, note, rule_set, bulk HIDDEN)");

    if (code != SQLITE_OK)
        return code;
    *out = sqlite3_malloc(sizeof(**out));
    if (!*out)
        return SQLITE_NOMEM;
    memset(*out, 0, sizeof(**out));
    return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int disconnect_table(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != COLUMN_BULK || !info->aConstraint[i].usable ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    struct cursor *c = sqlite3_malloc(sizeof(*c));

    if (!c)
        return SQLITE_NOMEM;
    *c = (struct cursor){0};
    *out = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                  sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)base;

    c->bulk = argc == 1 ? sqlite3_value_pointer(argv[0], BULK_POINTER) : NULL;
    c->i = 0;
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;

    if (++c->i % LOOK_EVERY)
        return SQLITE_OK;
    bulk_phase(c->bulk, BULK_ADDING, c->i, c->bulk->n);
    c->bulk->gave_way = c->bulk->store && store_gives_way(c->bulk->store);
    /* SQLITE_INTERRUPT would roll back what other jobs have done in this transaction. */
    return c->bulk->gave_way || bulk_cancelled(c->bulk) ? SQLITE_ABORT : SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    const struct cursor *c = (struct cursor *)base;

    return !c->bulk || c->i >= c->bulk->n;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *to, int which)
{
    const struct cursor *c = (struct cursor *)base;
    const struct bulk *b = c->bulk;
    const struct bulk_row *row = &b->rows[c->i];

    switch (which) {
    case COLUMN_ID: sqlite3_result_int64(to, b->base + 1 + (int64_t)c->i); break;
    case COLUMN_SWITCH: sqlite3_result_int64(to, b->homes[row->home].at.switch_id); break;
    case COLUMN_NAME: sqlite3_result_text(to, row->name, row->name_n, SQLITE_STATIC); break;
    case COLUMN_TENANT: sqlite3_result_int64(to, b->homes[row->home].at.tenant_id); break;
    case COLUMN_STATE:
        sqlite3_result_text(to, store_state_name(row->state), -1, SQLITE_STATIC);
        break;
    case COLUMN_NOTE: sqlite3_result_text(to, row->note, row->note_n, SQLITE_STATIC); break;
    case COLUMN_SET: sqlite3_result_int64(to, bulk_rule_set(b, row)); break;
    default: break;
    }
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((struct cursor *)base)->i;
    return SQLITE_OK;
}

int bulk_rows_register(sqlite3 *db)
{
    static const sqlite3_module module = {
        .xConnect = connect_table,
        .xBestIndex = best_index,
        .xDisconnect = disconnect_table,
        .xOpen = open_cursor,
        .xClose = close_cursor,
        .xFilter = filter,
        .xNext = next,
        .xEof = at_end,
        .xColumn = column,
        .xRowid = row_id,
    };

    return sqlite3_create_module(db, "sekisho_bulk", &module, NULL);
}
