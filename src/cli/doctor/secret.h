/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_SECRET_H
#define SEKISHO_CLI_DOCTOR_SECRET_H

#include "cli/doctor/finding.h"

/*
 * What is wrong with a secret, as words that follow "the secret …" ("is the same as the name"); NULL
 * where nothing is. `*severity` is set where something is. The words never hold the secret.
 */
const char *secret_weakness(struct span name, struct span secret, enum severity *severity);

/* The same for one that is stored as MD5 of NAME:REALM:SECRET: only what can be guessed shows. */
const char *secret_weakness_md5(struct span name, struct span realm, struct span hash);

#endif
