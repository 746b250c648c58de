/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_SERVE_THREAD_H
#define SEKISHO_DAEMON_SERVE_THREAD_H

#include <stdint.h>

#include "base/fault.h"

/*
 * The thread that answers: one libuv loop, on which FastAGI and the HTTP API live. It is a registered
 * reader of the snapshot and never waits for a disk.
 */
struct serve_thread;

/* Makes the loop; nothing runs yet. */
int serve_thread_new(struct serve_thread **out, struct fault *f);
/* When it has ended, or was never started. */
void serve_thread_free(struct serve_thread *serve);

#define SERVE_LISTENERS_MAX 9

/* Something that answers, driven by descriptors: fastagi.h, http.h. Everything is called on the thread;
 * `drain` takes what has connected already and no more, `open` is what is not finished then. */
struct serve_part {
    void *arg;
    int fd;
    int wake;                           /* watched like it; 0: there is none */
    int listeners[SERVE_LISTENERS_MAX]; /* watched too, until just before `drain` */
    size_t n_listeners;
    void (*run)(void *arg, int fd); /* which of them is readable; -1: none, something is due */
    int (*wait_ms)(void *arg);      /* -1: nothing is due */
    void (*drain)(void *arg);
    size_t (*open)(void *arg);
};

#define SERVE_PARTS_MAX 4

/* Borrows part->arg. Before the start. */
int serve_thread_add(struct serve_thread *serve, const struct serve_part *part, struct fault *f);

/* Has `tick` called on the thread every `ms` milliseconds. Once, before the start. */
void serve_thread_tick(struct serve_thread *serve, void (*tick)(void *arg), void *arg, unsigned ms);

/* With all signals blocked, so that they reach the main thread. `alive_ms` unless 0: how often
 * notify_alive() is called from the loop. */
int serve_thread_start(struct serve_thread *serve, uint64_t alive_ms, struct fault *f);

/* Runs `call` on the thread and waits until it has returned. One caller at a time, and not from the
 * thread itself. */
void serve_thread_call(struct serve_thread *serve, void (*call)(void *arg), void *arg);

/* Drains every part, runs until none has anything open, `grace_ms` at most, then ends the thread. */
void serve_thread_stop(struct serve_thread *serve, unsigned grace_ms);

#endif
