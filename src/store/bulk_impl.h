/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_BULK_IMPL_H
#define SEKISHO_STORE_BULK_IMPL_H

#include "store/accounts.h"
#include "store/bulk.h"

/* Between bulk.c (rows in memory), bulk_rows.c (rows as SQL sees them), import.c (rows to accounts) and
 * publish.c (accounts into the snapshot). */

/* Where rows belong, by the names that they gave; what the store makes of them stands in `at`. */
struct bulk_home {
    struct span switch_name, tenant;
    uint32_t first; /* the first home that names the same switch */
    struct account_home at;
    const char *barred; /* why the caller may not; NULL otherwise */
    const char *why;    /* why it cannot be; NULL otherwise */
};

struct bulk_set {
    const struct rule *rules;
    size_t n;
    int64_t id;
    const char *why;
};

struct bulk_row {
    const char *name; /* clean */
    const char *note;
    uint32_t line;
    uint32_t home, set;
    uint16_t note_n;
    uint8_t name_n;
    uint8_t state;
};

/* Numbers of things by their hash: open addressing. A slot is the hash's upper half and the number + 1. */
struct bulk_index {
    uint64_t *slots;
    size_t n, cap;
};

struct bulk {
    bool keep;
    struct bulk_progress *progress;
    unsigned char key[16];
    struct arena arena;
    char *text; /* where names and notes go next */
    size_t text_left;
    struct bulk_row *rows;
    size_t n, cap;
    struct bulk_home *homes;
    size_t n_homes, homes_cap;
    struct bulk_set *sets;
    size_t n_sets, sets_cap;
    size_t n_rules;             /* of all sets */
    size_t rows_max, rules_max; /* BULK_ROWS_MAX, BULK_RULES_MAX */
    struct bulk_index by_name, by_home, by_switch, by_set;
    struct bulk_faults faults;
    size_t checked;
    const struct store *store; /* where it is alone, and gives way */
    bool gave_way;
    int64_t base; /* row i has become account base + 1 + i */
};

/* The rows as a table: sekisho_bulk(pointer), to be bound with BULK_POINTER. */
#define BULK_POINTER "sekisho-bulk"
struct sqlite3;
int bulk_rows_register(struct sqlite3 *db); /* an SQLite code */

bool bulk_cancelled(const struct bulk *b);

/* Behind the resolving of homes: notes the names that stand twice on a switch that lines called by
 * different names, "" among them. */
int bulk_find_mixed(struct bulk *b, struct fault *f);

/* Is it about one row, to be told by its line, or the end of everything? */
static inline bool bulk_row_fault(int err)
{
    return err == ERR_SYNTAX || err == ERR_RANGE || err == ERR_MISSING || err == ERR_EXISTS ||
           err == ERR_DENIED || err == ERR_CONFLICT;
}

/* Keeps the sentence of a row's fault in `*why`; hands any other on. */
int bulk_note(struct bulk *b, int err, const struct fault *said, const char **why, struct fault *f);

static inline int64_t bulk_rule_set(const struct bulk *b, const struct bulk_row *row)
{
    return row->set == BULK_BORN ? b->homes[row->home].at.born : b->sets[row->set].id;
}

#endif
