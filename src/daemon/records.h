/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_RECORDS_H
#define SEKISHO_DAEMON_RECORDS_H

#include "serve/authorize.h"
#include "store/store.h"

/*
 * What authorize() has to tell, on its way into the store: refusals to be recorded, unknown accounts to
 * be adopted. Two bounded queues, filled by any thread without waiting for the disk and emptied by
 * store jobs, many at a time. What finds no room is dropped and counted: an account that was not
 * adopted is adopted on its next call.
 */
struct records;

int records_new(struct records **out, struct fault *f);
/* When nobody calls the sink any more, and after the store is closed. */
void records_free(struct records *records);

/* To be given to authorizer_new(). */
struct authorize_sink records_sink(struct records *records);

/* From now on jobs are queued in this store; before, records only gather. */
void records_attach(struct records *records, struct store *store);
/* To be called a few times a second: what has gathered becomes a job. Many refusals in one job cost a
 * fraction of what they cost alone, and an attack is made of refusals. */
void records_flush(struct records *records);
/* Waits a few seconds for what has gathered to be written; the store is about to be closed. */
void records_detach(struct records *records);

struct records_figures {
    uint64_t refusals;         /* recorded */
    uint64_t dropped_refusals; /* no room, or the store failed */
    uint64_t adopted;
    uint64_t dropped_adoptions; /* the same */
    uint64_t failed_adoptions;  /* the store refused: the bound on adopted accounts */
};
struct records_figures records_figures(struct records *records);

#endif
