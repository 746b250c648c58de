/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_VIA_H
#define SEKISHO_SIP_VIA_H

#include "base/fault.h"

/* One value of Via (RFC 3261 section 20.42, RFC 3581); all views into the message. */
struct via {
    struct span transport; /* "UDP" */
    struct span host;      /* of sent-by, with the brackets of an IPv6 reference */
    unsigned port;         /* 0 where none was given */
    struct span branch;    /* p == NULL where there is none; likewise: */
    struct span received;
    bool has_rport;
    unsigned rport;       /* 0 where it has no value yet */
    struct span rport_at; /* the parameter as it stands; p == NULL where there is none */
    struct span params;   /* all of them, behind the first ';' */
};

/* `value` is one element of the list (sip_values_next()). ERR_SYNTAX for what is none, for a version
 * that is not SIP/2.0, and for a branch, received or rport that stands twice. */
int via_parse(struct via *out, struct span value);

/* Does the branch begin with "z9hG4bK", so that it names a transaction by itself? */
bool via_branch_is_magic(struct span branch);

#endif
