/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/mailer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mail_address.h"
#include "notify/smtp.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define LOOK_MS (60 * (int64_t)1000)    /* at least so often */
#define PRUNE_MS (3600 * (int64_t)1000) /* how often */
#define PRUNE_ROWS 10000
#define PAUSE_MS 5000 /* where the server is of no use; doubled, up to */
#define PAUSE_MOST_MS (15 * LOOK_MS)
#define ALARM_MS (10 * LOOK_MS) /* a server that is of no use for so long is an alarm */

struct mailer {
    struct postbox *box;
    struct smtp *smtp; /* NULL: there is no server */
    char *from;
    int64_t keep_ms;
    struct store *store;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under the lock. */
    bool stopping, noticed;
    struct mailer_figures figures;
    struct store_notice_totals totals;
    int64_t down_since_ms; /* 0: the server is of use */
    char trouble[FAULT_MAX];
    /* The thread's. */
    int64_t pause_ms, paused_until_ns, pruned_ns;
};

/* ---- waiting -------------------------------------------------------------------------------- */

static bool stopping(void *arg)
{
    struct mailer *m = arg;

    pthread_mutex_lock(&m->lock);
    bool yes = m->stopping;
    pthread_mutex_unlock(&m->lock);
    return yes;
}

/* Until somebody has something, or the time is over; where the server is down only the latter. */
static void wait_ms(struct mailer *m, int64_t ms, bool whatever)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&m->lock);
    while (!m->stopping && (whatever || !m->noticed) &&
           pthread_cond_timedwait(&m->wake, &m->lock, &until) == 0)
        ;
    m->noticed = false;
    pthread_mutex_unlock(&m->lock);
}

void mailer_noticed(struct mailer *m)
{
    pthread_mutex_lock(&m->lock);
    m->noticed = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
}

/* ---- one notice ----------------------------------------------------------------------------- */

struct turn {
    struct mailer *m;
    int64_t id;
    int64_t next_ms; /* when one is due, where none is */
    bool taken;
    int64_t now_ms;
    struct letter letter;
    struct span error;
    bool for_good;
};

static int due_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct turn *t = arg;
    struct store_notice n;
    int err = store_notice_due(tx, t->now_ms, &n, &t->next_ms, f);

    if (!err)
        t->id = n.id;
    return err;
}

static int take_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct turn *t = arg;

    return store_notice_take(tx, t->id, &t->taken, f);
}

static int letter_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct turn *t = arg;
    struct store_notice n;
    int err = store_notice_get(tx, t->id, &n, f);

    return err ? err : postbox_letter(t->m->box, tx, &n, t->now_ms, &t->letter, f);
}

static int sent_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_notice_sent(tx, ((struct turn *)arg)->id, f);
}

static int failed_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct turn *t = arg;

    return store_notice_failed(tx, t->id, t->error, t->for_good, f);
}

static void server_is_down(struct mailer *m, const struct fault *why)
{
    m->pause_ms = m->pause_ms == 0 ? PAUSE_MS : 2 * m->pause_ms;
    if (m->pause_ms > PAUSE_MOST_MS)
        m->pause_ms = PAUSE_MOST_MS;
    m->paused_until_ns = clock_now().boot_ns + m->pause_ms * 1000000;
    pthread_mutex_lock(&m->lock);
    if (!m->down_since_ms)
        m->down_since_ms = clock_now().wall_ms;
    memcpy(m->trouble, why->text, sizeof(m->trouble));
    m->figures.down++;
    pthread_mutex_unlock(&m->lock);
    log_warning("mail-server", LOG_TEXT("fault", why->text),
                LOG_INT("again_in_s", m->pause_ms / 1000));
}

static void server_is_up(struct mailer *m)
{
    m->pause_ms = 0;
    pthread_mutex_lock(&m->lock);
    m->down_since_ms = 0;
    pthread_mutex_unlock(&m->lock);
}

static void count(struct mailer *m, uint64_t *figure)
{
    pthread_mutex_lock(&m->lock);
    ++*figure;
    pthread_mutex_unlock(&m->lock);
}

/* A failure to write this down leaves the notice as one that is being sent: it is sent again. */
static void write_down(struct turn *t, store_job job)
{
    struct fault f;

    if (store_write_wait(t->m->store, job, t, &f) != 0)
        log_error("notice-not-recorded", LOG_INT("notice", t->id), LOG_TEXT("fault", f.text));
}

static void failed(struct turn *t, const struct fault *why, enum smtp_failure failure)
{
    struct mailer *m = t->m;
    bool for_good = failure == SMTP_REFUSED;

    t->error = span_of(why->text);
    t->for_good = for_good;
    write_down(t, failed_job);
    log_warning("notice-failed", LOG_INT("notice", t->id), LOG_TEXT("fault", why->text),
                LOG_INT("given_up", for_good));
    if (failure == SMTP_DOWN) {
        server_is_down(m, why);
    } else {
        server_is_up(m);
        count(m, for_good ? &m->figures.refused : &m->figures.later);
    }
}

static void send_it(struct turn *t)
{
    struct mailer *m = t->m;
    enum smtp_failure failure = SMTP_LATER;
    struct fault f;
    /* The accounts of a digest may be many: nobody else waits while they are read. */
    int err = store_read_aside(m->store, letter_job, t, &f);

    if (err) {
        failed(t, &f, err == ERR_MISSING || err == ERR_CORRUPT ? SMTP_REFUSED : SMTP_LATER);
        return;
    }
    err = smtp_send(m->smtp, m->from, t->letter.to, buf_span(&t->letter.message), &failure, &f);
    letter_free(&t->letter);
    if (err && stopping(m))
        return;
    if (err) {
        failed(t, &f, failure);
        return;
    }
    write_down(t, sent_job);
    server_is_up(m);
    count(m, &m->figures.sent);
    log_info("notice-sent", LOG_INT("notice", t->id));
}

/* True: another may be due. */
static bool send_one(struct mailer *m, int64_t *wait)
{
    struct turn t = {.m = m, .now_ms = clock_now().wall_ms};
    struct fault f;
    int err = store_read_wait(m->store, due_job, &t, &f);

    *wait = LOOK_MS;
    if (err == ERR_MISSING) {
        if (t.next_ms && t.next_ms - t.now_ms < LOOK_MS)
            *wait = t.next_ms - t.now_ms + 1;
        return false;
    }
    if (!err)
        err = store_write_wait(m->store, take_job, &t, &f);
    if (err) {
        log_error("outbox", LOG_TEXT("fault", f.text));
        return false;
    }
    if (t.taken)
        send_it(&t);
    return true;
}

/* ---- the thread ----------------------------------------------------------------------------- */

static int prune_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct mailer *m = arg;
    uint64_t n;

    return store_notice_prune(tx, store_tx_now(tx).wall_ms - m->keep_ms, PRUNE_ROWS, &n, f);
}

static int totals_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct mailer *m = arg;
    struct store_notice_totals totals;
    int err = store_notice_totals(tx, &totals, f);

    if (err)
        return err;
    pthread_mutex_lock(&m->lock);
    m->totals = totals;
    pthread_mutex_unlock(&m->lock);
    return 0;
}

static void keep_house(struct mailer *m)
{
    int64_t now_ns = clock_now().boot_ns;
    struct fault f;
    int err = 0;

    if (!m->pruned_ns || now_ns - m->pruned_ns > PRUNE_MS * 1000000) {
        m->pruned_ns = now_ns;
        err = store_write_wait(m->store, prune_job, m, &f);
    }
    if (!err)
        err = store_read_wait(m->store, totals_job, m, &f);
    if (err)
        log_error("outbox", LOG_TEXT("fault", f.text));
}

static void *run(void *arg)
{
    struct mailer *m = arg;

    while (!stopping(m)) {
        int64_t paused_ms = (m->paused_until_ns - clock_now().boot_ns) / 1000000;
        int64_t wait = LOOK_MS;
        bool more = false;

        if (m->smtp && paused_ms <= 0)
            more = send_one(m, &wait);
        if (more)
            continue;
        keep_house(m);
        paused_ms = (m->paused_until_ns - clock_now().boot_ns) / 1000000;
        wait_ms(m, paused_ms > 0 ? paused_ms : wait, paused_ms > 0);
    }
    return NULL;
}

/* ---- begin and end -------------------------------------------------------------------------- */

static int read_password(const char *path, struct buf *out, struct fault *f)
{
    struct span rest, line;

    if (!path[0])
        return 0;
    int err = file_read(path, 4096, out, f);

    if (err)
        return fault_in(f, "[mail] password_file");
    line = span_cut(buf_span(out), '\n', &rest);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (!line.n)
        return fault(f, ERR_SYNTAX, "[mail] password_file: the first line of %s is empty", path);
    out->p[line.n] = '\0';
    return 0;
}

static int open_smtp(struct mailer *m, const struct config *c, struct fault *f)
{
    struct buf password = {0};
    bool loopback = false;
    int err = read_password(c->mail_password_file, &password, f);

    mail_server_ok(span_of(c->mail_server), &loopback);
    if (!err) {
        bool clear = c->mail_starttls == CONFIG_STARTTLS_NO ||
                     (c->mail_starttls == CONFIG_STARTTLS_AUTO && loopback);
        const struct smtp_options options = {
            .server = c->mail_server,
            .starttls = clear ? SMTP_STARTTLS_NO : SMTP_STARTTLS_REQUIRED,
            .user = c->mail_user,
            .password = password.p ? password.p : "",
            .ca_file = c->mail_ca_file,
            .stopping = stopping,
            .arg = m,
        };

        err = smtp_new(&m->smtp, &options, f);
    }
    if (password.p)
        explicit_bzero(password.p, password.cap);
    buf_free(&password);
    return err;
}

static int open_box(struct mailer *m, const struct config *c, struct fault *f)
{
    const struct postbox_options options = {
        .from = c->mail_from[0] ? c->mail_from : "sekisho@localhost",
        .from_name = c->mail_from_name,
        .reply_to = c->mail_reply_to,
        .operator_ = c->mail_operator,
        .language = notice_language_name((enum notice_language)c->mail_language),
        .console_url = c->console_url,
        .templates = c->mail_templates,
    };

    return postbox_new(&m->box, &options, f);
}

int mailer_new(struct mailer **out, const struct config *c, struct fault *f)
{
    struct mailer *m = calloc(1, sizeof(*m));
    pthread_condattr_t attr;
    int err;

    if (!m)
        return fault_nomem(f);
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &attr);
    pthread_condattr_destroy(&attr);
    m->keep_ms = c->mail_keep_days * DAY_MS;
    m->from = strdup(c->mail_from);
    err = m->from ? open_box(m, c, f) : fault_nomem(f);
    if (!err && c->mail_server[0])
        err = open_smtp(m, c, f);
    if (err) {
        mailer_free(m);
        return err;
    }
    *out = m;
    return 0;
}

int mailer_start(struct mailer *m, struct store *store, struct fault *f)
{
    m->store = store;
    if (pthread_create(&m->thread, NULL, run, m) != 0)
        return fault(f, ERR_NOMEM, "the thread that sends mail cannot be started");
    m->started = true;
    return 0;
}

void mailer_stop(struct mailer *m)
{
    if (!m || !m->started)
        return;
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    smtp_interrupt(m->smtp);
    pthread_join(m->thread, NULL);
    m->started = false;
}

void mailer_free(struct mailer *m)
{
    if (!m)
        return;
    smtp_free(m->smtp);
    postbox_free(m->box);
    free(m->from);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

const struct postbox *mailer_postbox(const struct mailer *m)
{
    return m->box;
}

struct mailer_figures mailer_figures(struct mailer *m)
{
    pthread_mutex_lock(&m->lock);
    struct mailer_figures figures = m->figures;
    pthread_mutex_unlock(&m->lock);
    return figures;
}

/* ---- health --------------------------------------------------------------------------------- */

void mailer_health(struct mailer *m, health_say_fn *say, void *arg)
{
    char sentence[FAULT_MAX + 200], trouble[FAULT_MAX];

    pthread_mutex_lock(&m->lock);
    int64_t down_ms = m->down_since_ms ? clock_now().wall_ms - m->down_since_ms : 0;
    uint64_t failed_lately = m->totals.failed_lately;
    uint64_t waiting = m->totals.by_state[NOTICE_WAITING] + m->totals.by_state[NOTICE_SENDING];
    memcpy(trouble, m->trouble, sizeof(trouble));
    pthread_mutex_unlock(&m->lock);
    if (failed_lately) {
        snprintf(sentence, sizeof(sentence),
                 "mail: %" PRIu64 " notices of the last %d days were given up; see sekisho notices "
                 "list --state failed",
                 failed_lately, NOTICE_DAYS);
        say(arg, HEALTH_WARNING, sentence);
    }
    if (down_ms >= ALARM_MS) {
        snprintf(sentence, sizeof(sentence),
                 "mail: %" PRIu64 " notices wait, and nothing could be sent for %" PRId64
                 " minutes: %s",
                 waiting, down_ms / LOOK_MS, trouble);
        say(arg, HEALTH_WARNING, sentence);
    }
}
