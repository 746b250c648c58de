/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_TENANTS_H
#define SEKISHO_SERVE_API_TENANTS_H

#include "serve/api.h"

/* Handlers of /v1/tenants. */
int api_tenants_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenants_post(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_patch(struct api *api, struct store_tx *tx, struct fault *f);
int api_tenant_delete(struct api *api, struct store_tx *tx, struct fault *f);

/* Reads the fields of a body over what stands in `out`, whose spans then borrow from `json` and the
 * reader. */
int api_tenant_read(struct reader *r, json_t *json, enum api_fields which, struct store_tenant *out,
                    struct fault *f);

#endif
