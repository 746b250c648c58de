/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_STORE_FIXTURE_H
#define SEKISHO_TESTS_STORE_FIXTURE_H

#include "store/store.h"

/* A directory that is made for one test and removed with everything in it. */
struct place {
    char dir[256];
};
void place_make(struct place *p);
void place_remove(struct place *p);
/* dir/name; overwritten by the fourth call after it. */
const char *place_file(const struct place *p, const char *name);

/* A store in `dir` without a snapshot; ends the test when it cannot be opened. */
struct store *fixture_open(const char *dir);

/* What the sentence and code of a failure are when it is shown in a test: "MISSING: there is no …". */
const char *fixture_error_name(int code);

/* Runs SQL on a file with a connection of its own; ends the test when that fails. */
void fixture_sql(const char *path, const char *sql);
/* The first column of the first row as a number. */
int64_t fixture_number(const char *path, const char *sql);

/* Adds an account to the only switch and tenant. A write job; arg is the name. */
int fixture_add_account(struct store_tx *tx, void *name, struct fault *f);
/* How many accounts there are, counted by paging. */
size_t fixture_count(struct store *store);

#endif
