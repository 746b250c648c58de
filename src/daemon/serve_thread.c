/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/serve_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/notify.h"
#include "policy/snapshot.h"

#define STOP_POLL_MS 20

/* A part on the loop. */
struct seat {
    struct serve_part part;
    uv_poll_t poll, wake;
    uv_poll_t listeners[SERVE_LISTENERS_MAX];
    size_t n_listeners;
    uv_timer_t timer;
};

struct serve_thread {
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t alive, ticker;
    struct seat seats[SERVE_PARTS_MAX];
    size_t n_seats;
    void (*tick)(void *arg);
    void *tick_arg;
    unsigned tick_ms;
    pthread_t thread;
    bool running;
    uint64_t alive_ms;

    /* A call from another thread. */
    pthread_mutex_t lock;
    pthread_cond_t called;
    void (*call)(void *arg);
    void *call_arg;

    uv_timer_t stop_timer;
    unsigned grace_ms;
    uint64_t stop_at; /* loop time in ms */
};

/* ---- parts on the loop ---------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

/* A timer that fires too early finds nothing due and is set anew, which is cheaper than setting it for
 * every connection. */
static void run_seat(struct seat *seat, int fd)
{
    seat->part.run(seat->part.arg, fd);
    int wait = seat->part.wait_ms(seat->part.arg);

    if (wait < 0)
        uv_timer_stop(&seat->timer);
    else if (!uv_is_active((uv_handle_t *)&seat->timer) ||
             uv_timer_get_due_in(&seat->timer) > (uint64_t)wait)
        uv_timer_start(&seat->timer, on_timer, (uint64_t)wait, 0);
}

static void on_timer(uv_timer_t *timer)
{
    run_seat(timer->data, -1);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct seat *seat = poll->data;

    run_seat(seat, seat->part.fd);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct seat *seat = poll->data;

    run_seat(seat, seat->part.listeners[poll - seat->listeners]);
}

static int watch(struct serve_thread *serve, struct seat *seat, uv_poll_t *poll, int fd,
                 uv_poll_cb call, struct fault *f)
{
    int err = uv_poll_init(&serve->loop, poll, fd);

    if (err)
        return fault(f, ERR_IO, "cannot watch a descriptor: %s", uv_strerror(err));
    poll->data = seat;
    uv_poll_start(poll, UV_READABLE, call);
    return 0;
}

int serve_thread_add(struct serve_thread *serve, const struct serve_part *part, struct fault *f)
{
    struct seat *seat = &serve->seats[serve->n_seats];

    if (serve->n_seats == SERVE_PARTS_MAX)
        return fault(f, ERR_FULL, "more than %d parts on one thread", SERVE_PARTS_MAX);
    int err = watch(serve, seat, &seat->poll, part->fd, on_poll, f);

    if (err)
        return err;
    serve->n_seats++;
    seat->part = *part;
    if (part->wake)
        err = watch(serve, seat, &seat->wake, part->wake, on_poll, f);
    uv_timer_init(&serve->loop, &seat->timer);
    seat->timer.data = seat;
    for (size_t i = 0; i < part->n_listeners && !err; i++) {
        err = watch(serve, seat, &seat->listeners[i], part->listeners[i], on_listener, f);
        seat->n_listeners += !err;
    }
    return err;
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void on_wake(uv_async_t *wake)
{
    struct serve_thread *serve = wake->data;

    pthread_mutex_lock(&serve->lock);
    if (serve->call) {
        serve->call(serve->call_arg);
        serve->call = NULL;
        pthread_cond_signal(&serve->called);
    }
    pthread_mutex_unlock(&serve->lock);
}

static void on_alive(uv_timer_t *timer)
{
    notify_alive();
}

static void on_ticker(uv_timer_t *timer)
{
    struct serve_thread *serve = timer->data;

    serve->tick(serve->tick_arg);
}

void serve_thread_tick(struct serve_thread *serve, void (*tick)(void *arg), void *arg, unsigned ms)
{
    serve->tick = tick;
    serve->tick_arg = arg;
    serve->tick_ms = ms;
}

int serve_thread_new(struct serve_thread **out, struct fault *f)
{
    struct serve_thread *serve = calloc(1, sizeof(*serve));
    int err;

    if (!serve)
        return fault_nomem(f);
    err = uv_loop_init(&serve->loop);
    if (!err) {
        err = uv_async_init(&serve->loop, &serve->wake, on_wake);
        if (err)
            uv_loop_close(&serve->loop);
    }
    if (err) {
        free(serve);
        return fault(f, ERR_IO, "cannot make the event loop: %s", uv_strerror(err));
    }
    pthread_mutex_init(&serve->lock, NULL);
    pthread_cond_init(&serve->called, NULL);
    uv_timer_init(&serve->loop, &serve->alive);
    uv_timer_init(&serve->loop, &serve->ticker);
    uv_timer_init(&serve->loop, &serve->stop_timer);
    serve->wake.data = serve->alive.data = serve->ticker.data = serve->stop_timer.data = serve;
    *out = serve;
    return 0;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void serve_thread_free(struct serve_thread *serve)
{
    if (!serve)
        return;
    uv_walk(&serve->loop, close_handle, NULL);
    uv_run(&serve->loop, UV_RUN_DEFAULT);
    uv_loop_close(&serve->loop);
    pthread_cond_destroy(&serve->called);
    pthread_mutex_destroy(&serve->lock);
    free(serve);
}

static void *thread_main(void *arg)
{
    struct serve_thread *serve = arg;

    snapshot_reader_register();
    if (serve->alive_ms)
        uv_timer_start(&serve->alive, on_alive, serve->alive_ms, serve->alive_ms);
    if (serve->tick)
        uv_timer_start(&serve->ticker, on_ticker, serve->tick_ms, serve->tick_ms);
    for (size_t i = 0; i < serve->n_seats; i++)
        run_seat(&serve->seats[i], -1);
    uv_run(&serve->loop, UV_RUN_DEFAULT);
    snapshot_reader_unregister();
    return NULL;
}

int serve_thread_start(struct serve_thread *serve, uint64_t alive_ms, struct fault *f)
{
    sigset_t all, before;

    serve->alive_ms = alive_ms;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&serve->thread, NULL, thread_main, serve);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return fault(f, ERR_IO, "cannot start the serve thread: %s", strerror(err));
    serve->running = true;
    return 0;
}

void serve_thread_call(struct serve_thread *serve, void (*call)(void *arg), void *arg)
{
    if (!serve->running) {
        call(arg);
        return;
    }
    pthread_mutex_lock(&serve->lock);
    serve->call = call;
    serve->call_arg = arg;
    uv_async_send(&serve->wake);
    while (serve->call)
        pthread_cond_wait(&serve->called, &serve->lock);
    pthread_mutex_unlock(&serve->lock);
}

/* ---- ending --------------------------------------------------------------------------------- */

static void on_stop_timer(uv_timer_t *timer)
{
    struct serve_thread *serve = timer->data;
    size_t open = 0;

    for (size_t i = 0; i < serve->n_seats; i++)
        open += serve->seats[i].part.open(serve->seats[i].part.arg);
    if (open == 0 || uv_now(&serve->loop) >= serve->stop_at)
        uv_stop(&serve->loop);
}

static void begin_stop(void *arg)
{
    struct serve_thread *serve = arg;

    for (size_t i = 0; i < serve->n_seats; i++) {
        struct seat *seat = &serve->seats[i];

        for (size_t j = 0; j < seat->n_listeners; j++)
            uv_poll_stop(&seat->listeners[j]);
        seat->part.drain(seat->part.arg);
        run_seat(seat, -1);
    }
    uv_update_time(&serve->loop);
    serve->stop_at = uv_now(&serve->loop) + serve->grace_ms;
    uv_timer_start(&serve->stop_timer, on_stop_timer, 0, STOP_POLL_MS);
}

void serve_thread_stop(struct serve_thread *serve, unsigned grace_ms)
{
    if (!serve->running)
        return;
    serve->grace_ms = grace_ms;
    serve_thread_call(serve, begin_stop, serve);
    pthread_join(serve->thread, NULL);
    serve->running = false;
}
