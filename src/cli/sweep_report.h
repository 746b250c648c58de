/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_SWEEP_REPORT_H
#define SEKISHO_CLI_SWEEP_REPORT_H

#include <jansson.h>

#include "cli/cli.h"

/* A preview of a sweep (SweepPreview in docs/openapi.yaml), for people: how many and why, from when to when there are
 * records, samples, and how to go on. */
void sweep_report(struct cli *cli, const json_t *preview);

/* How to go on alone, on standard error. */
void sweep_report_note(struct cli *cli, const json_t *preview);

#endif
