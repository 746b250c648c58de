/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_TABLE_H
#define SEKISHO_ENFORCE_TABLE_H

#include "base/buf.h"
#include "enforce/message.h"

/*
 * The table `inet sekisho`: which sets it has, and the rules that look into them. The rules never change
 * while the enforcer runs; whatever does is an element of a set. Pure.
 *
 * At prerouting, priority -310, before connections are tracked, so that a flow that was let in is cut in
 * its middle. In order: never-ban passes; what goes to an observed switch passes, counted where it would
 * have been dropped; bans of everything; on the access-listed ports whoever is not on the access list;
 * on the SIP ports the bans of those.
 */
#define TABLE_NAME "sekisho"
#define TABLE_HOSTS_MAX (1024 * 1024) /* elements of one set of hosts, /64 or /48 */

enum table_set {
    /* Bans of the SIP ports, and bans of everything in the same order. */
    TABLE_SIP_HOSTS4,
    TABLE_SIP_HOSTS6,
    TABLE_SIP_NETS64,
    TABLE_SIP_NETS48,
    TABLE_SIP_NETS4,
    TABLE_SIP_NETS6,
    TABLE_EVERY_HOSTS4,
    TABLE_EVERY_HOSTS6,
    TABLE_EVERY_NETS64,
    TABLE_EVERY_NETS48,
    TABLE_EVERY_NETS4,
    TABLE_EVERY_NETS6,
    TABLE_NEVER4,
    TABLE_NEVER6,
    TABLE_ACCESS4,
    TABLE_ACCESS6,
    TABLE_OBSERVED4,
    TABLE_OBSERVED6,
    TABLE_PORTS, /* protocol and port */
    TABLE_GATED, /* the ports on which the access list is in force: none, or those of TABLE_PORTS */
    TABLE_SETS
};

struct table_set_facts {
    const char *name;
    uint8_t family; /* of the addresses in it; 0 where it has ports */
    uint8_t key;    /* bytes */
    uint8_t bits;   /* of the networks in it; 0 where it has ranges or ports */
    bool ranges;    /* an interval set */
    bool bans;
};

const struct table_set_facts *table_set_facts(enum table_set set);
/* The set of that name; TABLE_SETS where there is none. */
enum table_set table_set_named(struct span name);
/* Where the ban of that network belongs. */
enum table_set table_set_for(const struct network *network, enum enforce_scope scope);
enum enforce_scope table_set_scope(enum table_set set);

const char *table_counter_name(enum enforce_counter counter);
/* ENFORCE_COUNTERS where there is none of that name. */
enum enforce_counter table_counter_named(struct span name);

/* What nft is told: makes what is missing and lays all rules anew, in one transaction that leaves the
 * elements of sets alone. With `anew` the table is taken away first, with everything in it. */
void table_list(struct buf *out, bool anew);

#endif
