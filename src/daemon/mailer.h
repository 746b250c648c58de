/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_MAILER_H
#define SEKISHO_DAEMON_MAILER_H

#include "config/config.h"
#include "daemon/health.h"
#include "notify/postbox.h"
#include "store/store.h"

/*
 * The thread that empties the outbox (store/notices.h): takes what is due, makes the mail, hands it to the server, writes
 * down what became of it. Nobody waits for it. Where the server cannot be reached it pauses, some seconds to a quarter of an hour, without
 * spending the tries of all that waits. Without [mail] server it only forgets what is old.
 */
struct mailer;

/* Reads templates and the password file: while there is privilege. */
int mailer_new(struct mailer **out, const struct config *config, struct fault *f);
int mailer_start(struct mailer *mailer, struct store *store, struct fault *f);
/* Gives up a mail that is being sent; it will be sent again. Before the store is closed. NULL is fine. */
void mailer_stop(struct mailer *mailer);
void mailer_free(struct mailer *mailer);

/* Something is due. Any thread; does not wait. */
void mailer_noticed(struct mailer *mailer);

const struct postbox *mailer_postbox(const struct mailer *mailer);

struct mailer_figures {
    uint64_t sent, later, refused; /* since the start */
    uint64_t down;                 /* times that the server was of no use */
};
struct mailer_figures mailer_figures(struct mailer *mailer);

/* Any thread. */
void mailer_health(struct mailer *mailer, health_say_fn *say, void *arg);

#endif
