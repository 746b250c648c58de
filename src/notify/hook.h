/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_HOOK_H
#define SEKISHO_NOTIFY_HOOK_H

#include <stdint.h>

#include "base/fault.h"

/*
 * The hook: a program of the operator's that is run once for each thing that he wants to be told of, with one JSON object
 * on its standard input. A thread of its own starts and reaps it; who tells never waits.
 *
 * The program gets no arguments; the environment is PATH=/usr/bin:/bin and LANG=C.UTF-8; output goes to /dev/null; the
 * working directory is /; no other descriptor is open, no signal is blocked or ignored. It leads a session of its own and
 * cannot gain privilege; where the process is root, it is run as nobody (65534). At most HOOK_AT_ONCE run at a time, each for
 * HOOK_SECONDS, then its process group is killed. HOOK_QUEUE wait; what comes on top of that is dropped and counted.
 */
struct hook;

#define HOOK_AT_ONCE 4
#define HOOK_SECONDS 10
#define HOOK_QUEUE 256
#define HOOK_TEXT_MAX 16384 /* bytes of an object */

/* `path` is absolute, and copied. ERR_MISSING, ERR_DENIED: it is no file that may be executed, or everybody may write it;
 * ERR_NOMEM, ERR_IO. */
int hook_open(struct hook **out, const char *path, struct fault *f);
/* What waits is dropped, what runs is killed, all are reaped. NULL is fine. */
void hook_close(struct hook *hook);

/* Any thread. False: it is dropped, and counted. */
bool hook_tell(struct hook *hook, struct span json);

struct hook_figures {
    uint64_t told;
    uint64_t dropped; /* of those: there was no room */
    uint64_t started;
    uint64_t unstarted; /* it could not be started */
    uint64_t failed;    /* ended with another status than 0, or by a signal of somebody's */
    uint64_t killed;    /* ran for too long */
    size_t waiting, running;
};
struct hook_figures hook_figures(struct hook *hook);

#endif
