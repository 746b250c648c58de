/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_PROVE_H
#define SEKISHO_SERVE_API_PROVE_H

#include "serve/api.h"
#include "serve/prove_json.h"
#include "serve/stack.h"

/* Handlers of proofs: of rules in a body, of an account, of a tenant, of the operator. They run in read jobs, since an
 * atlas and a proof take milliseconds. */
int api_prove_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_prove(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_prove(struct api *api, struct store_tx *tx, struct fault *f);
int api_operator_prove(struct api *api, struct store_tx *tx, struct fault *f);

/* ---- shared with templates ---- */

/* Which dial plan is meant: `plan` (ISO code), else that of the switch `gate`, else the one that all
 * switches in sight have. Refused (ERR_MISSING, ERR_RANGE) `*wrong` is "plan" or "switch". */
int api_plan(struct api *api, struct store_tx *tx, struct span plan, struct span gate,
             struct span *out, const char **wrong, struct fault *f);

/* The dial plan of the switch that an account belongs to. */
int api_account_plan(struct store_tx *tx, const struct store_account *account, struct span *out,
                     struct fault *f);

/* The proof of a stack as JSON. */
int api_proof(struct store_tx *tx, const struct atlas *atlas, const struct stack *stack,
              enum prove_json_ranges ranges, json_t **out, struct fault *f);

/* The words of enum prove_json_ranges, up to NULL: open, all, none. */
extern const char *const api_prove_ranges[];

#endif
