/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_REPLAY_FILE_H
#define SEKISHO_CLI_REPLAY_FILE_H

#include "cli/cli.h"
#include "cli/words.h"
#include "ledger/replay.h"
#include "serve/replay_json.h"

/* Files of call records on their way through a replay, without a daemon. */

/* As the command line gives it; zero-initialised. */
struct replay_files {
    struct words files; /* --file */
    const char *format; /* --format: asterisk (without it), freeswitch, kamailio, mapping */
    const char *
        zone; /* --zone: whose clocks the records show; needed but for kamailio's tables of SQLite and unix times */
    const char *mapping; /* --mapping */
    const char *payer;   /* --payer; "accountcode, endpoint, src" without it */
    int64_t from_ms, before_ms;
};

/* Who called, numbered from 1 in the order in which they were met. */
struct replay_callers;

struct replay_callers *replay_callers_new(void);
void replay_callers_free(struct replay_callers *callers);
bool replay_callers_name(void *callers, uint32_t caller,
                         struct replay_name *out); /* a replay_tale's `name` */

/* What was read. */
struct replay_read {
    uint64_t records, bad, unowned, doubtful;
};

/*
 * Judges the calls of all files. Rows that cannot be read are told on stderr (the first of them), counted, and the rest goes
 * on. ERR_SYNTAX and the like: the options, or a file, cannot be understood at all.
 */
int replay_files_run(const struct cli *cli, const struct replay_files *files, struct replay *replay,
                     const struct site *site, const struct decide_rules *rules,
                     struct replay_callers *callers, struct replay_read *out, struct fault *f);

#endif
