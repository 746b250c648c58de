/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_AMI_CLIENT_H
#define SEKISHO_CLI_AMI_CLIENT_H

#include "intake/ami_message.h"

/*
 * A connection to an Asterisk's manager interface, for questions that are asked once: blocking, each
 * wait at most ten seconds. Not for the daemon.
 */
struct ami_client;

/* `where` is HOST or HOST:PORT (5038), an IPv6 address with port in brackets. ERR_TIMEOUT where nothing
 * answers. */
int ami_client_open(struct ami_client **out, const char *where, struct fault *f);
void ami_client_close(struct ami_client *c);

/* Logs in by challenge, and borrows both for as long as `c` lives. ERR_DENIED; ERR_SYNTAX where what
 * answers is no AMI. */
int ami_client_login(struct ami_client *c, const char *name, struct span secret, struct fault *f);

/*
 * Sends `action` and hands every event of its list to `each`, up to the event `end`. An Asterisk that
 * does not know the action (the module is not loaded) has an empty list.
 */
int ami_client_list(struct ami_client *c, const char *action, const char *end,
                    int (*each)(const struct ami_message *event, void *arg, struct fault *f),
                    void *arg, struct fault *f);

#endif
