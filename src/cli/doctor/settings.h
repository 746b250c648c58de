/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_SETTINGS_H
#define SEKISHO_CLI_DOCTOR_SETTINGS_H

#include "cli/doctor/astconf.h"

/* Checks that need one file or two: the manager interface and its web (manager.conf, http.conf,
 * ari.conf), the security log (logger.conf), and what is there and not read (AEL, Lua, users.conf). */
int settings_check(const char *dir, struct findings *findings, struct fault *f);

#endif
