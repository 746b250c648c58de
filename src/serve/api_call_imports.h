/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_CALL_IMPORTS_H
#define SEKISHO_SERVE_API_CALL_IMPORTS_H

#include "serve/api.h"

int api_call_imports_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_call_import_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_call_import_finish(struct api *api, struct store_tx *tx, struct fault *f);

/* What is known of who pays, as JSON; `top` may be NULL. */
struct payers;
struct payers_top;
json_t *api_payers_json(const struct payers *payers, const struct payers_top *top);

#endif
