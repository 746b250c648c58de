/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_SETTINGS_H
#define SEKISHO_DAEMON_SETTINGS_H

#include "config/config.h"
#include "daemon/options.h"
#include "serve/fastagi.h"
#include "serve/http.h"
#include "serve/sip_tcp.h"

/* From the command line and the configuration file to what each part of the daemon is given. */

/* The configuration as file, defaults and options have it; without a file the last two. */
int settings_load(struct config **out, const struct options *options, struct config_report *report);

/* Logs each line of the report, as errors where the configuration is refused. */
void settings_log(const struct config_report *report);

/* These borrow from `config`. */
struct fastagi_options settings_fastagi(const struct config *config);
struct sip_tcp_options settings_sip_tcp(const struct config *config);
struct http_options settings_http(const struct config *config);

/* The directory that systemd makes for sockets, where the command looks first; NULL: none. */
const char *settings_runtime_dir(void);
/* Gives the path of the Unix socket, for the caller to free. */
int settings_socket(char **out, const struct config *config, struct fault *f);
/* Gives an array of `*n`, for the caller to free, whose spans borrow from `config`. */
int settings_help_lines(struct span **out, size_t *n, const struct config *config, struct fault *f);

#endif
