/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_CLIENT_H
#define SEKISHO_ENFORCE_CLIENT_H

#include "enforce/message.h"

/*
 * The daemon's side of the enforcer: for one thread, which waits for client_descriptor() and calls
 * client_work(). Nothing here blocks but client_hand_over().
 *
 * The daemon knows which bans ought to stand; the kernel has them. The client makes them equal when an
 * enforcer is ready, when somebody disturbed the table, and when more was asked at once than the queue holds:
 * all bans are set, and whatever else the kernel holds is lifted. Bans that were asked meanwhile go out
 * between. So no ban is ever lost, and nothing need be remembered of questions that a dead enforcer took along.
 */
struct client;

enum client_state {
    CLIENT_STARTING,  /* no enforcer is ready: what the kernel holds stands */
    CLIENT_RESTORING, /* an enforcer is ready, and being told which bans ought to stand */
    CLIENT_EFFECTIVE, /* the kernel holds what it ought to */
    CLIENT_GONE, /* the enforcer and its keeper have died; started again only where the daemon is root */
};

enum client_action { CLIENT_BAN, CLIENT_UNBAN };

/* All are called from client_work() and must not call it. `why` is 0 where it is done. */
struct client_handlers {
    void *context;
    /* The next ban that ought to stand; `cursor` is the handler's, 0 in the beginning. Bans that are asked
     * for meanwhile need not be among them. False: there are no more. */
    bool (*next)(void *context, uint64_t *cursor, struct enforce_ban *out);
    /* Whether that one, which the kernel holds, ought to stand. */
    bool (*wanted)(void *context, const struct enforce_ban *held);
    /* The kernel answered: now, and not before, a ban is effective. */
    void (*done)(void *context, enum client_action action, const struct enforce_ban *ban,
                 enum enforce_refusal why, uint32_t error);
    /* Record `index` of a list that was set (ENFORCE_NEVER, _ACCESS, _OBSERVE, _PORTS) was refused. */
    void (*refused)(void *context, enum enforce_type list, struct enforce_failure failure);
    /* Somebody lifted it in the kernel: an unban by hand. It must not be wanted any more. */
    void (*removed)(void *context, const struct network *network, enum enforce_scope scope);
    void (*trusted)(void *context, const struct network *network); /* is on the never-ban list */
    void (*counted)(void *context, const struct enforce_count *counts, unsigned n);
    void (*socket)(void *context,
                   int descriptor); /* the packet socket, now the handler's; -1: none left */
    void (*disturbed)(void *context, enum enforce_disturbance what);
    /* Why it ends, in its own words; any bytes. */
    void (*error)(void *context, struct span text);
    void (*state)(void *context, enum client_state state);
};

struct client_program {
    const char *path;                   /* of sekisho-enforcer */
    const char *user;                   /* whom it becomes */
    const char *never;                  /* the never-ban file; NULL: its own default */
    const char *log_level, *log_format; /* words, see base/log.h; NULL: its own defaults */
};

/* Starts the enforcer. Borrows the program's strings. */
int client_start(struct client **out, const struct client_program *program,
                 const struct client_handlers *handlers, struct fault *f);
/* Takes a socket whose other end is an enforcer. */
int client_open(struct client **out, int socket, const struct client_handlers *handlers,
                struct fault *f);
/* Ends the enforcer. What the kernel holds stands. */
void client_close(struct client *client);

enum client_state client_state(const struct client *client);
int client_descriptor(const struct client *client); /* -1 while there is none */
short client_events(const struct client *client);   /* for poll */
/* When client_work() is to be called even if nothing happens, in boot time; INT64_MAX: never. */
int64_t client_deadline_ns(const struct client *client);
void client_work(struct client *client, int64_t now_ns);

/* Goes out at once where it can. ERR_FULL: the queue is full, and the ban will come with everything else that
 * `next` has. */
int client_ban(struct client *client, const struct enforce_ban *ban);
int client_unban(struct client *client, const struct network *network, enum enforce_scope scope);
/* Lets the enforcer run at once, on this CPU if it was woken there: waits for an answer, `most_ns` at most. Does not wait
 * where anything else is under way, since all of that would be waited for. */
void client_hand_over(struct client *client, int64_t most_ns);

/* A ban may follow within some hundred microseconds: the enforcer wakes up now and stays awake for it. Nothing happens where
 * something else is under way, for which it is awake anyway. */
void client_prime(struct client *client);

/* Lists that the enforcer is to have, replaced whole; never comes on top of its own. ERR_FULL beyond
 * ENFORCE_RECORDS_MAX networks or 32 ports; then nothing changes. */
int client_never(struct client *client, const struct network *networks, size_t n);
int client_access(struct client *client, const struct network *networks, size_t n);
int client_observe(struct client *client, const struct network *networks, size_t n);
int client_ports(struct client *client, const struct enforce_port *ports, size_t n);

/* Asked once each; answered by the handler. False while no enforcer is ready. */
bool client_count(struct client *client);
bool client_socket(struct client *client);

/* Sets all bans again and lifts what ought not to stand: from time to time, since the kernel's view counts. */
void client_reconcile(struct client *client);

#endif
