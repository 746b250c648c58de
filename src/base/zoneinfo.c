/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/zoneinfo.h"

#include <stdio.h>

#include "base/file.h"

#define TZIF_MAX (256 * 1024) /* the largest of the "fat" files has less than 4 kB */

int zoneinfo_read(void *arg, struct span name, struct buf *out, struct fault *f)
{
    char path[128];
    int n = snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", SPAN_FMT(name));

    if (n < 0 || (size_t)n >= sizeof(path))
        return fault(f, ERR_MISSING, "there is no such zone");
    return file_read(path, TZIF_MAX, out, f);
}
