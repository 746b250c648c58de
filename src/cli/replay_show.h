/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_REPLAY_SHOW_H
#define SEKISHO_CLI_REPLAY_SHOW_H

#include <jansson.h>

#include "cli/cli.h"

/* A replay (schema Replay in docs/openapi.yaml), wherever it comes from, for people, on stdout. */
void replay_show(const struct cli *cli, const json_t *replay);

#endif
