/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_MIGRATE_H
#define SEKISHO_STORE_MIGRATE_H

#include "store/db.h"

/* The numbered steps of sql/, NULL behind the last. PRAGMA user_version counts those that are done. */
extern const char *const migrate_main_steps[];
extern const char *const migrate_evidence_steps[];
extern const char *const migrate_calls_steps[];

#define MIGRATE_MAIN_ID 0x53656b31     /* "Sek1": PRAGMA application_id of sekisho.db */
#define MIGRATE_EVIDENCE_ID 0x53656b65 /* "Seke": of evidence.db */
#define MIGRATE_CALLS_ID 0x53656b63    /* "Sekc": of calls.db */

/*
 * Brings the file up to the last of `steps`, each step one transaction; an empty file becomes a new
 * store. ERR_CORRUPT for a file that is another application's, and for one that a newer version wrote.
 */
int migrate(struct db *db, int64_t application_id, const char *const *steps, struct fault *f);

/* Refuses what migrate() would refuse, and changes nothing. */
int migrate_admit(struct db *db, int64_t application_id, const char *const *steps, struct fault *f);

/* Refuses what is not at the last step already, too. */
int migrate_check(struct db *db, int64_t application_id, const char *const *steps, struct fault *f);

/* SQLite's own check of the file. ERR_CORRUPT with its first complaint. */
int migrate_verify(struct db *db, struct fault *f);

#endif
