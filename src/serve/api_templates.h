/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_TEMPLATES_H
#define SEKISHO_SERVE_API_TEMPLATES_H

#include "serve/api.h"

/* Handlers of templates (policy/template.h): the list of them; what one would do to the rules of
 * owners, with its proof; doing it. */
int api_templates_list(struct api *api, struct store_tx *tx, struct fault *f);
int api_template_preview(struct api *api, struct store_tx *tx, struct fault *f);
int api_template_apply(struct api *api, struct store_tx *tx, struct fault *f);

#endif
