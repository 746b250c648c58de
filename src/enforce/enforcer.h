/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_ENFORCER_H
#define SEKISHO_ENFORCE_ENFORCER_H

#include <stdatomic.h>

#include "enforce/limits.h"

/*
 * The enforcer at work: what sekishod asks over the socketpair is done in the kernel; what others do to the
 * table is noticed and put right.
 */
struct enforcer;

/* With all privilege: opens what needs opening, lays the table, fills the never-ban set. Takes `limits`'
 * content; `daemon` is the socketpair's end. Without CAP_NET_RAW there are no packet sockets, and that is
 * said in READY. */
int enforcer_open(struct enforcer **out, int daemon, const struct limits *limits, struct fault *f);
void enforcer_close(struct enforcer *e);
/* Counts on as long as the enforcer comes round, some ten seconds apart at most; the caller's. */
void enforcer_set_pulse(struct enforcer *e, atomic_uint *pulse);

/* Without privilege but CAP_NET_ADMIN: works until the daemon's end closes (0) or what it says is no
 * message, or the table cannot be laid (an error: whoever watches starts another). */
int enforcer_run(struct enforcer *e, struct fault *f);

#endif
