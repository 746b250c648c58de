/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_VISIBLE_H
#define SEKISHO_BENCH_VISIBLE_H

#include "policy/snapshot.h"

/* What a change costs in a snapshot of `accounts` accounts, before its commit and after. Prints a table. */
void visible(size_t accounts, const struct tables *tables);

#endif
