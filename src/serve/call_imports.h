/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_CALL_IMPORTS_H
#define SEKISHO_SERVE_CALL_IMPORTS_H

#include "serve/call_import.h"
#include "serve/call_terms.h"
#include "serve/calls_room.h"
#include "store/payers.h"

/*
 * Imports of call records over HTTP, each some requests long. On the calls room's thread, all of it. Whoever began one and
 * does not come back for CALL_IMPORT_IDLE_S is forgotten: what came is kept, and read on by the next one.
 */
struct call_imports;

#define CALL_IMPORTS_MAX 4
#define CALL_IMPORT_IDLE_S 600
#define CALL_IMPORT_ID 33 /* 32 letters, NUL */
#define CALL_IMPORT_PIECE ((size_t)4 << 20)
#define CALL_IMPORT_HEAD                                                                           \
    4096 /* bytes that tell files apart; shorter ones are read whole each time */

/* How the records of a switch are read where nobody says otherwise: of the configuration. Texts are borrowed. */
struct call_default {
    struct span switch_name;
    struct call_terms_text terms;
};

int call_imports_new(struct call_imports **out, struct calls_room *room, struct snapshot *snapshot,
                     struct store *store, const struct call_default *defaults, size_t n,
                     struct fault *f);
/* When the room's thread has ended. */
void call_imports_free(struct call_imports *imports);
/* To be called now and then: what was left is brought into the history. */
void call_imports_tick(struct call_imports *imports);

struct call_import_session {
    char id[CALL_IMPORT_ID];
    int64_t switch_id;
    char switch_name[STORE_NAME_MAX + 1];
    struct call_terms *terms;
    struct call_import *import; /* NULL: free */
    char name[256];
    unsigned char head[32]; /* of the file and the terms; all zero: it has none */
    struct calls_file file;
    uint64_t position; /* what comes next */
    bool ended;
    int64_t used_ns; /* boot time */
};

struct call_import_ask {
    struct span switch_name;
    struct call_terms_text terms;
    struct span name;          /* of the file, for people */
    const unsigned char *head; /* 32 bytes; NULL: none */
};

/* ERR_MISSING: there is no such switch; ERR_FULL: too many imports. `*wrong` as call_terms_new() sets it. */
int call_imports_begin(struct call_imports *imports, const struct call_import_ask *ask,
                       struct call_import_session **out, const char **wrong, struct fault *f);
/* NULL: there is none. */
struct call_import_session *call_imports_find(struct call_imports *imports, struct span id);

/* How far such a file was read before, the furthest first. */
int call_imports_known(struct call_imports *imports, struct call_import_session *s,
                       int (*take)(void *arg, const struct calls_file *file), void *arg,
                       struct fault *f);

/*
 * Rows at `position`, with the digest of all bytes before it. Begins anywhere that call_imports_known() told, or at 0; then
 * goes on where the last piece ended, else ERR_CONFLICT. See call_import_piece().
 */
struct call_import_given {
    uint64_t position;
    unsigned char digest[32];
    struct span bytes;
    bool last;
};
int call_imports_piece(struct call_imports *imports, struct call_import_session *s,
                       const struct call_import_given *given, int64_t now_ms, struct fault *f);

/* Notes that all was read, brings it into the history, and ends the import. Where that fails it may be tried again. */
int call_imports_finish(struct call_imports *imports, struct call_import_session *s,
                        const unsigned char digest[32], int64_t now_ms, struct payers *payers,
                        struct payers_top *top, struct fault *f);

/* For whoever else brings records: counts who pays. After calls_room_sum(). */
int call_imports_count(struct call_imports *imports, int64_t switch_id, int64_t now_ms,
                       struct payers *payers, struct payers_top *top, struct fault *f);

#endif
