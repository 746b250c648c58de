/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_BULK_H
#define SEKISHO_STORE_BULK_H

#include "store/store.h"

/*
 * Accounts on their way into the store: parsed and checked in memory, on whatever thread, before the
 * writer is asked for anything. What only the store can say (whether there is such a tenant, whether the
 * name is taken) is told by store_bulk_import() and store_bulk_check().
 *
 * A row takes 32 bytes, its name and its note, and 24 bytes of an index; equal rules are kept once.
 */
struct bulk;

/* Beyond these a row is refused: small lines make many times their size in memory, and the rows are not all
 * the operator's. Rules are counted once for all rows that have the same. */
#define BULK_ROWS_MAX 10000000
#define BULK_RULES_MAX 4000000

enum bulk_phase { BULK_READING, BULK_CHECKING, BULK_ADDING, BULK_COMMITTING };

/* How far it is, for whoever looks on from another thread; `cancelled` is for them to set. Only by
 * __atomic builtins. Zero-initialised is the beginning. */
struct bulk_progress {
    int phase;            /* enum bulk_phase */
    uint64_t done, total; /* of the phase: bytes read, else rows */
    bool cancelled;
};

/* What was wrong, by line; the first STORE_IMPORT_FAULTS lines of `n` in all. */
struct bulk_faults {
    struct store_import_fault first[STORE_IMPORT_FAULTS];
    uint64_t n;
};

/* `keep`: what is there already stays as it is, else it is a fault. `progress` is borrowed, may be NULL. */
int bulk_new(struct bulk **out, bool keep, struct bulk_progress *progress, struct fault *f);
void bulk_free(struct bulk *b);

/* The number of these rules among those that the bulk knows, which it copies. */
int bulk_rules(struct bulk *b, const struct rule *rules, size_t n, uint32_t *set, struct fault *f);
#define BULK_BORN UINT32_MAX /* the rules of the tenant's preset */

/* Copies the row (but for its rules: they are `set`), or notes what is wrong with it, which is 0 too.
 * ERR_NOMEM ends it. */
int bulk_add(struct bulk *b, const struct store_import_row *row, uint32_t set, struct fault *f);
/* A line that could not be read. */
int bulk_refuse(struct bulk *b, uint64_t line, const struct fault *why, struct fault *f);

/* ERR_CONFLICT when it was cancelled. To be asked now and then. */
int bulk_look(const struct bulk *b, struct fault *f);

/* Hands over each pair of switch and tenant that rows name, for another pair in its place. What `each`
 * refuses is told for every row that names it; ERR_NOMEM and ERR_IO end the walk. */
int bulk_homes(struct bulk *b,
               int (*each)(void *arg, struct span *switch_name, struct span *tenant,
                           struct fault *f),
               void *arg, struct fault *f);

size_t bulk_rows(const struct bulk *b);
const struct bulk_faults *bulk_faults(const struct bulk *b);
void bulk_phase(const struct bulk *b, enum bulk_phase phase, uint64_t done, uint64_t total);

/* The sentence of what bulk_faults() has. */
int bulk_fault(const struct bulk *b, struct fault *f);

/*
 * In a write job: all rows or none, and one audit record whose number becomes `created` of every row.
 * `lives`: the job is alone (store_write_alone_wait()) and the bulk is not freed before its commit, which then
 * need not read the rows again; and it gives way to store_urgent(): it returns 1, and is run again.
 * ERR_RANGE: something is wrong with rows, and store_bulk_check() tells which lines.
 */
int store_bulk_import(struct store_tx *tx, const struct store_by *by, struct bulk *b, bool lives,
                      struct store_import *out, struct fault *f);

/*
 * In a read or write job, behind a store_bulk_import() that said ERR_RANGE: notes the faults of up to
 * BULK_CHECK rows, and returns 1 when there are more. Short, so that others are not kept waiting.
 */
#define BULK_CHECK 20000
int store_bulk_check(struct store_tx *tx, struct bulk *b, struct fault *f);

#endif
