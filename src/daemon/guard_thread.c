/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/guard_enforcement.h"
#include "daemon/guard_lifts.h"
#include "daemon/guard_log.h"
#include "daemon/guard_orders.h"
#include "daemon/guard_restore.h"
#include "daemon/guard_trust.h"
#include "daemon/guard_view.h"
#include "daemon/guard_witnesses.h"
#include "serve/ending.h"
#include "store/guard_journal.h"

#define SECOND INT64_C(1000000000)
#define SETTLE_S 5               /* for the kernel to hold what is restored, before ready is told */
#define LOAD_NS (86400 * SECOND) /* locks are made anew */
#define FINISH_MS 10000          /* for the store to write what is to outlive the restart */
#define NEAR_NS (3 * SECOND)
#define URGENT_NS (SECOND / 20) /* between what is written as soon as it can be */
#define OWN_FDS 3               /* before the witnesses' */

/*
 * One loop around poll(2): descriptors here come and go by themselves (the enforcer and AMI are connected again, often
 * under the number that they had), which poll is told each time and an epoll would have to be told in time.
 */
struct guard_thread {
    struct guard_thread_parts parts;
    uint8_t key[GUARD_KEY_BYTES];
    struct guard *guard;
    struct locks *locks;
    struct enforcement *enforcement;
    struct trust *trust;
    struct witnesses *witnesses;
    struct guard_view *view;
    struct store *store;
    struct authorizer *authorizer;
    struct guard_journal *journal;
    struct guard_orders *orders;
    struct guard_lifts *lifts;
    struct {
        guard_hear_fn *hear;
        guard_see_fn *see;
        void *arg;
    } hearers[GUARD_HEARERS_MAX];
    size_t n_hearers;

    struct instant now; /* of this turn */
    /* Of the last look. Not on the stack, which is probed page by page in every turn, whether somebody looks or not. */
    struct guard_room_witness looks[WITNESSES_MAX];
    int64_t tick_ns, load_ns, flushed_ns;
    bool more; /* something is left to read */

    pthread_t thread;
    bool running;
    int wake; /* an event descriptor: stop or changed */
    atomic_bool stop;
    atomic_bool end_calls; /* those that are to end are not known to the witnesses yet */
    pthread_mutex_t lock;
    pthread_cond_t settle;
    bool settled; /* under the lock */
};

/* ---- attempts and decisions ----------------------------------------------------------------- */

static bool is_known(const struct guard_thread *t, const struct attempt *attempt)
{
    struct snapshot_subject who;

    if (!attempt->account.n || attempt->account.n > ACCOUNT_NAME_MAX)
        return false;
    snapshot_read_lock();
    snapshot_find(t->parts.snapshot, snapshot_switch_by_id(t->parts.snapshot, attempt->switch_id),
                  attempt->account, &who);
    snapshot_read_unlock();
    return who.account != 0;
}

static void on_attempt(void *context, const struct attempt *attempt)
{
    struct guard_thread *t = context;
    struct attempt full = *attempt;

    full.account_known = is_known(t, attempt);
    for (size_t i = 0; i < t->n_hearers; i++)
        if (t->hearers[i].see)
            t->hearers[i].see(t->hearers[i].arg, &full);
    guard_journal_attempt(t->journal, &full);
    guard_attempt(t->guard, &full);
}

static void on_vouch(void *context, const struct attempt *attempt)
{
    struct guard_thread *t = context;

    guard_vouch(t->guard, attempt->at, attempt->switch_id, &attempt->source);
}

/* The kernel first: everything else can wait a microsecond. */
static void on_event(void *context, const struct guard_event *event)
{
    struct guard_thread *t = context;

    enforcement_take(t->enforcement, event);
    locks_take(t->locks, event);
    guard_view_take(t->view, event);
    guard_journal_event(t->journal, t->guard, event);
    /* Not from here: a witness may be at work. */
    if (event->kind == GUARD_TAKEOVER && !event->observed)
        atomic_store(&t->end_calls, true);
    for (size_t i = 0; i < t->n_hearers; i++)
        if (t->hearers[i].hear)
            t->hearers[i].hear(t->hearers[i].arg, t->guard, event);
    guard_log(event);
}

/* Only where something is watched: else it is memory that nobody uses. */
static void on_begin(void *context)
{
    struct guard_thread *t = context;

    guard_prepare(t->guard);
}

static void on_trunk(void *context, const struct address *trunk)
{
    struct guard_thread *t = context;

    trust_trunk(t->trust, trunk, t->now);
}

static void on_trusted(void *context, const struct network *network)
{
    struct guard_thread *t = context;

    trust_file(t->trust, network);
}

static void on_lifted(void *context, const struct network *network, int64_t seen)
{
    struct guard_thread *t = context;

    guard_lifts_add(t->lifts, seen, network);
}

static bool on_live_call(void *context, int64_t switch_id, struct span account, struct span number)
{
    struct guard_thread *t = context;

    return ending_is_due(t->authorizer, switch_id, account, number, t->now);
}

static void on_socket(void *context, int socket)
{
    struct guard_thread *t = context;

    if (socket >= 0)
        witnesses_socket(t->witnesses, socket, t->now);
    else
        witnesses_no_socket(t->witnesses, "the enforcer has no packet socket left");
}

int guard_thread_hear(struct guard_thread *t, guard_hear_fn *hear, guard_see_fn *see, void *arg,
                      struct fault *f)
{
    if (t->n_hearers == GUARD_HEARERS_MAX)
        return fault(f, ERR_FULL, "more than %d hear what the guard decides", GUARD_HEARERS_MAX);
    t->hearers[t->n_hearers].hear = hear;
    t->hearers[t->n_hearers].see = see;
    t->hearers[t->n_hearers++].arg = arg;
    return 0;
}

/* ---- making it ------------------------------------------------------------------------------ */

static void wake(void *arg)
{
    struct guard_thread *t = arg;

    eventfd_write(t->wake, 1);
}

static int make_parts(struct guard_thread *t, struct fault *f)
{
    const struct enforcement_hearers hearers = {on_trusted, on_lifted, on_socket, t};
    int err = enforcement_new(&t->enforcement, t->parts.config, &hearers, f);

    if (!err)
        err = trust_new(&t->trust, t->parts.config, f);
    if (!err) {
        const struct witnesses_parts parts = {
            .config = t->parts.config,
            .snapshot = t->parts.snapshot,
            .machine = trust_machine(t->trust),
            .give = on_attempt,
            .vouch = on_vouch,
            .trunk = on_trunk,
            .ends = on_live_call,
            .begins = on_begin,
            .context = t,
        };

        err = witnesses_new(&t->witnesses, &parts, f);
    }
    if (!err)
        err = guard_view_new(&t->view, f);
    if (!err)
        err = guard_orders_new(&t->orders, wake, t, f);
    if (!err)
        err = guard_lifts_new(&t->lifts, f);
    if (!err) {
        t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = t->wake < 0 ? fault(f, ERR_IO, "cannot make an event descriptor: %m") : 0;
    }
    return err;
}

int guard_thread_new(struct guard_thread **out, const struct guard_thread_parts *parts,
                     struct fault *f)
{
    struct guard_thread *t = calloc(1, sizeof(*t));
    pthread_condattr_t monotonic;
    int err;

    if (!t)
        return fault_nomem(f);
    t->parts = *parts;
    t->wake = -1;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->settle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    err = make_parts(t, f);
    if (err) {
        guard_thread_free(t);
        return err;
    }
    *out = t;
    return 0;
}

void guard_thread_free(struct guard_thread *t)
{
    if (!t)
        return;
    witnesses_free(t->witnesses);
    enforcement_free(t->enforcement);
    trust_free(t->trust);
    guard_free(t->guard);
    locks_free(t->locks);
    guard_view_free(t->view);
    guard_journal_free(t->journal);
    guard_orders_free(t->orders);
    guard_lifts_free(t->lifts);
    if (t->wake >= 0)
        close(t->wake);
    pthread_cond_destroy(&t->settle);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- what the operator ordered -------------------------------------------------------------- */

static void follow(struct guard_thread *t, const struct guard_order_book *book)
{
    struct fault f;

    if (trust_operator(t->trust, book->never, book->n_never, &f) != 0)
        log_error("never-ban", LOG_TEXT("fault", f.text));
    trust_tick(t->trust, t->guard, t->now);
    enforcement_never(t->enforcement, book->never, book->n_never);
    if (enforcement_access(t->enforcement, book->access, book->n_access) != 0)
        log_error("access", LOG_TEXT("fault", "the enforcer has no room for the access list"));
    if (guard_set_canaries(t->guard, book->canaries, book->n_canaries, &f) != 0)
        log_error("canaries", LOG_TEXT("fault", f.text));
}

static void follow_orders(struct guard_thread *t)
{
    struct guard_order_book *book = guard_orders_take(t->orders);

    if (book)
        follow(t, book);
    free(book);
    guard_orders_read(t->orders, t->store);
}

/* ---- once a second -------------------------------------------------------------------------- */

struct switches {
    struct guard_thread *t;
    size_t n;
    struct network observed[ENFORCE_RECORDS_MAX];
};

/* What is observed is observed by the guard; where its addresses are known the kernel drops nothing there
 * either. */
static void follow_switch(void *context, int64_t id, enum mode mode,
                          const struct config_switch *config)
{
    struct switches *s = context;
    struct guard_thread *t = s->t;
    bool observed = mode == MODE_OBSERVE || t->parts.config->enforce != CONFIG_ENFORCE;
    struct fault f;

    if (guard_set_mode(t->guard, t->now, id, observed ? GUARD_OBSERVE : GUARD_ENFORCE, &f) != 0)
        log_error("guard", LOG_TEXT("fault", f.text));
    for (size_t i = 0; observed && i < config->addresses.n && s->n < ENFORCE_RECORDS_MAX; i++)
        s->observed[s->n++] = config->addresses.at[i];
}

static void follow_switches(struct guard_thread *t)
{
    struct switches s = {.t = t};

    witnesses_switches(t->witnesses, follow_switch, &s);
    enforcement_observe(t->enforcement, s.observed, s.n);
}

/* What a question sees. */
static void open_room(struct guard_thread *t, struct guard_room *out)
{
    *out = (struct guard_room){.guard = t->guard, .now = t->now, .witnesses = t->looks};
    out->n_witnesses = witnesses_look(t->witnesses, t->now, t->looks, WITNESSES_MAX);
    enforcement_look(t->enforcement, &out->enforcement);
    out->exempts = trust_list(t->trust, &out->n_exempts);
    guard_journal_figures(t->journal, &out->journal);
    witnesses_endings(t->witnesses, &out->endings);
}

static void copy_view(struct guard_thread *t)
{
    struct guard_room room;

    open_room(t, &room);
    guard_view_copy(t->view, &room);
}

static void keep_locks(struct guard_thread *t)
{
    struct fault f;

    locks_reclaim(t->locks);
    if (!locks_behind(t->locks) && t->now.boot_ns < t->load_ns)
        return;
    t->load_ns = t->now.boot_ns + LOAD_NS;
    if (locks_load(t->locks, t->guard, t->now, &f) != 0)
        log_error("locks", LOG_TEXT("fault", f.text));
}

static void want_sockets(struct guard_thread *t)
{
    struct guard_enforcement seen;

    if (!witnesses_want_socket(t->witnesses) || enforcement_ask_socket(t->enforcement))
        return;
    enforcement_look(t->enforcement, &seen);
    witnesses_no_socket(t->witnesses, seen.why[0] ? seen.why : "the enforcer is not ready");
}

static void flush(struct guard_thread *t)
{
    guard_journal_flush(t->journal, t->guard, t->now, t->store);
    t->flushed_ns = t->now.boot_ns;
}

static void tick(struct guard_thread *t)
{
    guard_tick(t->guard, t->now);
    follow_switches(t);
    trust_tick(t->trust, t->guard, t->now);
    witnesses_tick(t->witnesses, t->now);
    enforcement_tick(t->enforcement, t->now);
    want_sockets(t);
    keep_locks(t);
    copy_view(t);
    follow_orders(t);
    flush(t);
    guard_lifts_write(t->lifts, t->store);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct guard_thread *t)
{
    int64_t due = earlier(earlier(t->tick_ns, enforcement_due_ns(t->enforcement)),
                          witnesses_due_ns(t->witnesses));

    if (guard_journal_urgent(t->journal))
        due = earlier(due, t->flushed_ns + URGENT_NS);
    int64_t left = due - clock_now().boot_ns;

    return t->more || left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

static void answer_desk(struct guard_thread *t)
{
    struct guard_room room;

    open_room(t, &room);
    guard_desk_serve(t->parts.desk, &room);
}

static void tell_settled(struct guard_thread *t)
{
    if (t->settled || !enforcement_settled(t->enforcement))
        return;
    pthread_mutex_lock(&t->lock);
    t->settled = true;
    pthread_cond_signal(&t->settle);
    pthread_mutex_unlock(&t->lock);
}

/* An attacker tries again soon: what is read now may be his last try. */
static void prime(struct guard_thread *t)
{
    int64_t near_ns = guard_near_ns(t->guard);

    if (near_ns && t->now.boot_ns - near_ns < NEAR_NS)
        enforcement_prime(t->enforcement, t->now);
}

static void turn(struct guard_thread *t)
{
    struct pollfd fds[OWN_FDS + WITNESSES_MAX] = {
        {.fd = t->wake, .events = POLLIN},
        {.fd = guard_desk_work_fd(t->parts.desk), .events = POLLIN},
        enforcement_poll(t->enforcement),
    };
    size_t n = witnesses_poll(t->witnesses, fds + OWN_FDS, WITNESSES_MAX);
    eventfd_t woken;

    if (poll(fds, OWN_FDS + n, wait_ms(t)) < 0)
        n = 0; /* interrupted: revents say nothing */
    t->now = clock_now();
    if (fds[0].revents) {
        eventfd_read(t->wake, &woken);
        follow_orders(t);
    }
    if (!fds[2].revents)
        prime(t);
    t->more = witnesses_work(t->witnesses, fds + OWN_FDS, n, t->now);
    if (fds[2].revents || t->now.boot_ns >= enforcement_due_ns(t->enforcement)) {
        enforcement_work(t->enforcement, t->now);
        guard_lifts_write(t->lifts, t->store);
    }
    if (fds[1].revents)
        answer_desk(t);
    if (t->now.boot_ns >= t->tick_ns) {
        tick(t);
        t->tick_ns = t->now.boot_ns + SECOND;
    } else if (t->now.boot_ns - t->flushed_ns >= URGENT_NS && guard_journal_urgent(t->journal)) {
        flush(t);
    }
    if (atomic_exchange(&t->end_calls, false))
        witnesses_end_calls(t->witnesses, t->now);
    tell_settled(t);
}

/* Nothing is decided any more, so that the disk may be waited for. */
static void finish_journal(struct guard_thread *t)
{
    struct fault f;

    if (guard_journal_finish(t->journal, t->guard, clock_now(), t->store, FINISH_MS, &f) != 0)
        log_error("guard-unsaved", LOG_TEXT("fault", f.text));
}

static void *thread_main(void *arg)
{
    struct guard_thread *t = arg;

    snapshot_reader_register();
    guard_desk_reopen(t->parts.desk);
    while (!atomic_load(&t->stop))
        turn(t);
    guard_desk_close(t->parts.desk);
    finish_journal(t);
    snapshot_reader_unregister();
    return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------- */

static int make_guard(struct guard_thread *t, struct fault *f)
{
    int err = guard_restore_key(t->store, t->key, f);

    if (!err)
        err = guard_new(&t->guard, &t->parts.config->limits, t->key, t->now, on_event, t, f);
    if (!err)
        err = guard_journal_new(&t->journal, t->key, f);
    return err ? err : locks_new(&t->locks, t->key, f);
}

/* Who is exempt and who is observed comes first: what is restored must respect it. */
static int restore(struct guard_thread *t, struct fault *f)
{
    struct guard_order_book *book;
    struct adoption *adoption;
    int err = guard_orders_wait(t->store, &book, f);

    if (err)
        return err;
    err = adoption_new(&adoption, f);
    if (err) {
        free(book);
        return err;
    }
    enforcement_adopt(t->enforcement, adoption);
    snapshot_reader_register();
    enforcement_begin(t->enforcement, t->guard, t->now);
    follow_switches(t);
    follow(t, book);
    free(book);
    err = guard_restore_all(t->store, t->guard, adoption, t->now, f);
    if (!err)
        err = locks_load(t->locks, t->guard, t->now, f);
    t->load_ns = t->now.boot_ns + LOAD_NS;
    snapshot_reader_unregister();
    return err;
}

static int run(struct guard_thread *t, struct fault *f)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&t->thread, NULL, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return fault(f, ERR_IO, "cannot start the guard's thread: %s", strerror(err));
    pthread_setname_np(t->thread, "sekishod-guard"); /* for top and perf */
    t->running = true;
    return 0;
}

static void await_kernel(struct guard_thread *t)
{
    struct timespec until;
    int err = 0;
    bool settled;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SETTLE_S;
    pthread_mutex_lock(&t->lock);
    while (!t->settled && err == 0)
        err = pthread_cond_timedwait(&t->settle, &t->lock, &until);
    settled = t->settled;
    pthread_mutex_unlock(&t->lock);
    if (!settled)
        log_error("enforcement", LOG_TEXT("message", "the kernel does not hold all bans yet"));
}

int guard_thread_start(struct guard_thread *t, struct store *store, struct authorizer *authorizer,
                       struct fault *f)
{
    int err;

    t->store = store;
    t->authorizer = authorizer;
    t->now = clock_now();
    err = make_guard(t, f);
    if (!err)
        err = restore(t, f);
    if (!err)
        err = trust_start(t->trust, f);
    if (!err)
        authorizer_set_locks(authorizer, t->locks);
    if (!err)
        err = run(t, f);
    if (!err)
        await_kernel(t);
    return err;
}

void guard_thread_stop(struct guard_thread *t)
{
    if (!t || !t->running)
        return;
    atomic_store(&t->stop, true);
    wake(t);
    pthread_join(t->thread, NULL);
    t->running = false;
}

const struct locks *guard_thread_locks(const struct guard_thread *t)
{
    return t->locks;
}

void guard_thread_changed(struct guard_thread *t)
{
    guard_orders_changed(t->orders);
    wake(t);
}

void guard_thread_stopped(struct guard_thread *t)
{
    atomic_store(&t->end_calls, true);
    wake(t);
}

void guard_thread_health(struct guard_thread *t, health_say_fn *say, void *arg)
{
    guard_view_tell(t->view, say, arg);
}
