/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_IMPORT_H
#define SEKISHO_SERVE_API_IMPORT_H

#include "serve/api.h"

/* Handlers of /v1/accounts/import: the import itself on a thread of its own, how far it is and its end on
 * the serve thread. */
int api_import(struct api *api, struct store_tx *tx, struct fault *f);
int api_import_get(struct api *api, struct store_tx *tx, struct fault *f);
int api_import_delete(struct api *api, struct store_tx *tx, struct fault *f);

#endif
