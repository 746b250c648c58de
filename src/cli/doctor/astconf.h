/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_ASTCONF_H
#define SEKISHO_CLI_DOCTOR_ASTCONF_H

#include "base/fault.h"
#include "cli/doctor/finding.h"

/*
 * An Asterisk configuration file as Asterisk reads it (main/config.c): #include and #tryinclude with
 * patterns, templates ([x](!), [y](x)), [x](+), +=, =>, comments with ; and ;-- --;. #exec is not
 * run, and said.
 */

struct astconf_entry {
    struct span name, value; /* trimmed; NUL behind both */
    struct place at;
};

struct astconf_section {
    struct span name;
    struct place at;
    bool is_template;
    struct astconf_entry *entries; /* those of its templates first */
    size_t n;
};

struct astconf {
    const char *file; /* as given */
    bool exists;
    struct astconf_section *sections;
    size_t n;
};

/* Reads `file`, relative to `dir` unless it begins with '/'. A missing file is empty (`exists`), one
 * that cannot be read is an error; what is included and missing becomes a finding. Places name files
 * relative to `dir`. */
int astconf_read(struct astconf *out, const char *dir, const char *file, struct findings *findings,
                 struct fault *f);

/* The last value of a name (any case) in the section: the one that counts. NULL p: none. */
struct span astconf_get(const struct astconf_section *s, const char *name);
struct place astconf_place(const struct astconf_section *s, const char *name);

/* The first section of the name that is no template, or NULL. */
const struct astconf_section *astconf_section(const struct astconf *c, const char *name);

/* As ast_true() reads it; `otherwise` where there is none. */
bool astconf_true(struct span value, bool otherwise);

#endif
