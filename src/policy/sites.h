/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_SITES_H
#define SEKISHO_POLICY_SITES_H

#include "numbering/site.h"

/* The sites of all (switch, area) that a block of levels needs, each made once and shared with the
 * block that it replaces. For the writer; the sites themselves may be read by all. */
struct sites;

/* `previous` (may be NULL) is asked first; it keeps its own references. */
int sites_new(struct sites **out, const struct tables *tables, const struct sites *previous,
              struct fault *f);
/* NULL is fine. Frees the sites that no other block shares. */
void sites_free(struct sites *sites);

/* The errors of site_new(). The site lives as long as `sites`. */
int sites_get(struct sites *sites, const struct site_config *config, const struct site **out,
              struct fault *f);

#endif
