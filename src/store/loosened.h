/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_LOOSENED_H
#define SEKISHO_STORE_LOOSENED_H

#include "store/change.h"

/* Tells the owner, in the change's own transaction, where rule set `after` lets through what `before` did not: a restriction
 * is gone (and no other closes its prefix), ends or has a schedule now, or there is a new or longer exception. Nothing of a
 * preset, which is nobody's. */
int loosened_tell(struct change *c, enum store_scope scope, int64_t before, int64_t after,
                  const struct store_by *by, struct fault *f);

#endif
