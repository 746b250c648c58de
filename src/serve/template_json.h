/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_TEMPLATE_JSON_H
#define SEKISHO_SERVE_TEMPLATE_JSON_H

#include <jansson.h>

#include "policy/template.h"

/* Templates as the HTTP API and `sekisho template --json` tell them. NULL when memory runs out. */
json_t *template_json(const struct template *t); /* schema Template */
json_t *templates_json(void);                    /* all of them */

#endif
