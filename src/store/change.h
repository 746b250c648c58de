/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_CHANGE_H
#define SEKISHO_STORE_CHANGE_H

#include "store/tx.h"

/*
 * One change and its audit record: either both happen or neither. Every mutation stands between
 * change_begin() and change_end():
 *
 *     struct change c;
 *     int err = change_begin(&c, tx, by, &tenant_kind, "tenant.update", id, f);
 *     if (!err)
 *         err = ... SQL that sets the row's change column to c.number ...
 *     return change_end(&c, err, f);
 */

/* How a kind of object is described. Both statements take the row's id as ?1. */
struct change_kind {
    const char *noun; /* "tenant" */
    /* object, object name, tenant or NULL, account or NULL, change number */
    const char *label;
    /* One JSON text: what the row says. NULL: the operation sets before and after itself. */
    const char *image;
};

struct change {
    struct store_tx *tx;
    const struct change_kind *kind;
    bool open;
    int64_t number; /* the audit record's id */
    int64_t id;     /* of the row; an operation that adds one sets it */
    uint64_t rows;  /* 1; a batch sets it */
    struct span before, after;
    struct span object, object_name;
    int64_t tenant, account;
};

#define CHANGE_NEW (-1)

/* `id` CHANGE_NEW: the row is about to be added. Fails with ERR_MISSING when there is no such row, ERR_CONFLICT
 * when by->expect is not its change number. change_end() must follow even then. */
int change_begin(struct change *c, struct store_tx *tx, const struct store_by *by,
                 const struct change_kind *kind, const char *action, int64_t id, struct fault *f);

/* Completes the record, or undoes everything since change_begin() when `err` is not 0 or nothing has
 * changed. Returns `err`, or its own failure. */
int change_end(struct change *c, int err, struct fault *f);

/* One text column of one row, in the job's memory; an empty span without a row. */
int change_text(struct store_tx *tx, const char *sql, const struct db_value *values, size_t n,
                struct span *out, struct fault *f);

#endif
