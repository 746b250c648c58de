/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_FLATTEN_H
#define SEKISHO_POLICY_FLATTEN_H

#include "base/fault.h"

/*
 * What a proof says, as restricted numbers alone: for systems that know no exceptions and no levels.
 * Such a list cannot tell a number from those that begin with it, nor close what begins with * or #.
 * Emergency numbers stay open, and with them what begins so.
 */
struct flatten;

/* A range of a proof (prove.h), in its order: a whole number before what begins with it. Together the
 * ranges are all strings of digits. Borrowed for the call. */
struct flatten_range {
    struct span prefix;
    bool whole;
    bool open;
    bool emergency; /* a whole one that must never be closed */
};

/* ERR_NOMEM, ERR_FULL where the list would be too long (minimal.h). */
int flatten_new(struct flatten **out, const struct flatten_range *ranges, size_t n,
                struct fault *f);
void flatten_free(struct flatten *list);

/* The prefixes to restrict, sorted; they live as long as the list. */
size_t flatten_count(const struct flatten *list);
struct span flatten_prefix(const struct flatten *list, size_t i);

/* The ranges that the list does not express: indices into what was given, sorted. */
size_t flatten_lost(const struct flatten *list);
size_t flatten_lost_range(const struct flatten *list, size_t i);

#endif
