/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_BANS_H
#define SEKISHO_ENFORCE_BANS_H

#include "enforce/elements.h"
#include "enforce/limits.h"

/*
 * Bans in the kernel's sets. Hosts, /64 and /48 are elements, and nothing of them is remembered here.
 * Other networks are few and may lie in one another: their list is kept, and the set drawn from it.
 * `now_ms` is boot time.
 */
struct bans;

/* Borrows both. */
int bans_new(struct bans **out, struct netlink *nl, const struct limits *limits, struct fault *f);
void bans_free(struct bans *bans);

/* What an ENFORCE_BAN or ENFORCE_UNBAN asks. Writes a failure for each record that was not done into the
 * answer that was begun. */
void bans_set(struct bans *bans, const struct enforce_message *m, int64_t now_ms,
              struct enforce_writer *answer);
/* Does all that a ban does but the ban: a transaction is written and not sent, and the kernel is asked about 0.0.0.0. */
void bans_warm(struct bans *bans);
void bans_lift(struct bans *bans, const struct enforce_message *m, int64_t now_ms,
               struct enforce_writer *answer);

/* After a start with a table that stood: learns the networks in it. */
void bans_learn(struct bans *bans, int64_t now_ms);
/* After the table was made anew: draws the networks again. */
void bans_redraw(struct bans *bans, int64_t now_ms);
/* Somebody took elements from that set of ranges: networks of which something is missing are forgotten
 * (what is left of them goes too) and told to `gone`. */
void bans_forget_taken(struct bans *bans, enum table_set set, int64_t now_ms,
                       void (*gone)(void *context, const struct network *network,
                                    enum enforce_scope scope),
                       void *context);

/* Whether the kernel holds exactly that ban; `left_ms` is filled in. */
bool bans_look(struct bans *bans, struct enforce_ban *ban, int64_t now_ms);
/* The networks of a set of ranges as the kernel holds them: as they were banned if it holds just those,
 * else cut as it has them. */
void bans_ranges(struct bans *bans, enum table_set set, int64_t now_ms,
                 void (*each)(void *context, const struct enforce_ban *ban), void *context);

#endif
