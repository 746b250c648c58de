/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_ENFORCEMENT_H
#define SEKISHO_DAEMON_GUARD_ENFORCEMENT_H

#include <poll.h>

#include "config/config.h"
#include "daemon/guard_adoption.h"
#include "serve/guard_desk.h"

/*
 * From the guard's decisions to the kernel: the enforcer's client (enforce/client.h), told of every ban and unban at
 * once, and made equal to the guard whenever there is doubt. For the guard's thread, but for the start.
 */
struct enforcement;

struct enforcement_hearers {
    void (*trusted)(void *context, const struct network *network); /* on the never-ban list */
    /* Somebody lifted the operator's ban in the kernel, the one by the change `seen`; the guard knows. */
    void (*lifted)(void *context, const struct network *network, int64_t seen);
    void (*socket)(void *context, int socket); /* a packet socket; -1: there is none left */
    void *context;
};

/* Starts the enforcer where that is possible; where not, it works without and says why. Before any thread, with
 * privilege. */
int enforcement_new(struct enforcement **out, const struct config *config,
                    const struct enforcement_hearers *hearers, struct fault *f);
/* What the kernel holds stands. */
void enforcement_free(struct enforcement *e);

/* Whose bans ought to stand; borrowed. Before anything else below. */
void enforcement_begin(struct enforcement *e, struct guard *guard, struct instant now);
/* Until the kernel first holds what it ought to, bans that it held before and the guard does not know are adopted
 * (guard_adopt()) where the adoption allows it. Takes it. Without this they are lifted. */
void enforcement_adopt(struct enforcement *e, struct adoption *adoption);

struct pollfd enforcement_poll(const struct enforcement *e);
int64_t enforcement_due_ns(const struct enforcement *e); /* INT64_MAX: nothing is due */
void enforcement_work(struct enforcement *e, struct instant now);
/* Once a second. */
void enforcement_tick(struct enforcement *e, struct instant now);

/* A decision of the guard's, of whatever kind. */
void enforcement_take(struct enforcement *e, const struct guard_event *event);

/* A ban may follow from what is read next: wakes the enforcer for it, and as often as one core can spare it. */
void enforcement_prime(struct enforcement *e, struct instant now);

/* Never dropped, before any other rule of the kernel's, besides what the enforcer knows itself. Replaced whole. */
void enforcement_never(struct enforcement *e, const struct network *networks, size_t n);
/* The access list; none: there is none. Switches where nothing is dropped. Replaced whole. */
int enforcement_access(struct enforcement *e, const struct network *networks, size_t n);
int enforcement_observe(struct enforcement *e, const struct network *networks, size_t n);

/* Asks for a packet socket, which the hearer gets. False: there is no enforcer that could be asked. */
bool enforcement_ask_socket(struct enforcement *e);

/* Whether the kernel holds what it ought to, or never will. */
bool enforcement_settled(const struct enforcement *e);
void enforcement_look(const struct enforcement *e, struct guard_enforcement *out);

#endif
