/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_SITE_H
#define SEKISHO_NUMBERING_SITE_H

#include "base/fault.h"
#include "numbering/tables.h"

/*
 * A site is a dial plan as one switch or tenant uses it: which digit takes an outside line, which
 * patterns are extensions, in which area local numbers are. Immutable; borrows the tables, which must
 * outlive it.
 */
struct site;

struct site_config {
    struct span plan;       /* ISO 3166-1 alpha-2 of the dial plan: "JP" */
    struct span outside;    /* outside-line digits ("9", "0"), empty for none */
    struct span extensions; /* patterns separated by commas or spaces, Asterisk's letters: X is 0-9,
                               Z 1-9, N 2-9; "1XXX, 0101"; empty for none */
    struct span area; /* area code with trunk prefix ("03"), completes local numbers; or empty */
};

/*
 * Refuses with a sentence: an unknown plan, an outside line that is not digits, a pattern that is
 * malformed or that covers an emergency number of the plan (a pattern that can match "110").
 */
int site_new(struct site **out, const struct tables *tables, const struct site_config *config,
             struct fault *f);
void site_free(struct site *site);

/* The plan's own access prefix ("010"): the born restriction. */
struct span site_access_prefix(const struct site *site);

/* The plan's emergency numbers, sorted, `*n` of them. */
const struct span *site_emergency_numbers(const struct site *site, size_t *n);

#endif
