/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_NEVER_FILE_H
#define SEKISHO_ENFORCE_NEVER_FILE_H

#include "enforce/limits.h"

#define NEVER_FILE "/etc/sekisho/never-ban"

/*
 * Reads the never-ban file into `limits`. It must be a plain file of root's that nobody else can write. Where
 * there is none, one is made with the addresses from which somebody is logged in by SSH now; where that
 * cannot be, they hold for this run. Then adds what trust_own() finds.
 */
int never_file_read(const char *path, struct limits *limits, struct fault *f);

#endif
