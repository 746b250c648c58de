/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_LISTS_H
#define SEKISHO_ENFORCE_LISTS_H

#include "enforce/elements.h"
#include "enforce/limits.h"

/*
 * The short lists beside the bans: never-ban, the access list, observed switches, the SIP ports. They are
 * kept here, so that a table that somebody flushed is whole again before anybody is asked.
 */
#define LISTS_PORTS_MAX 32

struct lists {
    struct netlink *nl;             /* borrowed */
    struct limits *limits;          /* borrowed; has the never-ban list */
    struct networks never4, never6; /* as it is written */
    struct networks access4, access6, observed4, observed6;
    struct enforce_port ports[LISTS_PORTS_MAX];
    size_t n_ports;
};

/* What ENFORCE_NEVER, _ACCESS, _OBSERVE and _PORTS ask; failures go into the answer that was begun. */
void lists_set(struct lists *lists, const struct enforce_message *m, struct enforce_writer *answer);
/* After a start with a table that stood: learns what is in its sets, but for the never-ban list, which is
 * the file's. Until the daemon speaks, everything stays in force. */
void lists_learn(struct lists *lists);
/* Writes all of them into the kernel's sets. 0 or errno. */
int lists_write(struct lists *lists);

#endif
