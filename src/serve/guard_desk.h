/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_GUARD_DESK_H
#define SEKISHO_SERVE_GUARD_DESK_H

#include "enforce/message.h"
#include "guard/guard.h"
#include "intake/witness.h"
#include "store/guard_journal.h"

/*
 * The desk between those who ask or order something of the guard and the guard's own thread (daemon/guard_thread.h).
 * A question is a function that runs on the guard's thread, with the guard before it, and another one that runs
 * on the serve thread when the first has returned. Nobody waits: a full desk refuses.
 */
struct guard_desk;

/* One witness, as `run` may see it. */
struct guard_room_witness {
    struct witness_figures figures;
    enum witness_trouble trouble;
    const char *switch_name;
    const char *what; /* the file, address or interface that it watches; for people */
    uint64_t lost;    /* what the kernel could not keep for it; also in figures.dropped */
};

/* Calls that were to end: what became of that, over all managers (intake/ami.h). */
struct guard_room_endings {
    uint64_t orders, given_up;
    uint64_t ended, refused, unreadable; /* calls */
};

/* What stands between a decision and the kernel. */
enum guard_enforcement_state {
    GUARD_ENFORCEMENT_OFF,       /* so configured: every switch is as if it were observed */
    GUARD_ENFORCEMENT_NONE,      /* wanted, and impossible: `why` */
    GUARD_ENFORCEMENT_STARTING,  /* no enforcer is ready: what the kernel holds stands */
    GUARD_ENFORCEMENT_RESTORING, /* it is being told which bans ought to stand */
    GUARD_ENFORCEMENT_EFFECTIVE, /* the kernel holds what it ought to */
    GUARD_ENFORCEMENT_GONE,      /* it died, and is not started again */
};
/* "off", "none", "starting", "restoring", "effective", "gone". */
const char *guard_enforcement_name(enum guard_enforcement_state state);

struct guard_enforcement {
    enum guard_enforcement_state state;
    const char *why; /* of _NONE and _GONE, or what the enforcer said when it failed; or "" */
    struct instant since;
    uint64_t bans, unbans; /* that the kernel has confirmed */
    uint64_t refused;      /* bans that it or the enforcer refused */
    uint64_t removed;      /* bans that somebody lifted by hand */
    uint64_t disturbed;    /* times that somebody changed the table */
    uint64_t slowest_us;   /* from a decision to the kernel's word, of the last 1,024 bans */
    struct enforce_count counts[ENFORCE_COUNTERS]; /* what the kernel dropped and passed */
    struct instant counted;                        /* when that was read; boot_ns 0: never */
};

/* Whom the guard never bans, and why. */
enum guard_exempt_from {
    GUARD_EXEMPT_OPERATOR, /* a decision of the operator's, in the store */
    GUARD_EXEMPT_FILE,     /* the never-ban file, as the enforcer holds it */
    GUARD_EXEMPT_MACHINE,  /* the machine's own address */
    GUARD_EXEMPT_SWITCH,   /* an address of a switch */
    GUARD_EXEMPT_TRUNK,    /* what a PBX registers or sends to */
};
/* "operator", "file", "machine", "switch", "trunk". */
const char *guard_exempt_from_name(enum guard_exempt_from from);

struct guard_room_exempt {
    struct network network;
    enum guard_exempt_from from;
    char name[64]; /* of a trunk: the host as it was found; else "" */
};

/* What lies before `run`. Good until it returns, and all of it is the guard thread's. */
struct guard_room {
    struct guard *guard;
    struct instant now;
    const struct guard_room_witness *witnesses;
    size_t n_witnesses;
    struct guard_enforcement enforcement;
    const struct guard_room_exempt *exempts;
    size_t n_exempts;
    struct guard_journal_figures journal;
    struct guard_room_endings endings;
};

/* How many may wait at a time. ERR_NOMEM, ERR_IO. */
#define GUARD_DESK_SLOTS 256
int guard_desk_new(struct guard_desk **out, size_t slots, struct fault *f);
/* When both threads have ended. */
void guard_desk_free(struct guard_desk *desk);

/* ---- who asks ---- */

/* On the guard's thread; must not wait, ask or take longer than a few milliseconds. Calling the guard's acts is fine:
 * their events go where all events go. `room` is NULL where there is no guard (any more): nothing can be
 * said or done. */
typedef void guard_desk_run_fn(void *arg, const struct guard_room *room);
/* On the serve thread. */
typedef void guard_desk_done_fn(void *arg);

/* Whatever 0 was returned for gets one `run` and then one `done` (unless that is NULL). ERR_FULL: too much waits;
 * neither is called. Any thread may ask. */
int guard_desk_ask(struct guard_desk *desk, guard_desk_run_fn *run, guard_desk_done_fn *done,
                   void *arg, struct fault *f);

/* ---- the serve thread ---- */

/* To be polled for reading; then guard_desk_finish(), which calls `done` of all that have run. */
int guard_desk_fd(const struct guard_desk *desk);
void guard_desk_finish(struct guard_desk *desk);
/* Asked, and not finished. */
size_t guard_desk_open(const struct guard_desk *desk);

/* ---- the guard's thread ---- */

/* To be polled for reading; then guard_desk_serve(), which runs all that wait. */
int guard_desk_work_fd(const struct guard_desk *desk);
void guard_desk_serve(struct guard_desk *desk, const struct guard_room *room);
/* There is no guard from now on: what waits is run without one, and so is what is asked later, at once and on
 * the thread that asks. A desk is closed in the beginning. */
void guard_desk_close(struct guard_desk *desk);
void guard_desk_reopen(struct guard_desk *desk);

#endif
