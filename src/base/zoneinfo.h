/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_ZONEINFO_H
#define SEKISHO_BASE_ZONEINFO_H

#include "base/buf.h"
#include "base/fault.h"

/* Reads the system's TZif file of zone `name` (from /usr/share/zoneinfo); a zones_read_fn, `arg` is
 * unused. `name` must have passed tz_name_valid(). ERR_MISSING with a sentence where there is no such
 * zone. Not for the pure folders. */
int zoneinfo_read(void *arg, struct span name, struct buf *out, struct fault *f);

#endif
