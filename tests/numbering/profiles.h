/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_NUMBERING_PROFILES_H
#define SEKISHO_TESTS_NUMBERING_PROFILES_H

#include "numbering/site.h"

/*
 * The sites that the tables of cases name: "JP" is the plan of Japan with extensions 1XXX; a plan
 * alone, such as "GB", has nothing; "US-out9" has the outside line 9; "JP-ext4" the extension 0101;
 * "JP-area03" the area code 03; "JP-bare" nothing.
 */
const struct tables *profiles_tables(void);
const struct site *profiles_site(const char *profile);

/* The same plan seen from the trunk: no extensions, no outside line. */
const struct site *profiles_trunk(const char *profile);

void profiles_free(void);

#endif
