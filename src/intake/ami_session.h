/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_AMI_SESSION_H
#define SEKISHO_INTAKE_AMI_SESSION_H

#include <stdint.h>

#include "intake/ami_message.h"

/*
 * One connection to an Asterisk's manager interface, from its greeting on: the login by challenge (the secret itself
 * never goes over the wire), then messages one after the other. Pure: bytes go in, bytes to be sent gather
 * in `out`.
 *
 * Whoever can make Asterisk report a text can write whole messages. What he cannot write is an ActionID that he has not
 * seen: those of a session begin with 128 random bits, and no message without one is an answer to anything.
 */
enum ami_state {
    AMI_GREETING,
    AMI_CHALLENGE,
    AMI_LOGIN,
    AMI_UP,
};

#define AMI_RANDOM 16                 /* bytes */
#define AMI_GATHERED_MAX (256 * 1024) /* of `out`: beyond it the peer does not read */

/* Borrowed as long as the session lives. */
struct ami_login {
    struct span user;
    struct span secret;
    const char *events; /* classes of events to be sent: "security", "off" */
};

/* Zero-initialised may be freed. Embedded; all but `message` and `out` is the session's own. */
struct ami_session {
    enum ami_state state;
    const struct ami_login *login;
    char prefix[2 * AMI_RANDOM + 2]; /* of its ActionIDs */
    uint64_t action;                 /* the number of the last one */
    struct buf in;
    size_t taken;
    struct buf out;             /* to be sent; who has sent bytes calls ami_session_sent() */
    struct ami_message message; /* lives until the next call of ami_session_next() or _add() */
};

/* What a session had before is forgotten, its memory kept. */
void ami_session_begin(struct ami_session *s, const struct ami_login *login,
                       const uint8_t random[AMI_RANDOM]);
void ami_session_free(struct ami_session *s);

/* What has come. At most AMI_MESSAGE_MAX bytes at once; whoever adds takes all messages before he adds more. */
int ami_session_add(struct ami_session *s, struct span bytes, struct fault *f);

/*
 * 1: `message` is the next one, which took `*size` bytes of the stream; never before the login has succeeded. 0: more
 * bytes are needed. Else the connection must be given up: ERR_SYNTAX it is no manager interface, ERR_DENIED the login was
 * refused, ERR_RANGE a message without an end, ERR_NOMEM.
 */
int ami_session_next(struct ami_session *s, size_t *size, struct fault *f);

/* Begins an action in `out` with an ActionID, and returns its number, never 0. Fields and the end are the caller's:
 * ami_action_field(), ami_action_end(). */
uint64_t ami_session_act(struct ami_session *s, const char *action);

/* The number of the action that `message` belongs to; 0: none of this session's. */
uint64_t ami_session_of(const struct ami_session *s);

/* The first `n` bytes of `out` have been sent. */
void ami_session_sent(struct ami_session *s, size_t n);

#endif
