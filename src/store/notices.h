/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_NOTICES_H
#define SEKISHO_STORE_NOTICES_H

#include "store/store.h"

/*
 * The outbox: what people are to be told by mail. A row is one mail to one address. It is written by the job that makes the
 * change which it tells of, so that either both are there or neither; that is why it is in sekisho.db, for two files do not
 * commit as one. It is sent at least once: a crash behind the sending sends it again, with the same Message-ID.
 *
 * Who is told of an account: the nearest tenant from its own upwards that has addresses (store_tenant.mail), each of them
 * by a mail of its own; where there is none, the operator.
 *
 * Adding never fails for want of room: store_notice_prune(), which runs all the time, keeps NOTICES_MAX rows, and gives up
 * the oldest that wait rather than refuse a change. Where the configuration has no [mail] server, rows wait.
 */

enum notice_kind {
    NOTICE_SWEEP_ANNOUNCED,
    NOTICE_SWEEP_APPLIED,
    NOTICE_SWEEP_UNDONE,
    NOTICE_RULE_LOOSENED,
    NOTICE_LOCKOUT,
    NOTICE_TAKEOVER,
    NOTICE_LOCK_ENDED,
    NOTICE_TEST,
};
#define NOTICE_KINDS 8

enum notice_state { NOTICE_WAITING, NOTICE_SENDING, NOTICE_SENT, NOTICE_FAILED };
#define NOTICE_STATES 4

/* "sweep-announced", "sweep-applied", "sweep-undone", "rule-loosened", "lockout", "takeover", "lock-ended", "test";
 * "waiting", "sending", "sent", "failed". The parsers return false for anything else. */
const char *notice_kind_name(enum notice_kind kind);
const char *notice_state_name(enum notice_state state);
bool notice_kind_parse(struct span word, enum notice_kind *out);
bool notice_state_parse(struct span word, enum notice_state *out);

#define NOTICE_FACTS_MAX 65536
#define NOTICE_ADDRESSES_MAX 8 /* of one tenant */
#define NOTICE_TRIES 14        /* then it is given up: after about two days */
#define NOTICE_DAYS 7
#define NOTICES_MAX 500000 /* rows: what has ended goes first, then the oldest */

/* None or up to NOTICE_ADDRESSES_MAX addresses (base/mail_address.h), separated by commas, none twice. ERR_SYNTAX, ERR_RANGE. */
int notice_addresses_check(struct span mail, struct fault *f);

/* ---- adding ---------------------------------------------------------------------------------- */

/*
 * What is told of one thing. `facts` is a JSON object for the template (docs/notices.md has the names of each kind); of a
 * kind without a batch it lists the accounts too. Spans are borrowed for the call.
 */
struct notice {
    enum notice_kind kind;
    int64_t change; /* the audit record that it comes with; 0: none (the guard's) */
    int64_t tenant; /* concerned; 0: the operator is told */
    bool
        tenants_only; /* where no tenant has addresses, nobody is told (the operator is, by another) */
    struct span facts;
};

/* Write jobs. Adds a row for each address. The same kind of the same change is added once, however often it is asked for. */
int store_notice_add(struct store_tx *tx, const struct notice *notice, struct fault *f);
/*
 * Of what comes in crowds: `facts` is {"count":N,"LIST":[…],…}. It is put together with what waits for the same to be told
 * of, up to NOTICE_GATHERED items (the count goes on), or else waits for `gather_ms` and until `apart_ms` after the one
 * before it: an attack on 1,000 accounts is one mail. Comes without change. `list`: "accounts", "changes".
 */
#define NOTICE_GATHERED 100
int store_notice_gather(struct store_tx *tx, const struct notice *notice, struct span list,
                        int64_t gather_ms, int64_t apart_ms, struct fault *f);
/* To this address alone, which is checked. */
int store_notice_add_to(struct store_tx *tx, const struct notice *notice, struct span address,
                        struct span language, int64_t *id, struct fault *f);
/*
 * One digest for each that is told of accounts of `batch`: of a sweep (all that it restricted; of NOTICE_SWEEP_UNDONE what
 * the undoing restored), or of an announcement, whose accounts stand in the table `announced` by then. The digest lists them
 * when it is made; `facts` has none. `*n` is how many rows were added. notice->tenant is not looked at. Takes about as long
 * as reading the batch's rows once.
 */
int store_notice_add_batch(struct store_tx *tx, const struct notice *notice, int64_t batch,
                           uint64_t *n, struct fault *f);

/* ---- looking, sending ------------------------------------------------------------------------ */

struct store_notice {
    int64_t id;
    struct span token;
    enum notice_kind kind;
    int64_t change, batch, tenant;
    struct span tenant_name, tenant_title; /* "": the operator, or gone; a title may be "" */
    struct span recipient;                 /* "": whom the configuration has */
    struct span language;                  /* "": likewise */
    struct span facts;
    enum notice_state state;
    int64_t at_ms;
    int64_t tries, next_ms;
    int64_t ended_ms; /* 0: it is not */
    struct span error;
};

struct store_notice_list {
    const struct store_notice *items;
    size_t n;
    struct span next;
};

struct store_notice_query {
    struct store_page page;
    bool by_state, by_kind;
    enum notice_state state; /* when by_state, */
    enum notice_kind kind;   /* by_kind */
    struct span tenant;      /* unless empty: told to this one; an unknown one is ERR_MISSING */
    int64_t change;          /* unless 0 */
};

/* Newest first. */
int store_notice_list(struct store_tx *tx, const struct store_notice_query *query,
                      struct store_notice_list *out, struct fault *f);
int store_notice_get(struct store_tx *tx, int64_t id, struct store_notice *out, struct fault *f);

/* An account of a batch's digest. Spans live until `each` returns. */
struct notice_account {
    int64_t id;
    struct span name, switch_name, tenant;
};
/* All of them, by id; what `each` returns but 0 ends it. A notice without a batch has none. */
int store_notice_accounts(struct store_tx *tx, const struct store_notice *notice,
                          int (*each)(void *arg, const struct notice_account *account), void *arg,
                          struct fault *f);

/* The next that is due; ERR_MISSING: none is. `*next_ms` is then when one will be, or 0. */
int store_notice_due(struct store_tx *tx, int64_t now_ms, struct store_notice *out,
                     int64_t *next_ms, struct fault *f);
/* Write jobs. Takes it for one try: it is NOTICE_SENDING, and due again after the pause that follows a failure. False:
 * it is not due any more. */
int store_notice_take(struct store_tx *tx, int64_t id, bool *taken, struct fault *f);
int store_notice_sent(struct store_tx *tx, int64_t id, struct fault *f);
/* `error`: a sentence. It waits for its next try, or is given up where `for_good` or after the last one. */
int store_notice_failed(struct store_tx *tx, int64_t id, struct span error, bool for_good,
                        struct fault *f);
/* Begins again, as if it had never been tried: its own Message-ID stays. ERR_CONFLICT: it was sent. An audit record. */
int store_notice_retry(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f);
/* One of NOTICE_TEST to this address. An audit record. ERR_SYNTAX: it is none. */
int store_notice_test(struct store_tx *tx, const struct store_by *by, struct span address,
                      struct span language, int64_t *id, struct fault *f);
/* Gives up what could not be sent for NOTICE_DAYS days; forgets what was sent or given up before `before_ms`, and what NOTICES_MAX has no room for (then the oldest that wait, too): up to `most` rows. */
int store_notice_prune(struct store_tx *tx, int64_t before_ms, size_t most, uint64_t *n,
                       struct fault *f);

struct store_notice_totals {
    uint64_t by_state[NOTICE_STATES];
    uint64_t failed_lately; /* given up within NOTICE_DAYS */
    int64_t oldest_ms;      /* of those that wait; 0: none does */
    int64_t failed_ms;      /* when one was given up last; 0: none is */
};
int store_notice_totals(struct store_tx *tx, struct store_notice_totals *out, struct fault *f);

/* The pause behind the n-th failure, in milliseconds: a minute, growing to eight hours. */
int64_t notice_pause_ms(int64_t tries);

#endif
