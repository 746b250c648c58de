/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_ASTERISK_LOG_H
#define SEKISHO_INTAKE_ASTERISK_LOG_H

#include "base/fault.h"
#include "intake/witness.h"

/*
 * The witness `asterisk_log`: follows the file of Asterisk's security channel (tail.h) and reads its lines
 * (security_line.h). A file that holds other channels too (`messages`, `full`) is no witness: pjproject
 * dumps whole packets into them, whose lines can be anything. From the first such line on nothing in
 * the file is believed, until another file takes its name.
 */
struct asterisk_log;

/* `path` is absolute, and copied. The file need not exist. */
int asterisk_log_open(struct asterisk_log **out, const char *path, int64_t switch_id,
                      struct instant now, struct fault *f);
void asterisk_log_close(struct asterisk_log *log);

/* Poll it for reading. Does not change. */
int asterisk_log_fd(const struct asterisk_log *log);

/* When its fd is readable, and once a second. Never waits, and reads at most about a megabyte; true where
 * there is more to read at once. */
bool asterisk_log_read(struct asterisk_log *log, struct instant now, attempt_fn *tell, void *arg);

const struct witness_figures *asterisk_log_figures(const struct asterisk_log *log);

#endif
