/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_DIALPLAN_H
#define SEKISHO_CLI_DOCTOR_DIALPLAN_H

#include "cli/doctor/astconf.h"

/* extensions.conf as Asterisk's pbx_config understands it. */

/* One priority. Statements of an extension follow each other. */
struct statement {
    size_t context, extension; /* indexes: of the dialplan, of the context */
    int priority;
    struct span label;
    struct span app, args; /* "Dial", "PJSIP/${EXTEN}@trunk,60"; simple ${GLOBALS} filled in */
    struct place at;
};

struct extension {
    struct span pattern; /* "_X." or "110"; without a caller ID part */
    size_t *statements;  /* indexes, by priority */
    size_t n;
};

struct context {
    struct span name;
    struct place at;
    struct extension *extensions;
    size_t n;
    struct astconf_entry *includes; /* value: the context's name */
    size_t n_includes;
};

struct dialplan {
    struct arena *arena;
    struct context *contexts;
    size_t n;
    struct statement *statements;
    size_t n_statements;
};

void dialplan_read(struct dialplan *out, const struct astconf *conf, struct findings *findings);

/* By name; NULL where there is none. Names of contexts have case. */
const struct context *dialplan_context(const struct dialplan *d, struct span name);

/* Whether the extension's pattern matches the digits. */
bool pattern_matches(struct span pattern, struct span digits);

/* Whether some dialled string matches both. */
bool patterns_overlap(struct span a, struct span b);

/* Whether the pattern matches only numbers of the list: "110", "_11[089]". */
bool pattern_only(struct span pattern, const struct span *list, size_t n);

/* The extension that Asterisk would take for `digits`: the context's own, exact before pattern, then
 * its includes in order. NULL where there is none. */
const struct extension *dialplan_match(const struct dialplan *d, const struct context *c,
                                       struct span digits);

#endif
