/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_SERVE_THREAD_H
#define SEKISHO_DAEMON_SERVE_THREAD_H

#include <uv.h>

#include "base/fault.h"
#include "serve/fastagi.h"

/*
 * The thread that answers: one libuv loop, on which FastAGI and the HTTP API live. It is a registered
 * reader of the snapshot and never waits for a disk.
 */
struct serve_thread;

/* Makes the loop; nothing runs yet. */
int serve_thread_new(struct serve_thread **out, struct fault *f);
/* When it has ended, or was never started. */
void serve_thread_free(struct serve_thread *serve);

/* For whoever puts handles on it, before it is started or on the thread itself. */
uv_loop_t *serve_thread_loop(struct serve_thread *serve);

/* Borrows `agi`, which is run on the thread from then on. Before the start. */
int serve_thread_add_fastagi(struct serve_thread *serve, struct fastagi *agi, struct fault *f);

/* With all signals blocked, so that they reach the main thread. `alive_ms` unless 0: how often
 * notify_alive() is called from the loop. */
int serve_thread_start(struct serve_thread *serve, uint64_t alive_ms, struct fault *f);

/* Runs `call` on the thread and waits until it has returned. One caller at a time, and not from the
 * thread itself. */
void serve_thread_call(struct serve_thread *serve, void (*call)(void *arg), void *arg);

/* Runs until every FastAGI connection has its answer, `grace_ms` at most, then ends the loop and the
 * thread. Handles of others on the loop must have been closed, by serve_thread_call(). */
void serve_thread_stop(struct serve_thread *serve, unsigned grace_ms);

#endif
