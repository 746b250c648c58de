/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_AMI_MESSAGE_H
#define SEKISHO_INTAKE_AMI_MESSAGE_H

#include "base/buf.h"
#include "base/fault.h"

/*
 * Messages of the Asterisk Manager Interface: lines `Name: value`, ended by an empty line. Pure: it
 * is handed bytes and gives views into them.
 *
 * What an attacker controls stands in the values, percent-decoded by Asterisk: a SIP user name with
 * %0d%0a%0d%0a ends an event in the middle and begins what looks like another one. Nothing here can
 * tell a forged line from a true one. What is offered for those who must: the first and the last
 * field of a name, how often it occurs, and whether the message begins as Asterisk begins one.
 */

#define AMI_FIELDS_MAX 192        /* fields kept of one message */
#define AMI_MESSAGE_MAX (1 << 18) /* bytes of one message; a longer one is refused */

struct ami_field {
    struct span name;  /* "" for a line without a colon (text of old command output) */
    struct span value; /* without the spaces after the colon; may hold any byte but LF */
};

/* Borrows the bytes that it was taken from. */
struct ami_message {
    struct ami_field fields[AMI_FIELDS_MAX];
    size_t n;
    size_t dropped; /* fields beyond AMI_FIELDS_MAX */
};

/*
 * Takes the first message of `in`. Returns 1 and sets `*used` to the bytes that it took with its
 * empty line (empty lines before it included); 0 where `in` holds no whole message yet, then
 * nothing is written; ERR_RANGE where more than AMI_MESSAGE_MAX bytes stand without an end: the
 * caller must give the connection up. Lines may end in CR LF or LF. The greeting ("Asterisk Call
 * Manager/11.0.0") has no empty line behind it: take it first.
 */
int ami_message_take(struct span in, size_t *used, struct ami_message *out);

/*
 * Takes the greeting line. Returns 1 with the version ("11.0.0") and the bytes used; 0 where the
 * line has not ended yet; ERR_SYNTAX where it is not a greeting of AMI.
 */
int ami_greeting_take(struct span in, size_t *used, struct span *version);

/* The value of the first or last field `name` (any case); an empty span with p == NULL where there
 * is none. */
struct span ami_message_first(const struct ami_message *m, const char *name);
struct span ami_message_last(const struct ami_message *m, const char *name);
size_t ami_message_count(const struct ami_message *m, const char *name);

/* Whether it is the event `event`: the first field says so, and no other field calls itself Event. */
bool ami_message_is_event(const struct ami_message *m, const char *event);

/* Whether the first field is Event or Response: what does not begin so is the rest of a split one. */
bool ami_message_begins(const struct ami_message *m);

/* Adds `Name: value` and the line end. A CR, LF or NUL in a value, or anything but letters, digits
 * and '-' in a name, is ERR_SYNTAX, and nothing is added: one action never becomes two. */
int ami_action_field(struct buf *b, const char *name, struct span value, struct fault *f);

/* The empty line that sends the action. */
void ami_action_end(struct buf *b);

#endif
