/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_ACCOUNTS_H
#define SEKISHO_SERVE_API_ACCOUNTS_H

#include "serve/api.h"

/* Handlers of /v1/accounts and /v1/switches/{switch}/accounts. */
int api_accounts_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_accounts_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_patch(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_delete(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_named_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_account_named_put(struct api *api, struct store_tx *tx, struct fault *f);

/* The fields of an account as they are read into `a`: tenant, state, note, name, switch. */
#define ACCOUNT_FIELDS 5
void api_account_fields(struct store_account *a, struct field fields[ACCOUNT_FIELDS]);

/* Reads them over what stands in `a`, whose spans then borrow from `json`. `at` as for reader_fields(). */
int api_account_read(struct reader *r, const char *at, json_t *json, enum api_fields which,
                     struct store_account *a, struct fault *f);

#endif
