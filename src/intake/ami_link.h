/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_AMI_LINK_H
#define SEKISHO_INTAKE_AMI_LINK_H

#include "base/address.h"
#include "base/instant.h"
#include "intake/ami_session.h"

/*
 * A session (ami_session.h) over a TCP connection that never waits: connecting, writing, reading, and noticing that
 * the other side is gone. For ami.c.
 */
#define AMI_PATIENCE_NS                                                                            \
    (INT64_C(10) * 1000000000)                 /* to connect and log in; for the answer to a ping */
#define AMI_PING_NS (INT64_C(15) * 1000000000) /* of silence, before it is asked whether it lives */

struct ami_link {
    int epoll; /* not the link's own */
    int fd;    /* -1: closed */
    bool connecting;
    int64_t since_ns;  /* boot time when it was opened */
    int64_t heard_ns;  /* when something came last */
    int64_t pinged_ns; /* when a ping was sent that nothing has followed; 0: none */
    struct ami_session session;
};

/* Not yet open; `epoll` is watched by whoever runs it. */
void ami_link_init(struct ami_link *link, int epoll);
void ami_link_free(struct ami_link *link);

/* Begins to connect. ERR_IO. */
int ami_link_open(struct ami_link *link, const struct address *server,
                  const struct ami_login *login, struct instant now, struct fault *f);
void ami_link_close(struct ami_link *link);
static inline bool ami_link_is_open(const struct ami_link *link)
{
    return link->fd >= 0;
}

/* Called for each message once the login has succeeded; not 0: the link is given up. */
typedef int ami_link_message_fn(void *arg, size_t size, struct fault *f);

/*
 * Reads at most about a megabyte, and writes what can be written. 1: there is more to read at once; 0; or why the link
 * must be closed: ERR_IO, ERR_TIMEOUT, and what ami_session_next() and `message` return.
 */
int ami_link_run(struct ami_link *link, struct instant now, ami_link_message_fn *message, void *arg,
                 struct fault *f);

/* Sends what stands in session.out, as far as that goes now. */
int ami_link_flush(struct ami_link *link, struct fault *f);

#endif
