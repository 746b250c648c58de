/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_REPLAY_JSON_H
#define SEKISHO_SERVE_REPLAY_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "ledger/replay.h"

/*
 * A replay as the HTTP API and `sekisho replay` tell it: schema Replay in docs/openapi.yaml, with a sentence in English and
 * Japanese; and its refused calls as CSV.
 */

/* How a caller is called: spans that live as long as what gives them. */
struct replay_name {
    struct span account, gate; /* `gate`: the switch; empty where there is but one */
};

struct replay_tale {
    const struct rates *rates; /* that the replay was given; NULL: none */
    /* False: there is no such caller (any more). */
    bool (*name)(void *arg, uint32_t caller, struct replay_name *out);
    void *arg;
    size_t top;      /* accounts and countries that are told at most */
    bool masked;     /* numbers without their last four digits */
    struct buf *csv; /* unless NULL: gets a line for each call that replay_json_take() is given */
    size_t samples_max; /* of those calls, that many come as JSON */
    json_t *samples;    /* set by replay_json_take(); replay_json() takes them */
};

/* A replay_config's `take`, with the tale as its argument. */
int replay_json_take(void *tale, const struct replay_case *judged);

/* "time,switch,account,dialled,e164,country,class,outcome,seconds,fate,reason,rule,price,currency" */
#define REPLAY_CSV_HEADER                                                                          \
    "time,switch,account,dialled,e164,country,class,outcome,seconds,fate,reason,rule,price,"       \
    "currency\n"

/* ERR_NOMEM. */
int replay_json(struct replay *replay, struct replay_tale *tale, json_t **out, struct fault *f);

#endif
