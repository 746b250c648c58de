/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_REPORT_H
#define SEKISHO_CLI_DOCTOR_REPORT_H

#include "cli/cli.h"
#include "cli/doctor/finding.h"

/* Prints the findings as they are sorted: a few lines each for people, or one JSON array. */
void findings_print(const struct findings *f, const struct cli *cli);

#endif
