/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_NOTICES_H
#define SEKISHO_SERVE_API_NOTICES_H

#include "serve/api.h"

/* What tenants and the operator were told by mail: /v1/notices. */
int api_notices_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_notice_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_notice_retry(struct api *api, struct store_tx *tx, struct fault *f);
int api_notice_test(struct api *api, struct store_tx *tx, struct fault *f);
int api_notice_preview(struct api *api, struct store_tx *tx, struct fault *f);

#endif
