/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_PROVE_JSON_H
#define SEKISHO_SERVE_PROVE_JSON_H

#include <jansson.h>

#include "policy/prove.h"

/* Proofs as the HTTP API and `sekisho prove --json` tell them: schema Proof in docs/openapi.yaml. Every
 * part has its sentence in English and Japanese beside it. */

enum prove_json_ranges {
    PROVE_JSON_OPEN, /* what is open, also where it is nobody's */
    PROVE_JSON_ALL,
    PROVE_JSON_NONE,
};

struct prove_json_options {
    enum prove_json_ranges ranges;
    const char *const *tenants; /* names of the tenants whose rules were asked about, outward */
    size_t n_tenants;
};

/* NULL when memory runs out. */
json_t *prove_json(const struct atlas *atlas, const struct prove *proof,
                   const struct prove_json_options *options);

/* Schema Difference. */
json_t *prove_difference_json(const struct atlas *atlas, const struct prove_difference *difference);

#endif
