/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_AUTHORIZE_H
#define SEKISHO_SERVE_AUTHORIZE_H

#include "base/instant.h"
#include "policy/snapshot.h"
#include "serve/locks.h"

/*
 * May this account call that number? One decision for every interface (FastAGI, HTTP, SIP): from
 * the snapshot, on any registered thread, never waiting for anything.
 *
 * What `sekisho stop` closes is refused where switch or tenant only watch, too: it is an order, and no rule that is tried out.
 *
 * An emergency number is allowed whatever else is the matter: unknown switch or account, locked, stopped,
 * without a snapshot. Then the fallback site (the dial plan of the configuration) knows the number.
 */
struct authorizer;

/* A refusal, or what would have been one (observed), to be recorded. Spans are borrowed for the call. */
struct authorize_refusal {
    struct instant at;
    int64_t switch_id;
    int64_t account;                   /* 0: unknown */
    int64_t tenant;                    /* 0: none */
    struct span name, remote, dialled; /* as asked; any bytes */
    const struct number *number;
    const struct verdict *verdict;
};

/*
 * Where records go. Both are called within the read lock on the thread that asks; they must take a copy
 * and return at once, dropping (and counting) what they have no room for. Either may be NULL.
 */
struct authorize_sink {
    void (*refused)(void *arg, const struct authorize_refusal *refusal);
    /* An unknown account of a switch that adopts; its name is a possible one. */
    void (*unknown)(void *arg, int64_t switch_id, struct span name);
    void *arg;
};

/* Borrows the snapshot (may be NULL: none could be loaded), takes the site (may be NULL: then only a
 * switch's own plan knows emergencies). */
int authorizer_new(struct authorizer **out, const struct snapshot *snapshot, struct site *fallback,
                   const struct authorize_sink *sink, struct fault *f);
/* When no thread asks any more. Frees the fallback site. */
void authorizer_free(struct authorizer *authorizer);

/* Exchanges the fallback site, waits until no reader uses the old one, and frees that. Not within the
 * read lock. */
void authorizer_set_fallback(struct authorizer *authorizer, struct site *fallback);

/* Borrows what the guard has locked (NULL: nothing). Before any thread asks. */
void authorizer_set_locks(struct authorizer *authorizer, const struct locks *locks);

const struct snapshot *authorizer_snapshot(const struct authorizer *authorizer);

struct authorize_question {
    const struct levels_gate *gate; /* the switch that asks, found within the same read lock; NULL:
                                       no such switch, or no snapshot */
    struct span account;            /* who pays, by name; any bytes, any case */
    struct span remote;             /* where the call comes from: an address, with or without a
                                       port, else it is not known; any bytes, may be empty */
    struct span dialled;            /* any bytes */
    struct instant now;
    bool dry_run;   /* record nothing, adopt nobody, count nothing */
    bool under_way; /* the call is on the line: of the guard's locks only a takeover's is for it */
};

/*
 * Always gives an answer. Must be called within snapshot_read_lock(), and `number->country` may be looked
 * at only until that is given back. `subject` (may be NULL) gets whom it was about.
 */
void authorize(struct authorizer *authorizer, const struct authorize_question *question,
               struct number *number, struct verdict *verdict, struct snapshot_subject *subject);

/* The same for several at once, which is faster than one after the other (see snapshot_find_many()). Of the arrays
 * each has `n` places. */
#define AUTHORIZE_MANY_MAX 32
void authorize_many(struct authorizer *authorizer, const struct authorize_question *questions,
                    size_t n, struct number *numbers, struct verdict *verdicts);

struct authorize_figures {
    uint64_t allowed; /* with those that were only observed */
    uint64_t denied;
    uint64_t observed;  /* would have been denied */
    uint64_t emergency; /* of the allowed */
};
struct authorize_figures authorizer_figures(const struct authorizer *authorizer);

#endif
