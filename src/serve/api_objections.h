/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_OBJECTIONS_H
#define SEKISHO_SERVE_API_OBJECTIONS_H

#include "serve/api.h"

/* Whom sweeps leave alone because a tenant wants it so. */
int api_objections_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_objection_put(struct api *api, struct store_tx *tx, struct fault *f);
int api_objection_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
