/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/calls_room.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/snapshot.h"
#include "serve/call_import.h"
#include "store/open.h"

#define MS INT64_C(1000000)

struct job {
    calls_job_fn *run;
    void *arg;
    calls_done_fn *done;
    void *done_arg;
    struct job *next;
};

/* `lock` guards the queue, `ending` and what state() tells; `calls` is the thread's. */
struct calls_room {
    char *dir;
    struct snapshot *snapshot;
    struct calls *calls; /* NULL: there is no file yet */
    bool ending;         /* read without the lock, too: by __atomic builtins */
    void (*tick)(void *arg);
    void *tick_arg;
    unsigned tick_ms;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t wakes;
    struct job *first, *last;
    size_t waiting;
    enum calls_state state;
    char words[FAULT_MAX];
};

int calls_room_new(struct calls_room **out, const char *dir, struct snapshot *snapshot,
                   struct fault *f)
{
    struct calls_room *room = calloc(1, sizeof(*room));
    pthread_condattr_t attr;

    if (!room)
        return fault_nomem(f);
    room->snapshot = snapshot;
    room->dir = strdup(dir);
    pthread_mutex_init(&room->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&room->wakes, &attr);
    pthread_condattr_destroy(&attr);
    if (!room->dir) {
        calls_room_free(room);
        return fault_nomem(f);
    }
    *out = room;
    return 0;
}

void calls_room_free(struct calls_room *room)
{
    if (!room)
        return;
    calls_room_stop(room);
    pthread_cond_destroy(&room->wakes);
    pthread_mutex_destroy(&room->lock);
    free(room->dir);
    free(room);
}

/* ---- what history says ---------------------------------------------------------------------- */

static void set_state(struct calls_room *room, enum calls_state state, const char *words)
{
    pthread_mutex_lock(&room->lock);
    room->state = state;
    memset(room->words, 0, sizeof(room->words));
    memcpy(room->words, words, strnlen(words, sizeof(room->words) - 1));
    pthread_mutex_unlock(&room->lock);
}

enum calls_state calls_room_state(struct calls_room *room, char words[FAULT_MAX])
{
    pthread_mutex_lock(&room->lock);
    enum calls_state state = room->state;
    if (words)
        memcpy(words, room->words, sizeof(room->words));
    pthread_mutex_unlock(&room->lock);
    return state;
}

int calls_room_settled(struct calls_room *room, struct fault *f)
{
    char words[FAULT_MAX];

    switch (calls_room_state(room, words)) {
    case CALLS_NONE:
        return fault(f, ERR_CONFLICT,
                     "there are no call records yet: import some with \"sekisho cdr import\"");
    case CALLS_SUMMING:
        return fault(
            f, ERR_CONFLICT,
            "call records are being brought into the history; try again when that is done");
    case CALLS_BROKEN:
        return fault(f, ERR_CONFLICT, "call records could not be brought into the history: %.400s",
                     words);
    case CALLS_READY: break;
    }
    return 0;
}

static int open_file(struct calls_room *room, struct fault *f)
{
    const struct calls_config config = {.dir = room->dir,
                                        .place = call_place,
                                        .place_arg = room->snapshot,
                                        .ending = &room->ending};

    return calls_open(&room->calls, &config, f);
}

int calls_room_file(struct calls_room *room, bool make, struct calls **out, struct fault *f)
{
    if (!room->calls && make) {
        int err = open_file(room, f);
        if (err)
            return err;
        set_state(room, CALLS_READY, "");
    }
    *out = room->calls;
    return 0;
}

int calls_room_sum(struct calls_room *room, struct fault *f)
{
    int err = 0;

    if (!room->calls)
        return 0;
    set_state(room, CALLS_SUMMING, "");
    err = calls_sum(room->calls, f);
    set_state(room, err ? CALLS_BROKEN : CALLS_READY, err ? f->text : "");
    return err;
}

/* ---- the thread ----------------------------------------------------------------------------- */

static bool is_ending(const struct calls_room *room)
{
    return __atomic_load_n(&room->ending, __ATOMIC_RELAXED);
}

/* At the start: what was not summed when the daemon ended is now. */
static void catch_up(struct calls_room *room)
{
    struct fault f = {0};
    int64_t began = clock_now().boot_ns;

    if (!room->calls)
        return;
    if (calls_room_sum(room, &f) == 0)
        log_info("calls-ready", LOG_INT("ms", (clock_now().boot_ns - began) / MS));
    else if (!is_ending(room))
        log_error("calls-unsummed", LOG_TEXT("fault", f.text));
}

static struct timespec due(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / (1000 * MS), .tv_nsec = ns % (1000 * MS)};
}

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* The next job; NULL: it is time to tick, or to end. */
static struct job *next_job(struct calls_room *room, int64_t tick_ns)
{
    const struct timespec until = due(tick_ns);
    struct job *job;
    int late = 0;

    pthread_mutex_lock(&room->lock);
    while (!room->first && !is_ending(room) && late == 0) {
        if (room->tick)
            late = pthread_cond_timedwait(&room->wakes, &room->lock, &until);
        else
            pthread_cond_wait(&room->wakes, &room->lock);
    }
    job = room->first;
    if (job) {
        room->first = job->next;
        room->waiting--;
    }
    pthread_mutex_unlock(&room->lock);
    return job;
}

static void do_job(struct job *job)
{
    struct fault f = {0};
    int code = job->run(job->arg, &f);

    if (job->done)
        job->done(job->done_arg, code, &f);
    free(job);
}

static void *room_main(void *arg)
{
    struct calls_room *room = arg;
    int64_t tick_ns = monotonic_ns();

    snapshot_reader_register();
    catch_up(room);
    for (;;) {
        struct job *job = next_job(room, tick_ns);

        if (job)
            do_job(job);
        else if (is_ending(room))
            break;
        if (room->tick && monotonic_ns() >= tick_ns && !is_ending(room)) {
            room->tick(room->tick_arg);
            tick_ns = monotonic_ns() + room->tick_ms * MS;
        }
    }
    snapshot_reader_unregister();
    return NULL;
}

void calls_room_tick(struct calls_room *room, void (*tick)(void *arg), void *arg, unsigned ms)
{
    room->tick = tick;
    room->tick_arg = arg;
    room->tick_ms = ms;
}

int calls_room_ask(struct calls_room *room, calls_job_fn *run, void *arg, calls_done_fn *done,
                   void *done_arg, struct fault *f)
{
    struct job *job = malloc(sizeof(*job));
    bool taken;

    if (!job)
        return fault_nomem(f);
    *job = (struct job){.run = run, .arg = arg, .done = done, .done_arg = done_arg};
    pthread_mutex_lock(&room->lock);
    taken = room->running && !room->ending && room->waiting < CALLS_ROOM_WAITING;
    if (taken) {
        *(room->first ? &room->last->next : &room->first) = job;
        room->last = job;
        room->waiting++;
        pthread_cond_signal(&room->wakes);
    }
    pthread_mutex_unlock(&room->lock);
    if (taken)
        return 0;
    free(job);
    return fault(f, ERR_FULL, "too much waits for the call records; try again later");
}

int calls_room_start(struct calls_room *room, struct fault *f)
{
    sigset_t all, before;

    if (store_file_exists(room->dir, &store_file_calls)) {
        int err = open_file(room, f);
        if (err)
            return err;
        room->state = CALLS_SUMMING;
    }
    room->running = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = pthread_create(&room->thread, NULL, room_main, room);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (why) {
        room->running = false;
        return fault(f, ERR_IO, "cannot start the thread of calls.db: %s", strerror(why));
    }
    return 0;
}

void calls_room_stop(struct calls_room *room)
{
    if (!room)
        return;
    if (room->running) {
        pthread_mutex_lock(&room->lock);
        __atomic_store_n(&room->ending, true, __ATOMIC_RELAXED);
        pthread_cond_signal(&room->wakes);
        pthread_mutex_unlock(&room->lock);
        pthread_join(room->thread, NULL);
        room->running = false;
    }
    calls_close(room->calls);
    room->calls = NULL;
}
