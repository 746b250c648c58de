/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BENCH_WORLD_H
#define SEKISHO_BENCH_WORLD_H

#include <stdio.h>

#include "policy/snapshot.h"

/*
 * A platform of any size: one switch, 1,000 tenants of one reseller, 3,000 distinct sets of ten rules
 * (three for each tenant), and accounts that are spread evenly over tenants and their sets. The operator
 * has a few rules of its own, one of them mandatory.
 */
#define WORLD_TENANTS 1000
#define WORLD_SETS 3000
#define WORLD_RULES 10
#define WORLD_NAME_MAX 22

struct world {
    struct snapshot *snap;
    size_t accounts;
};

struct world_name {
    uint8_t n;
    uint8_t number; /* for the asker: what is dialled */
    char text[WORLD_NAME_MAX];
};

/* The name of account `i`, from 0: "0312345678", "pbx-012345", or "t0123.067@voice", of 10 to 17 bytes. */
void world_name(size_t i, struct world_name *out);

/* Set `i`: one or two broad prefixes with exceptions within, and single countries. */
void world_set(size_t i, struct rule rules[WORLD_RULES], char digits[WORLD_RULES][16]);

void world_open(struct world *world, const struct tables *tables, size_t accounts);
void world_close(struct world *world);

#endif
