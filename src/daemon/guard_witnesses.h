/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_WITNESSES_H
#define SEKISHO_DAEMON_GUARD_WITNESSES_H

#include <poll.h>

#include "daemon/guard_watch.h"
#include "policy/snapshot.h"
#include "serve/guard_desk.h"

/*
 * All witnesses of the configuration, each opened when its switch is in the store and what it needs is there, and
 * opened again when it died. For the guard's thread.
 */
struct witnesses;

struct witnesses_parts {
    const struct config *config;     /* borrowed */
    const struct snapshot *snapshot; /* borrowed */
    const struct ours *machine;      /* borrowed: this machine's addresses, as they are now */
    watch_give_fn *give;
    watch_vouch_fn *vouch;
    watch_trunk_fn *trunk;
    watch_ends_fn *ends;
    void (*begins)(void *context); /* before the first of them is read */
    void *context;
};

/* Reads secrets, so it must be called while whoever may read them does. Opens nothing yet. */
int witnesses_new(struct witnesses **out, const struct witnesses_parts *parts, struct fault *f);
void witnesses_free(struct witnesses *witnesses);

/* Adds what is to be polled, at most `max`; then witnesses_work() with the same array. */
size_t witnesses_poll(struct witnesses *witnesses, struct pollfd *fds, size_t max);
/* INT64_MAX: nothing is due. */
int64_t witnesses_due_ns(const struct witnesses *witnesses);
/* True where there is more to read at once. */
bool witnesses_work(struct witnesses *witnesses, const struct pollfd *fds, size_t n,
                    struct instant now);
/* Once a second. */
void witnesses_tick(struct witnesses *witnesses, struct instant now);

/* Somebody was stopped, or locked: live calls that must end now, do. */
void witnesses_end_calls(struct witnesses *witnesses, struct instant now);
void witnesses_endings(const struct witnesses *witnesses, struct guard_room_endings *out);

/* Whether one lacks a packet socket, and one that came. Why none comes. */
bool witnesses_want_socket(const struct witnesses *witnesses);
void witnesses_socket(struct witnesses *witnesses, int socket, struct instant now);
void witnesses_no_socket(struct witnesses *witnesses, const char *why);

/* Each switch that has witnesses and is in the store, as it is now. */
typedef void witnesses_switch_fn(void *context, int64_t switch_id, enum mode mode,
                                 const struct config_switch *config);
void witnesses_switches(struct witnesses *witnesses, witnesses_switch_fn *each, void *context);

#define WITNESSES_MAX 256
/* What each says of itself; at most `max`. */
size_t witnesses_look(struct witnesses *witnesses, struct instant now,
                      struct guard_room_witness *out, size_t max);

#endif
