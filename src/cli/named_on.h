/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_NAMED_ON_H
#define SEKISHO_CLI_NAMED_ON_H

#include "cli/remote.h"

/*
 * "/v1/lockouts/SWITCH/NAME": the path of what belongs to a name on a switch, which need be no account. Without
 * `switch_` there must be only one switch. ERR_RANGE with the switches to choose from.
 */
int named_on(struct cli *cli, const char *list, const char *switch_, const char *name,
             struct buf *path, struct fault *f);

#endif
