/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_FACTS_H
#define SEKISHO_TESTS_FACTS_H

#include <stdint.h>

#include "base/buf.h"

/*
 * What a reader says of a message, as lines of "key TAB value", so that readers can be compared. Runs of
 * white space and folds are one space, quotes around a value are taken off. Not every reader can tell
 * every fact.
 */
void facts_add(struct buf *facts, const char *key, unsigned index, const char *part,
               struct span value);
void facts_number(struct buf *facts, const char *key, unsigned index, const char *part,
                  uint32_t value);

/* The user part of a URI, with its %XX undone. */
void facts_user(struct buf *facts, const char *key, unsigned index, struct span user);

/* The value of `key` ("via.0.host"); false where there is none. */
bool facts_get(const struct buf *facts, struct span key, struct span *value);

/* The readers. "read", "no" is all that is said of a message that is refused. */
void facts_of_ours(struct buf *facts, struct span message);
void facts_of_osip(struct buf *facts, struct span message);
void facts_of_re(struct buf *facts, struct span message);

/* A valid message, another one for each `seed`, without what a reader is known not to read. */
enum generate_without {
    WITHOUT_TABS,          /* libosip2 takes spaces alone for white space */
    WITHOUT_COMMA_IN_USER, /* libre ends a URI there, within < and > too */
};
void generate(struct buf *message, uint64_t seed, enum generate_without without);

#endif
