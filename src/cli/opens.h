/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_OPENS_H
#define SEKISHO_CLI_OPENS_H

#include "base/buf.h"
#include "cli/cli.h"

/*
 * Says which countries lie behind a prefix, for whoever is about to open it: "Canada, Jamaica (high
 * risk), United States and 22 more". A survey, no proof: it asks what the compiled-in tables make of
 * numbers that begin with the prefix, three digits deep. Adds nothing where none is known.
 */
void opens_survey(const struct cli *cli, struct span prefix, struct buf *out);

#endif
