/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_CONSENT_H
#define SEKISHO_CLI_CONSENT_H

#include "cli/remote.h"

/*
 * Does something that may hurt. Where the daemon wants consent (409 with `consent`), says each thing that it
 * names and asks; without a terminal `yes` must have been said beforehand. `body` and `out` may be NULL.
 * Returns an exit code, and has said what was wrong.
 */
int consent_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                 bool yes, struct reply *out);

#endif
