/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_WATCH_H
#define SEKISHO_DAEMON_GUARD_WATCH_H

#include <limits.h>

#include "config/config.h"
#include "intake/ours.h"
#include "intake/witness.h"
#include "serve/guard_desk.h"

/*
 * What the guard's thread wants of an intake: one small file for each kind (guard_watch_wire.c and so on) makes
 * it so. All calls come from that thread.
 */
typedef attempt_fn watch_give_fn;
/* The switch itself registered at this address: it is a trunk. */
typedef void watch_trunk_fn(void *context, const struct address *trunk);

/* A failure from there is proved, and not reported: guard_vouch(). */
typedef void watch_vouch_fn(void *context, const struct attempt *attempt);

/* Whether a live call of the account to the number must end now. */
typedef bool watch_ends_fn(void *context, int64_t switch_id, struct span account,
                           struct span number);

/* What a witness is opened with; good until it is closed. */
struct watch_place {
    const struct config_switch *config;
    int64_t switch_id;
    const struct ours *ours; /* the switch's addresses; may change between calls */
    int socket;              /* of wire: the packet socket, which is taken; else -1 */
    const char *secret;      /* of hep and ami: what stands in their file; "" for none */
    watch_give_fn *give;
    watch_vouch_fn *vouch;
    watch_trunk_fn *trunk;
    watch_ends_fn *ends;
    void *context;
};

struct watch_kind {
    /* Whether the configuration wants it. */
    bool (*wanted)(const struct config_switch *config);
    /* What it watches, for people: a file, an address. */
    void (*what)(const struct config_switch *config, char *out, size_t size);
    /* Borrows the place. It is tried again every few seconds while it fails. */
    int (*open)(void **out, const struct watch_place *place, struct instant now, struct fault *f);
    void (*close)(void *watch);
    /* To be polled; both may change with every call. -1: none at the moment. `events` NULL: POLLIN. */
    int (*fd)(const void *watch);
    short (*events)(const void *watch);
    /* When `read` is to be called even if nothing happens (boot time); NULL, INT64_MAX: never. */
    int64_t (*due_ns)(const void *watch);
    /* What is there, a bounded amount of it. 1: there is more; 0; an error: it is dead, and closed. */
    int (*read)(void *watch, struct instant now);
    /* Messages or lines since it was opened, and how many of them an attempt has; NULL: it never rests (intake/pace.h). */
    uint64_t (*taken)(const void *watch);
    unsigned taken_each;
    void (*tick)(void *watch, struct instant now); /* once a second; NULL: nothing to do */
    /* Begins to end the live calls that `ends` names; NULL: it cannot. */
    void (*end_calls)(void *watch, struct instant now);
    /* Adds what became of that; NULL: nothing. */
    void (*endings)(const void *watch, struct guard_room_endings *sum);
    /* `lost`: what the kernel could not keep. */
    void (*figures)(void *watch, struct instant now, struct witness_figures *out, uint64_t *lost);
};

extern const struct watch_kind watch_wire, watch_hep, watch_ami, watch_log;

/* For wire and hep, which count alike. */
struct exchange_figures;
void watch_exchange_figures(const struct exchange_figures *from, struct instant now,
                            struct witness_figures *out);
/* 16 bytes that nobody knows. */
int watch_random(uint8_t key[16], struct fault *f);

#endif
