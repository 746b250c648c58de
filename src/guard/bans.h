/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_BANS_H
#define SEKISHO_GUARD_BANS_H

#include "guard/keys.h"

/*
 * Who is banned or quenched, and who was: an ended ban stays as a memory that makes the next one longer. One entry
 * for each (network, observed). Nobody is pushed out: when the table is full of bans that last, a new one is refused,
 * and memories of ended ones go first. Quenches, which anybody can cause by forged packets, take at most a quarter.
 */
struct ban {
    struct network network;
    bool observed, active, quench, manual, told_heard;
    uint8_t attack, witness, proof;
    uint8_t level, quench_level; /* bans and quenches so far */
    uint32_t since, until;       /* until BAN_FOREVER */
    uint32_t length;             /* seconds, 0: for ever */
    uint32_t remembered;         /* until when the levels mean something */
    uint32_t threshold, count, window, heard;
    uint32_t next; /* in its chain, or the free list */
    int64_t switch_id;
    uint64_t last; /* newest attempt that counted */
};
#define BAN_FOREVER UINT32_MAX

struct bans {
    struct ban *at;
    uint32_t *heads;
    uint32_t slots, used, quenches; /* quenches: active ones */
    uint32_t free, touched;         /* free list; slots behind `touched` were never used */
    uint32_t swept, due;            /* when something ends at the earliest */
    uint32_t of_bits[2][129];       /* entries by family and prefix length */
};
#define BANS_NONE UINT32_MAX

int bans_init(struct bans *bans, size_t bytes); /* ERR_NOMEM */
void bans_free(struct bans *bans);
void bans_present(struct bans *bans); /* pages_present() */
size_t bans_bytes(const struct bans *bans);

/* Active or remembered; NULL. */
struct ban *bans_find(const struct bans *bans, const struct keys *keys,
                      const struct network *network, bool observed);
/* Active at `t`, and the widest that covers the network; NULL. */
struct ban *bans_covering(const struct bans *bans, const struct keys *keys,
                          const struct network *network, bool observed, uint32_t t);
/* Found or new, not active if new. NULL when there is no room. */
struct ban *bans_take(struct bans *bans, const struct keys *keys, const struct network *network,
                      bool observed, uint32_t t);
/* Makes it active until `until`; counts quenches and what is due. False when there are too many quenches. */
bool bans_begin(struct bans *bans, struct ban *ban, bool quench, uint32_t t, uint32_t length);
void bans_end(struct bans *bans, struct ban *ban);
void bans_drop(struct bans *bans, const struct keys *keys, struct ban *ban);

/* The slot-th of `touched`; NULL when it is free. */
struct ban *bans_at(const struct bans *bans, size_t slot);

static inline bool ban_active(const struct ban *ban, uint32_t t)
{
    return ban->active && (ban->until == BAN_FOREVER || ban->until > t);
}

#endif
