/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_PROOF_H
#define SEKISHO_CLI_PROOF_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

/* Proofs (schema Proof in docs/openapi.yaml), wherever they come from, for people. */

enum proof_detail {
    PROOF_SHORT,  /* the countries that are open, the risky first; some of them */
    PROOF_RANGES, /* and every range that is open */
    PROOF_ALL,    /* and every range there is */
};

/* On stdout; rules without effect as remarks on stderr, if `rules`. */
void proof_show(const struct cli *cli, const json_t *proof, enum proof_detail detail, bool rules);

/* Prints what is to be restricted on a system that knows restrictions only, a prefix a line; what such
 * a list cannot say goes to stderr. The proof has all ranges. Returns an exit code. */
int proof_export(const struct cli *cli, const json_t *proof);

/* Asks the daemon which countries lie behind a prefix, for whoever is about to open it: "Canada, Jamaica
 * (high risk), United States and 22 more". `gate`: the switch whose dial plan is meant, or NULL. Adds
 * nothing where there is none, or the daemon does not say. */
void proof_behind(struct cli *cli, const char *prefix, const char *gate, struct buf *out);

#endif
