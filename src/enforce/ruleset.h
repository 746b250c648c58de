/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_RULESET_H
#define SEKISHO_ENFORCE_RULESET_H

#include "enforce/netlink.h"

/* The table's rules in the kernel: laid by libnftables, recognised by netlink. */
struct ruleset;

enum ruleset_state { RULESET_STANDS, RULESET_CHANGED, RULESET_GONE };

/* libnftables ends the program where its socket's descriptor is 1024 or more: call it early. */
int ruleset_open(struct ruleset **out, struct fault *f);
void ruleset_close(struct ruleset *rules);

/* Lays the rules into the table that is there, whose elements stay; where that does not fit, or there is
 * none, makes it anew. `kept` tells which. Needs no file. */
int ruleset_lay(struct ruleset *rules, struct netlink *nl, bool *kept, struct fault *f);

/* Whether chains and rules are what ruleset_lay() left. */
enum ruleset_state ruleset_look(struct ruleset *rules, struct netlink *nl);

#endif
