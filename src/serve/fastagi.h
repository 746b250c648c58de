/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_FASTAGI_H
#define SEKISHO_SERVE_FASTAGI_H

#include "base/address.h"
#include "serve/authorize.h"

/*
 * Answers Asterisk's questions over FastAGI (docs/interfaces.md). One thread, never waiting: the
 * caller's event loop watches the listeners and one descriptor for all connections, and calls
 * fastagi_run() when one of them is readable or when fastagi_wait_ms() has passed. The thread must be
 * registered as a reader of the snapshot.
 *
 * Life of a connection: accepted when its address is a switch's (else closed and counted) → its
 * environment is read → decided and answered in one segment, which closes our direction too and so makes
 * Asterisk work through all the commands → Asterisk closes. Reading and closing have a time limit
 * each; beyond the limit of connections those go that have been answered, then the one that has waited
 * for longest.
 */
struct fastagi;

struct fastagi_options {
    const struct network *allow; /* copied; n_allow 0: every switch that the snapshot knows */
    size_t n_allow;
    unsigned connections; /* at once, at least 1 */
    unsigned timeout_ms;
};

/* Opens the listeners. Borrows the authorizer. A port that is in use is ERR_IO with a sentence. */
int fastagi_new(struct fastagi **out, struct authorizer *authorizer, const struct address *listen,
                size_t n_listen, const struct fastagi_options *options, struct fault *f);
/* Closes everything at once. */
void fastagi_free(struct fastagi *agi);

/* Other options from now on; connections that are open stay. On failure the old ones stand. */
int fastagi_configure(struct fastagi *agi, const struct fastagi_options *options, struct fault *f);

#define FASTAGI_LISTENERS_MAX 8

/* The descriptors to watch for reading. The listeners are closed by fastagi_drain(). */
int fastagi_fd(const struct fastagi *agi);
size_t fastagi_listeners(const struct fastagi *agi, int out[FASTAGI_LISTENERS_MAX]);
/* From the last run until something is due; -1: nothing is. */
int fastagi_wait_ms(const struct fastagi *agi);
/* `fd`: the one that is readable; -1: none. */
void fastagi_run(struct fastagi *agi, int fd);

/* Takes what has connected already, and no more from then on. fastagi_open() tells when the last has
 * ended. */
void fastagi_drain(struct fastagi *agi);

/* The address that listener `i` got (its port may have been given as 0). */
struct address fastagi_address(const struct fastagi *agi, size_t i);

struct fastagi_figures {
    uint64_t accepted;
    uint64_t answered;
    uint64_t strangers; /* from an address of no switch */
    uint64_t malformed; /* answered, and the question was none */
    uint64_t garbage;   /* not FastAGI, or too long; closed without an answer */
    uint64_t late;      /* the environment was not whole in time, or ended early */
    uint64_t crowded;   /* dropped to make room */
    uint64_t broken;    /* the answer could not be written */
};
struct fastagi_figures fastagi_figures(const struct fastagi *agi);
size_t fastagi_open(const struct fastagi *agi);

#endif
