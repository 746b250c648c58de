/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_ACCOUNT_REF_H
#define SEKISHO_CLI_ACCOUNT_REF_H

#include "cli/remote.h"

/*
 * Finds the account that people mean: "id:12", or a name on the switch `switch_`, or a name alone, if
 * only one switch has it. `*out` is the account's object (docs/openapi.yaml), for the caller to
 * release. ERR_MISSING, or ERR_RANGE with the switches to choose from.
 */
int account_find(struct cli *cli, const char *ref, const char *switch_, json_t **out,
                 struct fault *f);

/* Its id as text for a path. */
#define ACCOUNT_ID_SIZE 24
void account_id(const json_t *account, char out[ACCOUNT_ID_SIZE]);

#endif
