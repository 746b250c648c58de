/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_AMI_H
#define SEKISHO_INTAKE_AMI_H

#include "base/address.h"
#include "intake/ami_calls.h"
#include "intake/witness.h"

/*
 * The witness `ami`: an Asterisk's manager interface, over TCP. It logs in by challenge with security events alone (what else
 * Asterisk reports can be made to hold line ends too), and every message goes to security_event_read() in
 * order: what is split or forged is dropped and counted. A connection that breaks, is refused, goes silent or sends what
 * is none is given up and tried again after a second, then after twice as long each time up to a minute, a random part
 * of it less, so that many do not come at once.
 *
 * And the hand that ends calls: ami_end_calls() opens a second connection, without events, for as long as that takes.
 *
 * The manager's user needs `read = security` and, to end calls, `write = call,reporting`. Without the
 * first, Asterisk says nothing of it: the own login is not reported, and the figures say so.
 */
struct ami;

#define AMI_SECRET_MAX 512
#define AMI_USER_MAX 128

struct ami_config {
    int64_t switch_id;
    struct address server; /* a name is resolved by who keeps it: ami_move() */
    struct span user;      /* copied, like: */
    struct span secret;
    struct ami_calls_sink calls; /* on the thread that calls ami_run(); `ends` NULL: it ends none */
};

/* Connects at the first ami_run(). ERR_RANGE, ERR_NOMEM, ERR_IO. */
int ami_open(struct ami **out, const struct ami_config *config, struct instant now,
             struct fault *f);
void ami_close(struct ami *ami);

/* Its address is another one now: it connects anew. The same one changes nothing. */
void ami_move(struct ami *ami, const struct address *server);

/* Poll it for reading. Does not change. */
int ami_fd(const struct ami *ami);

/* When its fd is readable, and once a second. Never waits; true where there is more to read at once. */
bool ami_run(struct ami *ami, struct instant now, attempt_fn *tell, void *arg);

const struct witness_figures *ami_figures(const struct ami *ami);

/*
 * Ends all live calls for which `calls.ends` says so: now, and again one and three seconds later, for a call that
 * was allowed a moment before may not have its leg yet. Orders given meanwhile begin that anew. While the
 * manager does not answer it is tried again for a minute; then the order is given up, counted, and `why` says it.
 */
void ami_end_calls(struct ami *ami, struct instant now);
bool ami_ending(const struct ami *ami);

struct ami_ending_figures {
    struct ami_calls_figures calls;
    uint64_t orders;
    uint64_t given_up;
    char why
        [160]; /* the last failure since the last round that came to its end; "" for none; printable */
};
const struct ami_ending_figures *ami_ending_figures(const struct ami *ami);

#endif
