/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_OPEN_H
#define SEKISHO_STORE_OPEN_H

#include "store/db.h"

#define STORE_MAIN "sekisho.db"
#define STORE_EVIDENCE "evidence.db"
#define STORE_CALLS "calls.db"

/* A file of the store: its name in the directory, and its schema. */
struct store_file {
    const char *name;
    int64_t application_id;
    const char *const *steps; /* of migrate() */
    bool durable;             /* db_prepare() */
};

extern const struct store_file store_file_main, store_file_evidence, store_file_calls;

/* dir/name in memory that the caller frees; NULL when there is none. */
char *store_path(const char *dir, const char *name);

/* calls.db comes with the first CDR. */
bool store_file_exists(const char *dir, const struct store_file *file);

/* Makes the file where there is none, refuses what is not ours, from the future or damaged (a big file is not
 * looked through), and brings it up to date. */
int store_file_write(struct db **out, const char *dir, const struct store_file *file,
                     struct fault *f);
/* A connection that only reads the file, which is there. */
int store_file_read(struct db **out, const char *dir, const struct store_file *file,
                    struct fault *f);
/* The same for who does not know that the file was admitted: ERR_CORRUPT where it is not ours or from the future,
 * ERR_CONFLICT where it waits to be brought up to date. */
int store_file_view(struct db **out, const char *dir, const struct store_file *file,
                    struct fault *f);

#endif
