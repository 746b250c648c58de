/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_STORE_H
#define SEKISHO_STORE_STORE_H

#include "base/fault.h"
#include "base/instant.h"
#include "numbering/number.h"
#include "policy/holidays.h"
#include "policy/rule.h"

/*
 * What must outlive the process. Two files in one directory: sekisho.db is what people decided
 * (durable before it is acknowledged), evidence.db is what happened (bounded; may lose its last
 * moments when the power fails). This header is the whole door: nothing behind it shows which
 * database there is.
 *
 * Work is done in jobs. A job is a function that runs on one of the store's threads with a
 * `struct store_tx`, and calls the typed operations below. Threads of the store:
 *   writer  write jobs and evidence jobs, one after the other, many in one commit;
 *   reader  read jobs, each in one consistent view of what is committed.
 *
 * Every span that an operation gives out belongs to the job and dies with it: copy, or render, what
 * has to live on. Spans given in are borrowed for the call. Text is UTF-8 without control characters.
 */
struct store;
struct store_tx;
struct snapshot; /* policy/snapshot.h */
struct tables;   /* numbering/tables.h */

#define STORE_NAME_MAX 63         /* of a switch, tenant or preset: [a-z0-9][a-z0-9._-]* */
#define STORE_ACCOUNT_NAME_MAX 64 /* [A-Za-z0-9._@+-]+, kept in lower case */
#define STORE_TEXT_MAX 500        /* bytes of a title, a note, a label */
#define STORE_ACTOR_MAX 200
#define STORE_RULES_MAX 1000     /* of one owner */
#define STORE_ADDRESSES_MAX 64   /* of one switch */
#define STORE_REACH_MAX 1000     /* tenants in reach of one switch */
#define STORE_TENANT_DEPTH_MAX 8 /* a tenant, its parent, … */
#define STORE_TOKENS_MAX 10000
#define STORE_PAGE_MAX 1000
#define STORE_PAGE_DEFAULT 100

/* ---- opening, lanes ------------------------------------------------------------------------- */

enum store_log { STORE_LOG_INFO, STORE_LOG_WARNING, STORE_LOG_ERROR };

struct store_config {
    const char *dir; /* exists and is writable; the store makes the files in it */
    /* To check and publish switches; outlives the store. NULL: neither is done. */
    const struct tables *tables;
    struct snapshot *snapshot; /* published into with every commit; NULL: nothing is published */
    /* For the levels of the snapshot; borrowed as long as the store lives. */
    const struct span *help_lines; /* numbers that even a locked account may call */
    size_t n_help_lines;
    const int64_t *holidays; /* the operator's own: days since 1970, ascending */
    size_t n_holidays;
    size_t queue; /* jobs that may wait in each lane; 0 is 4096 */
    /* A line for the log, from any thread of the store; NULL drops it. */
    void (*log)(void *arg, enum store_log level, const char *sentence);
    void *log_arg;
    struct instant (*now)(void); /* NULL is clock_now */
    /* After each commit that changed a switch or what guard_lists.h has, on a thread of the store: must not wait.
     * NULL: nobody wants to know. */
    void (*guard_changed)(void *arg);
    /* The same, for a commit that stopped somebody's international calls: those under way are to end. */
    void (*stopped)(void *arg);
    void *guard_changed_arg; /* of both */
    /* After each commit that added a notice (notices.h), or made one due, likewise. */
    void (*noticed)(void *arg);
    void *noticed_arg;
};

#define STORE_SECRET_MAX 64 /* a token's secret with its NUL */

/* What a first start made. */
struct store_first {
    bool seeded;                   /* this call made preset jp, tenant main, switch local */
    char secret[STORE_SECRET_MAX]; /* then: the operator's first token, never to be seen again */
};

/*
 * Opens or makes the store, migrates it, seeds an empty one, fills config->snapshot and starts the
 * threads. `first` may be NULL. Refused, with a sentence that says what to do: a directory that is
 * missing or read-only (ERR_IO), a second process on the same directory (ERR_CONFLICT), a file locked
 * by a foreign process (ERR_TIMEOUT), one that is no store or is damaged, or that a newer version
 * wrote (ERR_CORRUPT), a full disk (ERR_FULL). Nothing is changed then.
 */
int store_open(struct store **out, const struct store_config *config, struct store_first *first,
               struct fault *f);

/* Takes no new jobs, runs what is queued, ends the threads. NULL is fine. Not from a job. */
void store_close(struct store *store);

/* Returns 0, or an error code with `f` set: then what this job did is undone, that of others stays. */
typedef int (*store_job)(struct store_tx *tx, void *arg, struct fault *f);

/* `code` is 0 or the failure that `f` tells. After a write that means: durable, and visible in the
 * snapshot. Runs on the thread of the lane: must be short, may queue jobs, must not wait for one. */
typedef void (*store_done)(void *arg, int code, const struct fault *f);

/*
 * Queues a job and returns at once. Failure (ERR_FULL when the queue has no room, ERR_DENIED when the
 * store is closing) means that neither `job` nor `done` will run. `done` may be NULL. Jobs of a lane
 * run in the order in which they were queued. A job runs once at most (but for one that is
 * alone, store_bulk_import(), which may be undone and begin again): when the commit that it shares
 * with others fails, all of them fail with the reason.
 */
int store_write(struct store *store, store_job job, void *arg, store_done done, void *done_arg,
                struct fault *f);
int store_read(struct store *store, store_job job, void *arg, store_done done, void *done_arg,
               struct fault *f);
/* For a write that must not wait (a stop): it goes before those of store_write(), and a long job gives way. */
int store_urgent(struct store *store, store_job job, void *arg, store_done done, void *done_arg,
                 struct fault *f);
/* For evidence (refusals, what the guard tells): its own file and commit, on the writer thread, behind the writes. */
int store_evidence(struct store *store, store_job job, void *arg, store_done done, void *done_arg,
                   struct fault *f);

/* The same, waiting for the end. Not from a job or a done callback. */
int store_write_wait(struct store *store, store_job job, void *arg, struct fault *f);
int store_read_wait(struct store *store, store_job job, void *arg, struct fault *f);
int store_evidence_wait(struct store *store, store_job job, void *arg, struct fault *f);

/* A read that takes long: on the caller's thread, with a connection of its own, so that nobody waits for it. Not from
 * a job; it has no evidence. */
int store_read_aside(struct store *store, store_job job, void *arg, struct fault *f);

/* For a long write: it has a commit to itself, so that those queued before it do not wait for it. */
int store_write_alone_wait(struct store *store, store_job job, void *arg, struct fault *f);

/* When this job's lane took it up. */
struct instant store_tx_now(const struct store_tx *tx);
/* The change number (audit.id) of the last record that this job wrote; 0 when it wrote none. */
int64_t store_tx_change(const struct store_tx *tx);
/* The newest change number that this job can see. */
int store_change(struct store_tx *tx, int64_t *change, struct fault *f);
/* The operator's own holidays, for schedules; lives as long as the store. */
struct holidays store_holidays(const struct store_tx *tx);
/* Memory that lives as long as the job; NULL when there is none. */
void *store_tx_alloc(struct store_tx *tx, size_t size);

struct store_stats {
    size_t write_queue, read_queue, evidence_queue; /* waiting now */
    uint64_t jobs, commits, failed_commits;         /* of the writer, since the start */
    uint64_t refused_jobs;                          /* queue full */
    uint64_t load_ms;               /* how long it took at the start to load all accounts */
    int64_t change;                 /* last change that is durable */
    bool failing, failing_evidence; /* the last commit of changes, of evidence, failed */
    char trouble[FAULT_MAX], trouble_evidence[FAULT_MAX]; /* why, or "" */
};
void store_stats(struct store *store, struct store_stats *out);

/* Takes other number tables and publishes everything anew, as a write job. When a switch does not fit
 * them, it fails and the old tables stay. The old tables may be freed once readers of the snapshot are
 * through (after a grace period). */
int store_tables_wait(struct store *store, const struct tables *tables, struct fault *f);

/*
 * Copies both files, as they are at one moment each, into the new directory `path`, while jobs run.
 * The copy grows beside it as `path`.partial, is verified, and takes its name when it is complete and
 * on the disk. Anything that already has the name is refused (ERR_EXISTS). One at a time
 * (ERR_CONFLICT). `path` must be absolute. Runs on a thread of its own, on which `done` is called.
 */
int store_backup(struct store *store, const char *path, store_done done, void *done_arg,
                 struct fault *f);
int store_backup_wait(struct store *store, const char *path, struct fault *f);

/* An empty file without a name in the store's directory, for what is too long for memory; the caller closes it. */
int store_scratch(struct store *store, int *fd, struct fault *f);

/* ---- what the operations share -------------------------------------------------------------- */

/* Who does it, and what he believes to change. Every mutation takes one, and writes one audit record
 * in the same transaction, unless it changes nothing: then it writes nothing at all. */
struct store_by {
    struct span actor; /* "token:3", "uid:0", "sekishod"; 1 to STORE_ACTOR_MAX bytes */
    int64_t
        expect; /* If-Match: the change number that the row must have (ERR_CONFLICT); 0 is any */
};

enum store_scope { SCOPE_OPERATOR, SCOPE_TENANT, SCOPE_SWITCH, SCOPE_PRESET, SCOPE_ACCOUNT };

/* One thing of the store. The operator's id is 0. */
struct store_ref {
    enum store_scope scope;
    int64_t id;
};

/* "operator", "tenant:NAME", "switch:NAME", "preset:NAME", "account:ID" and back. ERR_SYNTAX,
 * ERR_MISSING. */
int store_ref_parse(struct store_tx *tx, struct span text, struct store_ref *out, struct fault *f);
int store_ref_text(struct store_tx *tx, struct store_ref ref, struct span *out, struct fault *f);

/* Where a list begins and how long it may be. The next page begins at the list's `next`; a page whose
 * `next` is empty is the last. Rows that come or go meanwhile never make others appear twice or be
 * left out. A cursor is opaque; one that is none is ERR_SYNTAX. */
struct store_page {
    struct span cursor; /* empty: from the start */
    uint32_t limit;     /* 1 to STORE_PAGE_MAX; 0 is STORE_PAGE_DEFAULT */
};

enum store_mode { STORE_INHERIT, STORE_ENFORCE, STORE_OBSERVE };
enum store_state { STORE_ACTIVE, STORE_SUSPENDED, STORE_LOCKED };
enum store_unknown { STORE_BORN, STORE_DENY };

/* The words: "inherit", "enforce", "observe"; "active", "suspended", "locked"; "born", "deny";
 * "dialled", "+e164", "e164"; "operator", "tenant", "switch", "preset", "account". The parsers return
 * false for anything else. */
const char *store_mode_name(enum store_mode mode);
const char *store_state_name(enum store_state state);
const char *store_unknown_name(enum store_unknown unknown);
const char *store_form_name(enum number_form form);
const char *store_scope_name(enum store_scope scope);
bool store_mode_parse(struct span word, enum store_mode *out);
bool store_state_parse(struct span word, enum store_state *out);
bool store_unknown_parse(struct span word, enum store_unknown *out);
bool store_form_parse(struct span word, enum number_form *out);

/* ---- switches ------------------------------------------------------------------------------- */

struct store_switch {
    int64_t id;
    int64_t change; /* set by the store */
    struct span name;
    const struct span *addresses; /* IP or CIDR; no two switches may share one */
    size_t n_addresses;
    struct span plan;    /* "JP" */
    struct span outside; /* numbering/site.h says what these may be */
    struct span extensions;
    struct span area;
    enum number_form form; /* what the trunk wants */
    enum store_mode mode;  /* not STORE_INHERIT */
    enum store_unknown unknown;
    struct span adopt_tenant;   /* gets unknown accounts; may be empty only when unknown is deny */
    const struct span *tenants; /* in reach, with the tenants below them; none is all */
    size_t n_tenants;
    struct span note;
    /* How it asks over SIP (docs/sip.md). */
    struct span sip_account; /* the header field that names the account, or "subdomain"; empty:
                                P-Asserted-Identity */
    int64_t sip_allow;       /* 302, or with fail_open 404 or 503; 0: 302 */
    int64_t sip_deny;        /* 603, 403 or 608; 0: 603 */
    bool fail_open;          /* it is known that calls go out where Sekisho does not answer */
};

#define STORE_HEADER_MAX 64 /* bytes of sip_account */

struct store_switch_list {
    const struct store_switch *items;
    size_t n;
    struct span next;
};

/* add: ERR_EXISTS when the name or an address is taken; ERR_MISSING for a tenant that is none.
 * update: replaces all fields of row `id`. delete: ERR_CONFLICT while it has accounts or tokens. */
int store_switch_add(struct store_tx *tx, const struct store_by *by, const struct store_switch *s,
                     int64_t *id, struct fault *f);
int store_switch_update(struct store_tx *tx, const struct store_by *by,
                        const struct store_switch *s, struct fault *f);
int store_switch_delete(struct store_tx *tx, const struct store_by *by, int64_t id,
                        struct fault *f);
int store_switch_get(struct store_tx *tx, int64_t id, struct store_switch *out, struct fault *f);
int store_switch_find(struct store_tx *tx, struct span name, struct store_switch *out,
                      struct fault *f);
/* The only switch there is; ERR_MISSING when there is none or a choice. */
int store_switch_only(struct store_tx *tx, struct store_switch *out, struct fault *f);
int store_switch_list(struct store_tx *tx, const struct store_page *page,
                      struct store_switch_list *out, struct fault *f);

/* ---- tenants -------------------------------------------------------------------------------- */

struct store_tenant {
    int64_t id;
    int64_t change;
    struct span name;
    struct span title;
    struct span parent; /* empty: directly under the operator */
    enum store_mode mode;
    struct span preset;   /* its rules are copied into every new account; empty: the parent's */
    struct span language; /* "ja", "en" */
    struct span area;     /* overrides the switch's; or empty */
    struct span mail;     /* addresses that are told (notices.h), separated by commas; or empty */
    bool stopped;         /* set by the store: has a stop of its own */
};

struct store_tenant_list {
    const struct store_tenant *items;
    size_t n;
    struct span next;
};

struct store_tenant_query {
    struct store_page page;
    int64_t within; /* only this tenant and those below it; 0 is all */
};

/* A parent that would make a circle or go too deep is ERR_RANGE. delete: ERR_CONFLICT while accounts,
 * tenants, switches or tokens need it. */
int store_tenant_add(struct store_tx *tx, const struct store_by *by, const struct store_tenant *t,
                     int64_t *id, struct fault *f);
int store_tenant_update(struct store_tx *tx, const struct store_by *by,
                        const struct store_tenant *t, struct fault *f);
int store_tenant_delete(struct store_tx *tx, const struct store_by *by, int64_t id,
                        struct fault *f);
int store_tenant_get(struct store_tx *tx, int64_t id, struct store_tenant *out, struct fault *f);
int store_tenant_find(struct store_tx *tx, struct span name, struct store_tenant *out,
                      struct fault *f);
int store_tenant_only(struct store_tx *tx, struct store_tenant *out, struct fault *f);
int store_tenant_list(struct store_tx *tx, const struct store_tenant_query *query,
                      struct store_tenant_list *out, struct fault *f);
/* Is `id` the tenant `ancestor` or below it? */
int store_tenant_within(struct store_tx *tx, int64_t id, int64_t ancestor, bool *out,
                        struct fault *f);

/* ---- presets -------------------------------------------------------------------------------- */

/* A named list of rules for new accounts. Changing it changes no account that is already there. */
struct store_preset {
    int64_t id;
    int64_t change;
    struct span name;
    struct span title;
    const struct rule *rules; /* sorted by action, prefix when the store gives it */
    size_t n_rules;
};

struct store_preset_list {
    const struct store_preset *items;
    size_t n;
    struct span next;
};

/* delete: ERR_CONFLICT while a tenant has it, and for the last one: new accounts need one. */
int store_preset_add(struct store_tx *tx, const struct store_by *by, const struct store_preset *p,
                     int64_t *id, struct fault *f);
int store_preset_update(struct store_tx *tx, const struct store_by *by,
                        const struct store_preset *p, struct fault *f);
int store_preset_delete(struct store_tx *tx, const struct store_by *by, int64_t id,
                        struct fault *f);
int store_preset_get(struct store_tx *tx, int64_t id, struct store_preset *out, struct fault *f);
int store_preset_find(struct store_tx *tx, struct span name, struct store_preset *out,
                      struct fault *f);
int store_preset_list(struct store_tx *tx, const struct store_page *page,
                      struct store_preset_list *out, struct fault *f);

/* ---- accounts ------------------------------------------------------------------------------- */

struct store_account {
    int64_t id;      /* for ever: never another account's, not even after it is deleted */
    int64_t change;  /* of its row or its rules */
    int64_t created; /* the change that made it: a batch's rows are found by it */
    int64_t created_ms;
    struct span switch_name; /* for ever */
    struct span name;        /* any case going in, lower case coming out */
    struct span tenant;
    enum store_state state;
    struct span state_actor; /* who put it there (set by the store) */
    struct span note;
    bool adopted;      /* nobody made it: it was seen calling (set by the store) */
    bool stopped;      /* has a stop of its own (set by the store) */
    int64_t rule_set;  /* accounts with the same rules have the same (set by the store) */
    int64_t switch_id; /* set by the store, like: */
    int64_t tenant_id;
};

/* A name as accounts have it, in lower case and with its NUL; false: it can name none. */
bool store_account_name(struct span name, char out[STORE_ACCOUNT_NAME_MAX + 1]);

struct store_account_list {
    const struct store_account *items;
    size_t n;
    struct span next;
};

/* Zero-initialised is every account. Sorted by id. */
struct store_account_query {
    struct store_page page;
    int64_t within;          /* only accounts of this tenant and those below it; 0 is all */
    struct span switch_name; /* unless empty; an unknown one is ERR_MISSING */
    struct span tenant; /* unless empty: of exactly this tenant; an unknown one is ERR_MISSING */
    bool by_state;
    enum store_state state; /* when by_state */
    bool adopted;           /* only adopted ones */
    struct span text;       /* part of the name or the note, unless empty */
};

/* An added account is born with a copy of the rules of its tenant's preset: its own, else the nearest
 * above it, else the oldest there is. An empty switch or tenant
 * means the only one there is. A tenant out of the switch's reach is ERR_DENIED. */
int store_account_add(struct store_tx *tx, const struct store_by *by, const struct store_account *a,
                      int64_t *id, struct fault *f);
/* Replaces name, tenant, state and note of account `id`. Its rules stay as they are. */
int store_account_update(struct store_tx *tx, const struct store_by *by,
                         const struct store_account *a, struct fault *f);
int store_account_delete(struct store_tx *tx, const struct store_by *by, int64_t id,
                         struct fault *f);
int store_account_get(struct store_tx *tx, int64_t id, struct store_account *out, struct fault *f);
int store_account_find(struct store_tx *tx, struct span switch_name, struct span name,
                       struct store_account *out, struct fault *f);
/* A record in the audit of what happened to an account elsewhere: `detail` is JSON. */
int store_account_note(struct store_tx *tx, const struct store_by *by, int64_t id,
                       const char *action, struct span detail, struct fault *f);
/* How many a switch has. */
int store_account_count(struct store_tx *tx, int64_t switch_id, uint64_t *out, struct fault *f);
int store_account_list(struct store_tx *tx, const struct store_account_query *query,
                       struct store_account_list *out, struct fault *f);

/*
 * Adopts an account that was seen calling on a switch whose `unknown` is born: made if it is not
 * there, with the preset's rules of the switch's adopt_tenant. `*id` is the account's either way;
 * `*made` says whether it is new. ERR_DENIED where the switch does not adopt, ERR_FULL beyond the
 * bound in the settings.
 */
int store_account_adopt(struct store_tx *tx, const struct store_by *by, int64_t switch_id,
                        struct span name, int64_t *id, bool *made, struct fault *f);

/* One account to import. Its rules are the tenant's preset's, or `rules` when `own_rules`. */
struct store_import_row {
    uint64_t line; /* where it came from, for sentences */
    struct store_account account;
    bool own_rules;
    const struct rule *rules;
    size_t n_rules;
};

#define STORE_IMPORT_FAULTS 100

struct store_import_fault {
    uint64_t line;
    char text[200];
};

/* Bulk import, all or nothing, one audit record whose number becomes `created` of every row. */
struct store_import {
    /* Gives the next row: 1, 0 at the end, or an error code with `f` set for a row that cannot be read
     * (row->line tells which; the import looks at the rest and then fails). Spans must live until the
     * next call. */
    int (*next)(void *arg, struct store_import_row *row, struct fault *f);
    void *arg;
    bool keep_existing; /* an account that is there already stays as it is, else it is a fault */
    /* Out, set on success and on failure. */
    uint64_t added, kept;
    uint64_t n_faults;                 /* found; the first STORE_IMPORT_FAULTS of them are told */
    struct store_import_fault *faults; /* the job's memory */
    int64_t batch; /* the audit record; 0 on failure, and when nothing was added */
};
int store_account_import(struct store_tx *tx, const struct store_by *by,
                         struct store_import *import, struct fault *f);

/* ---- rules ---------------------------------------------------------------------------------- */

struct store_rules {
    const struct rule *items; /* sorted by action, prefix */
    size_t n;
    int64_t change; /* of the owner: its ETag */
};

/* `owner` is the operator, a tenant, a preset or an account. Prefixes must be clean (rule_prefix_clean).
 * A mandatory rule anywhere but at the operator is ERR_RANGE; so are two rules with the same action and
 * prefix in one list. put adds the rule, or replaces the one with its action and prefix. Rules whose
 * `until` has passed stay until somebody removes them. */
int store_rules_get(struct store_tx *tx, struct store_ref owner, struct store_rules *out,
                    struct fault *f);
int store_rules_replace(struct store_tx *tx, const struct store_by *by, struct store_ref owner,
                        const struct rule *rules, size_t n, struct fault *f);
int store_rule_put(struct store_tx *tx, const struct store_by *by, struct store_ref owner,
                   const struct rule *rule, struct fault *f);
int store_rule_delete(struct store_tx *tx, const struct store_by *by, struct store_ref owner,
                      enum rule_action action, struct span prefix, struct fault *f);

/* ---- stops ---------------------------------------------------------------------------------- */

/* International off, now (`sekisho stop`): of everything, a tenant and those below it, an account. */
struct store_stop {
    struct store_ref scope; /* operator, tenant or account */
    struct span scope_text; /* "tenant:acme"; set by the store, like what follows */
    struct span label;      /* an account's "name@switch"; else the same */
    int64_t change;
    int64_t since_ms;
    struct span actor;
    struct span note;
};

struct store_stop_list {
    const struct store_stop *items;
    size_t n;
    struct span next;
};

struct store_stop_query {
    struct store_page page;
    int64_t within; /* stops of this tenant, those below it and their accounts; 0 is all */
};

/* put on what is stopped already replaces the note only. delete: ERR_MISSING when it is not stopped. */
int store_stop_put(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                   struct span note, struct fault *f);
int store_stop_delete(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                      struct fault *f);
int store_stop_get(struct store_tx *tx, struct store_ref scope, struct store_stop *out,
                   struct fault *f);
int store_stop_list(struct store_tx *tx, const struct store_stop_query *query,
                    struct store_stop_list *out, struct fault *f);

/* ---- tokens --------------------------------------------------------------------------------- */

struct store_token {
    int64_t id; /* never used again */
    int64_t change;
    struct store_ref scope; /* operator, tenant or switch */
    struct span scope_text; /* set by the store */
    struct span label;      /* what it is for */
    int64_t created_ms;
    int64_t expires; /* wall time in seconds; valid while now < expires; 0 is for ever */
};

struct store_token_list {
    const struct store_token *items;
    size_t n;
    struct span next;
};

/* Gives the secret ("sekisho_…", NUL-terminated), which nobody can learn again. Tell it to the owner
 * only when the job is done: a token whose commit fails never existed. */
int store_token_add(struct store_tx *tx, const struct store_by *by, const struct store_token *t,
                    int64_t *id, char secret[STORE_SECRET_MAX], struct fault *f);
int store_token_revoke(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f);
int store_token_get(struct store_tx *tx, int64_t id, struct store_token *out, struct fault *f);
int store_token_list(struct store_tx *tx, const struct store_page *page,
                     struct store_token_list *out, struct fault *f);

/* What a secret opens. */
struct store_pass {
    int64_t token;
    struct store_ref scope;
};

/* Looks a secret up in memory; any thread, at any time, no disk. ERR_DENIED (one sentence for unknown,
 * revoked and expired alike). A revoked token is refused before its revocation is acknowledged. */
int store_token_verify(struct store *store, struct span secret, int64_t now_s,
                       struct store_pass *out, struct fault *f);

/* ---- settings ------------------------------------------------------------------------------- */

struct store_settings {
    int64_t change;
    uint32_t refusal_days;         /* 1 to 3650; older refusals are deleted */
    uint32_t refusals_max;         /* 1,000 to 100,000,000 rows */
    uint32_t refusals_per_account; /* 10 to refusals_max rows; the oldest go first */
    uint32_t adopted_max;          /* adopted accounts of one switch, 0 to 10,000,000 */
    /* Of guard_records.h: */
    uint32_t attempt_days;          /* 1 to 3650; older sums of attempts are deleted */
    uint32_t attempts_max;          /* 1,000 to 10,000,000 rows that tell source and account */
    uint32_t decision_days;         /* 1 to 3650 */
    uint32_t decisions_max;         /* 1,000 to 10,000,000; quenches at most a quarter of them */
    uint32_t decisions_per_subject; /* of one network, of one account, 10 to 100,000 */
};

int store_settings_get(struct store_tx *tx, struct store_settings *out, struct fault *f);
int store_settings_update(struct store_tx *tx, const struct store_by *by,
                          const struct store_settings *s, struct fault *f);

/* ---- audit ---------------------------------------------------------------------------------- */

/* Who changed what, and when. Never changed, never deleted. */
struct store_audit {
    int64_t id; /* the change number */
    int64_t at_ms;
    struct span actor;
    struct span action;      /* "account.add", "rules.put", … */
    struct span object;      /* "account:17", "tenant:acme", "operator": as it was called then */
    struct span object_name; /* "1001@local" for an account; else the same */
    uint64_t rows;           /* how many rows it changed: more than 1 for a batch */
    struct span detail; /* JSON: {"before":…,"after":…}, null where there was or is nothing */
};

struct store_audit_list {
    const struct store_audit *items;
    size_t n;
    struct span next;
};

/* Zero-initialised is everything. Newest first. */
struct store_audit_query {
    struct store_page page;
    int64_t within;  /* what concerned this tenant, those below it and their accounts; 0 is all */
    int64_t account; /* unless 0: this account */
    struct span object;         /* unless empty: exactly this object */
    struct span actor;          /* unless empty */
    struct span action;         /* unless empty: this action, or all of a kind ("account") */
    int64_t since_ms, until_ms; /* unless 0: since <= at < until */
};

int store_audit_get(struct store_tx *tx, int64_t id, struct store_audit *out, struct fault *f);
int store_audit_list(struct store_tx *tx, const struct store_audit_query *query,
                     struct store_audit_list *out, struct fault *f);

/* ---- refusals ------------------------------------------------------------------------------- */

/* Calls that were refused, or would have been (observed). Calls of the same kind (the same switch,
 * account, remote, dialled, reason, rule, observed) within an hour of the first are one row that
 * counts. */
struct store_refusal {
    int64_t id;
    int64_t first_ms, last_ms;
    uint64_t count;
    int64_t switch_id;       /* as the snapshot knew them; need not exist any more */
    int64_t account_id;      /* 0 is an unknown account */
    int64_t tenant_id;       /* 0 is none */
    struct span switch_name; /* set by the store, "" when it is gone; like: */
    struct span tenant;
    struct span account; /* its name, as asked */
    struct span remote;  /* address, as given; may be empty */
    struct span dialled; /* any bytes going in; escaped as by escape() coming out */
    struct span class;   /* number_class_name */
    struct span e164;    /* or empty */
    struct span country; /* ISO, or empty */
    struct span reason;  /* verdict_reason_name */
    struct span level;   /* rule_level_name of the rule that decided, or empty */
    struct span rule;    /* its prefix, or empty */
    bool observed;
};

struct store_refusal_list {
    const struct store_refusal *items;
    size_t n;
    struct span next;
};

/* Zero-initialised is everything. Newest row first. */
struct store_refusal_query {
    struct store_page page;
    int64_t within; /* only refusals of this tenant and those below it; 0 is all */
    int64_t account_id;
    struct span account; /* unless empty: accounts of this name, known or not */
    struct span switch_name;
    struct span reason;
    int64_t since_ms; /* unless 0: last refused then or later */
};

/* In an evidence job. `count` 0 counts as 1; `last_ms` 0 is now. Holds the bounds of the settings:
 * per account (all unknown accounts of a switch share one), in number and in age; what they push out
 * is the oldest. */
int store_refusals_add(struct store_tx *tx, const struct store_refusal *rows, size_t n,
                       struct fault *f);
/* In a read job. */
int store_refusal_list(struct store_tx *tx, const struct store_refusal_query *query,
                       struct store_refusal_list *out, struct fault *f);

#endif
