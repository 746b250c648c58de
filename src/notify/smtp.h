/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_SMTP_H
#define SEKISHO_NOTIFY_SMTP_H

#include "base/fault.h"

/* Hands mails to one server, one after the other, on a connection that is kept. One thread; it waits. */
struct smtp;

enum smtp_starttls { SMTP_STARTTLS_REQUIRED, SMTP_STARTTLS_NO };

/* All copied. */
struct smtp_options {
    const char *server; /* mail_server_ok() */
    enum smtp_starttls starttls;
    const char *user, *password; /* "": without AUTH */
    const char *ca_file;         /* certificates that are trusted; "": the system's */
    /* Asked again and again while waiting: true gives up. May be NULL. */
    bool (*stopping)(void *arg);
    void *arg;
};

#define SMTP_CONNECT_S 15
#define SMTP_SECONDS 120 /* of one mail, with everything */

int smtp_new(struct smtp **out, const struct smtp_options *options, struct fault *f);
void smtp_free(struct smtp *smtp);

/* Any thread: what is being sent fails at once, and so does all that comes after it. NULL is fine. */
void smtp_interrupt(struct smtp *smtp);

enum smtp_failure {
    SMTP_REFUSED, /* this mail or this address, with 5xx: another try could not help */
    SMTP_LATER,   /* this mail or this address, with 4xx */
    SMTP_DOWN,    /* the server: not reached, not trusted, does not let us in, does not answer */
};

/* 0: the server has taken responsibility. Else the sentence says what it answered. ERR_IO, ERR_TIMEOUT, ERR_DENIED (STARTTLS,
 * the certificate, the password: for the operator to mend), ERR_NOMEM. */
int smtp_send(struct smtp *smtp, const char *from, const char *to, struct span message,
              enum smtp_failure *failure, struct fault *f);

#endif
