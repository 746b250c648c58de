/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_GUARD_H
#define SEKISHO_BENCH_GUARD_H

/* Each prints its figures, and returns the exit status. */
int lines_run(const char *path);                       /* of a security log */
int bans_run(const char *enforcer, const char *never); /* in a network namespace of its own */

#endif
