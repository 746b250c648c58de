/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_FILE_H
#define SEKISHO_BASE_FILE_H

#include "base/buf.h"
#include "base/fault.h"

/* Reads the whole file `path` of at most `limit` bytes into `out` (which is cleared first). A longer
 * file, a directory and a failing read are ERR_RANGE or ERR_IO with a sentence; a file that does
 * not exist is ERR_MISSING. Not for the pure folders. */
int file_read(const char *path, size_t limit, struct buf *out, struct fault *f);

#endif
