/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_SEKISHOD_H
#define SEKISHO_DAEMON_SEKISHOD_H

#include "config/config.h"
#include "daemon/options.h"

/*
 * The whole daemon: what stands between a configuration and a process that answers. All calls are made
 * on the main thread.
 */
struct sekishod;

/*
 * Starts everything. Takes the configuration, also when it fails. Sockets are opened before the store, so
 * that a port in use leaves the store untouched and the first token untold. From
 * `options` (borrowed) sekishod_reload() starts again.
 */
int sekishod_start(struct sekishod **out, struct config *config, const struct options *options,
                   struct fault *f);

/* Reads the configuration and the tables again. Whatever is wrong is logged, and all stays as it was. */
void sekishod_reload(struct sekishod *d);

/* Takes no more questions, answers those that have come, writes what has gathered, and frees all. */
void sekishod_stop(struct sekishod *d);

#endif
