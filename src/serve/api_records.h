/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_RECORDS_H
#define SEKISHO_SERVE_API_RECORDS_H

#include "serve/api.h"

/* Handlers of /v1/refusals and /v1/audit. */
int api_refusals_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_audit_list(struct api *api, struct store_tx *tx, struct fault *f);

#endif
