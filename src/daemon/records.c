/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/records.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

#define REFUSALS_MAX 4096
#define REFUSALS_ENOUGH 512 /* not to be kept waiting for records_flush() */
#define ROWS_AT_ONCE 64
#define SHOWN_MAX 300
#define ADOPTIONS_MAX 512
#define REMOTE_MAX 64
#define DETACH_S 5

struct refusal {
    int64_t at_ms, switch_id, account, tenant;
    uint8_t n_name, n_remote, n_dialled;
    bool observed, ruled;
    enum number_class class;
    enum verdict_reason reason;
    enum rule_level level;
    char name[ACCOUNT_NAME_MAX], remote[REMOTE_MAX], dialled[NUMBER_BYTES_MAX];
    char e164[NUMBER_E164_MAX], country[4], rule[RULE_PREFIX_MAX + 1];
};

struct adoption {
    int64_t switch_id;
    uint8_t n_name;
    char name[ACCOUNT_NAME_MAX];
};

/* Each queue is two blocks: one is filled while a job works on the other, so that the lock is held for
 * a copy of one record at most. */
struct records {
    pthread_mutex_t lock;
    pthread_cond_t idle; /* a job has ended */
    struct store *store;
    bool recording, adopting; /* a job is queued or running */
    struct refusal *refusals, *job_refusals;
    size_t n_refusals, n_job_refusals;
    struct adoption *adoptions, *job_adoptions;
    size_t n_adoptions, n_job_adoptions;
    uint64_t made, failed; /* by the running adoption job */
    struct records_figures figures;
};

int records_new(struct records **out, struct fault *f)
{
    struct records *r = calloc(1, sizeof(*r));

    if (!r)
        return fault_nomem(f);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->idle, NULL);
    r->refusals = calloc(REFUSALS_MAX, sizeof(*r->refusals));
    r->job_refusals = calloc(REFUSALS_MAX, sizeof(*r->job_refusals));
    r->adoptions = calloc(ADOPTIONS_MAX, sizeof(*r->adoptions));
    r->job_adoptions = calloc(ADOPTIONS_MAX, sizeof(*r->job_adoptions));
    if (!r->refusals || !r->job_refusals || !r->adoptions || !r->job_adoptions) {
        records_free(r);
        return fault_nomem(f);
    }
    *out = r;
    return 0;
}

void records_free(struct records *r)
{
    if (!r)
        return;
    free(r->refusals);
    free(r->job_refusals);
    free(r->adoptions);
    free(r->job_adoptions);
    pthread_cond_destroy(&r->idle);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void queue_refusals(struct records *r);

static uint8_t copy(char *to, size_t size, struct span from)
{
    size_t n = from.n < size ? from.n : size;

    if (n)
        memcpy(to, from.p, n);
    return (uint8_t)n;
}

static void copy_refusal(struct refusal *to, const struct authorize_refusal *from)
{
    const struct verdict *verdict = from->verdict;
    const struct number *number = from->number;

    to->at_ms = from->at.wall_ms;
    to->switch_id = from->switch_id;
    to->account = from->account;
    to->tenant = from->tenant;
    to->n_name = copy(to->name, sizeof(to->name), from->name);
    to->n_remote = copy(to->remote, sizeof(to->remote), from->remote);
    to->n_dialled = copy(to->dialled, sizeof(to->dialled), from->dialled);
    to->observed = verdict->observed;
    to->ruled = verdict->rule_prefix[0] != '\0';
    to->class = number->class;
    to->reason = verdict->reason;
    to->level = verdict->rule_level;
    memcpy(to->e164, number->e164, sizeof(to->e164));
    memset(to->country, 0, sizeof(to->country));
    if (number->country)
        memcpy(to->country, number->country->iso, sizeof(to->country));
    memcpy(to->rule, verdict->rule_prefix, sizeof(to->rule));
}

static void on_refused(void *arg, const struct authorize_refusal *refusal)
{
    struct records *r = arg;

    pthread_mutex_lock(&r->lock);
    if (r->n_refusals == REFUSALS_MAX)
        r->figures.dropped_refusals++;
    else
        copy_refusal(&r->refusals[r->n_refusals++], refusal);
    if (r->n_refusals >= REFUSALS_ENOUGH)
        queue_refusals(r);
    pthread_mutex_unlock(&r->lock);
}

/* As the store takes it. Its text must be valid, whatever a caller sent. */
static void fill_row(struct store_refusal *row, const struct refusal *from,
                     char shown[2][SHOWN_MAX])
{
    *row = (struct store_refusal){
        .first_ms = from->at_ms,
        .last_ms = from->at_ms,
        .count = 1,
        .switch_id = from->switch_id,
        .account_id = from->account,
        .tenant_id = from->tenant,
        .account = span_of(escape((struct span){from->name, from->n_name}, shown[0], SHOWN_MAX)),
        .remote = span_of(escape((struct span){from->remote, from->n_remote}, shown[1], SHOWN_MAX)),
        .dialled = {from->dialled, from->n_dialled},
        .class = span_of(number_class_name(from->class)),
        .e164 = span_of(from->e164),
        .country = span_of(from->country),
        .reason = span_of(verdict_reason_name(from->reason)),
        .level = span_of(from->ruled ? rule_level_name(from->level) : ""),
        .rule = span_of(from->rule),
        .observed = from->observed,
    };
}

/* Evidence job. In blocks: settings and bounds are looked at once for each. */
static int write_refusals(struct store_tx *tx, void *arg, struct fault *f)
{
    struct records *r = arg;
    struct store_refusal rows[ROWS_AT_ONCE];
    char shown[ROWS_AT_ONCE][2][SHOWN_MAX];
    int err = 0;

    for (size_t at = 0; at < r->n_job_refusals && !err; at += ROWS_AT_ONCE) {
        size_t left = r->n_job_refusals - at;
        size_t n = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;

        for (size_t i = 0; i < n; i++)
            fill_row(&rows[i], &r->job_refusals[at + i], shown[i]);
        err = store_refusals_add(tx, rows, n, f);
    }
    return err;
}

static void refusals_done(void *arg, int code, const struct fault *f)
{
    struct records *r = arg;

    pthread_mutex_lock(&r->lock);
    if (code)
        r->figures.dropped_refusals += r->n_job_refusals;
    else
        r->figures.refusals += r->n_job_refusals;
    r->recording = false;
    r->n_job_refusals = 0;
    if (!code && r->n_refusals >= REFUSALS_ENOUGH)
        queue_refusals(r);
    pthread_cond_signal(&r->idle);
    pthread_mutex_unlock(&r->lock);
    if (code)
        log_error("refusals-lost", LOG_TEXT("fault", f->text));
}

/* With the lock. A store that has no room is asked again with the next flush. */
static void queue_refusals(struct records *r)
{
    struct refusal *block = r->refusals;

    if (!r->store || r->recording || !r->n_refusals)
        return;
    r->refusals = r->job_refusals;
    r->job_refusals = block;
    r->n_job_refusals = r->n_refusals;
    r->n_refusals = 0;
    r->recording = store_evidence(r->store, write_refusals, r, refusals_done, r, NULL) == 0;
    if (!r->recording) {
        r->job_refusals = r->refusals;
        r->refusals = block;
        r->n_refusals = r->n_job_refusals;
        r->n_job_refusals = 0;
    }
}

/* ---- adoptions ------------------------------------------------------------------------------ */

static void queue_adoptions(struct records *r);

static bool is_waiting(const struct adoption *adoptions, size_t n, int64_t switch_id,
                       struct span name)
{
    for (size_t i = 0; i < n; i++)
        if (adoptions[i].switch_id == switch_id &&
            span_eq_nocase(name, (struct span){adoptions[i].name, adoptions[i].n_name}))
            return true;
    return false;
}

static void on_unknown(void *arg, int64_t switch_id, struct span name)
{
    struct records *r = arg;

    pthread_mutex_lock(&r->lock);
    if (!is_waiting(r->adoptions, r->n_adoptions, switch_id, name) &&
        !is_waiting(r->job_adoptions, r->n_job_adoptions, switch_id, name)) {
        if (r->n_adoptions == ADOPTIONS_MAX) {
            r->figures.dropped_adoptions++;
        } else {
            struct adoption *to = &r->adoptions[r->n_adoptions++];

            to->switch_id = switch_id;
            to->n_name = copy(to->name, sizeof(to->name), name);
        }
    }
    queue_adoptions(r);
    pthread_mutex_unlock(&r->lock);
}

/* Write job. One that the store refuses does not keep the others out. */
static int write_adoptions(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("sekishod")};
    struct records *r = arg;

    r->made = r->failed = 0;
    for (size_t i = 0; i < r->n_job_adoptions; i++) {
        const struct adoption *adoption = &r->job_adoptions[i];
        struct span name = {adoption->name, adoption->n_name};
        bool made = false;
        int64_t id;
        int err = store_account_adopt(tx, &by, adoption->switch_id, name, &id, &made, f);

        if (err == ERR_FULL || err == ERR_DENIED || err == ERR_MISSING) {
            r->failed++;
            log_warning("adoption-refused", LOG_SPAN("account", name), LOG_TEXT("fault", f->text));
        } else if (err) {
            return err;
        } else if (made) {
            r->made++;
            log_info("adopted", LOG_SPAN("account", name), LOG_INT("id", id));
        }
    }
    return 0;
}

static void adoptions_done(void *arg, int code, const struct fault *f)
{
    struct records *r = arg;

    pthread_mutex_lock(&r->lock);
    if (code) {
        r->figures.dropped_adoptions += r->n_job_adoptions;
    } else {
        r->figures.adopted += r->made;
        r->figures.failed_adoptions += r->failed;
    }
    r->adopting = false;
    r->n_job_adoptions = 0;
    if (!code)
        queue_adoptions(r);
    pthread_cond_signal(&r->idle);
    pthread_mutex_unlock(&r->lock);
    if (code)
        log_error("adoptions-lost", LOG_TEXT("fault", f->text));
}

static void queue_adoptions(struct records *r)
{
    struct adoption *block = r->adoptions;

    if (!r->store || r->adopting || !r->n_adoptions)
        return;
    r->adoptions = r->job_adoptions;
    r->job_adoptions = block;
    r->n_job_adoptions = r->n_adoptions;
    r->n_adoptions = 0;
    r->adopting = store_write(r->store, write_adoptions, r, adoptions_done, r, NULL) == 0;
    if (!r->adopting) {
        r->job_adoptions = r->adoptions;
        r->adoptions = block;
        r->n_adoptions = r->n_job_adoptions;
        r->n_job_adoptions = 0;
    }
}

/* ---- the door ------------------------------------------------------------------------------- */

struct authorize_sink records_sink(struct records *r)
{
    return (struct authorize_sink){.refused = on_refused, .unknown = on_unknown, .arg = r};
}

void records_attach(struct records *r, struct store *store)
{
    pthread_mutex_lock(&r->lock);
    r->store = store;
    queue_refusals(r);
    queue_adoptions(r);
    pthread_mutex_unlock(&r->lock);
}

void records_flush(struct records *r)
{
    pthread_mutex_lock(&r->lock);
    queue_refusals(r);
    queue_adoptions(r);
    pthread_mutex_unlock(&r->lock);
}

void records_detach(struct records *r)
{
    struct timespec until;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DETACH_S;
    pthread_mutex_lock(&r->lock);
    queue_refusals(r);
    queue_adoptions(r);
    while ((r->recording || r->adopting) && !err) {
        err = pthread_cond_timedwait(&r->idle, &r->lock, &until);
        queue_refusals(r);
        queue_adoptions(r);
    }
    r->figures.dropped_refusals += r->n_refusals;
    r->figures.dropped_adoptions += r->n_adoptions;
    r->store = NULL;
    pthread_mutex_unlock(&r->lock);
}

struct records_figures records_figures(struct records *r)
{
    pthread_mutex_lock(&r->lock);
    struct records_figures figures = r->figures;

    pthread_mutex_unlock(&r->lock);
    return figures;
}
