/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_FINDING_H
#define SEKISHO_CLI_DOCTOR_FINDING_H

#include "cli/doctor/arena.h"

enum severity {
    SERIOUS, /* money or emergency calls are at stake: exit status 1 */
    WARNING,
    NOTE, /* what the doctor could not look into */
};

/* Where in the configuration. */
struct place {
    const char *file; /* NULL: the configuration as a whole */
    unsigned line;    /* 0: the file as a whole */
};

struct finding {
    enum severity severity;
    const char *id; /* "trunk-unasked": stable, for programs */
    struct place at;
    const char *what;   /* a sentence */
    const char *way;    /* how a call gets there, or NULL */
    const char *change; /* what to change, an imperative sentence */
};

struct findings {
    struct arena *arena;
    struct finding *all;
    size_t n;
};

/* Texts are borrowed: they come from the arena or are literals. The same finding twice is one. */
void finding_add(struct findings *f, const struct finding *finding);

/* The worst first, then by place. */
void findings_sort(struct findings *f);
bool findings_serious(const struct findings *f);

/* "pjsip.conf:12" in memory of the arena. */
const char *place_text(struct arena *a, struct place at);

#endif
