/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_RULES_H
#define SEKISHO_STORE_RULES_H

#include "store/tx.h"

/* The set without rules; the schema makes it. */
#define RULES_EMPTY 1

/* SQL: the rules of the set that `id` (an expression) says, as a JSON array. */
#define RULES_JSON(id)                                                                             \
    "(SELECT json_group_array(json_object('action', action, 'prefix', prefix,"                     \
    " 'mandatory', json(iif(mandatory, 'true', 'false')), 'until', nullif(until, 0),"              \
    " 'schedule', nullif(schedule, ''))) FROM (SELECT * FROM rules WHERE rule_set = " id           \
    " ORDER BY action DESC, prefix))"

/*
 * Rule sets are interned: the same rules in any order are one set. This checks the rules (and with a
 * snapshot that their zones exist), finds their set or makes it, and gives its id. `mandatory`:
 * mandatory rules are allowed (the operator's).
 */
int rules_intern(struct store_tx *tx, const struct rule *rules, size_t n, bool mandatory,
                 int64_t *set, struct fault *f);

/* The rules of a set, restrictions first, then by prefix, in `arena`. */
int rules_read(struct db *db, struct arena *arena, int64_t set, const struct rule **rules,
               size_t *n, struct fault *f);

/* As rules_read() does it, as a JSON array in the job's memory. */
int rules_json(struct store_tx *tx, int64_t set, struct span *out, struct fault *f);

/* Forgets sets that no owner has any more. For the start: nothing may hold a set's id. */
int rules_collect(struct db *db, struct fault *f);

#endif
