/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_PLAN_H
#define SEKISHO_NUMBERING_PLAN_H

#include "numbering/number.h"
#include "numbering/trie.h"

/*
 * One country's dial plan: what its digits mean. Rows of dialplans.tsv and codes.tsv make it; the
 * parser knows no country, only these.
 */

/* What a shape is; the roles of codes.tsv, described at the top of that file. */
enum code_role {
    ROLE_ACCESS,
    ROLE_CARRIER,
    ROLE_PREFIX,
    ROLE_FORWARD,
    ROLE_RELAY,
    ROLE_OPERATOR,
    ROLE_NUMBER,
    ROLE_SHORT,
    ROLE_LOCAL,
    ROLE_NSN,
    ROLE_TRUNK,
    ROLE_INFIX,
};

struct code {
    enum code_role role;
    enum number_class class;               /* number, short, relay */
    enum number_kind kind;                 /* number, short, relay */
    enum number_presentation presentation; /* prefix */
    char closing;                          /* forward: '#', or '\0' for none */
    bool keep;                             /* nsn: dialled as it is, not with the trunk prefix */
    bool area;                             /* carrier: the trunk prefix behind it may be missing */
    struct span drop; /* trunk: the keys at the front, infix: at the end of the shape, that are no
                         part of the national number */
    struct span put;  /* local: the area code, infix: what the national number begins with */
    uint32_t lengths; /* bit n: n digits in all (whole roles), or of the code itself (carrier); 0:
                                exactly as long as the shape */
    uint16_t width;   /* the shape stands for so many codes; the narrower row wins */
    size_t line;      /* of codes.tsv, 0 where dialplans.tsv said it */
};

/* The values of a trie node: indices into `code`, and a mark. */
enum { PLAN_STRIP, PLAN_WHOLE, PLAN_EMERGENCY };

#define PLAN_URNS_MAX 16
#define PLAN_PUT_MAX 8    /* digits that a row may put before a number or drop from it */
#define PLAN_SHAPE_MAX 12 /* keys of the longest code that a shape may stand for */

struct plan {
    char iso[4]; /* "*" for what holds in every plan */
    const struct country *country;
    uint16_t country_index;
    struct span cc;            /* "81" */
    struct span trunk;         /* "0", or empty */
    char access[8];            /* the access prefix that numbers are written with: "010" */
    char withhold[8], send[8]; /* caller-ID prefixes, "" where the plan has none of its own */
    bool letters;
    bool keeps;              /* some national numbers are never dialled with the trunk prefix */
    bool shares;             /* other countries have the country code, too */
    uint16_t infix;          /* the code by which numbers are written that have an infix, or 0 */
    struct span other_trunk; /* with which some are written instead of `trunk`, or empty */
    uint16_t *trunks;        /* the codes that say which */
    size_t n_trunks, cap_trunks;
    struct trie trie;
    struct code *code; /* [0] unused */
    size_t n_codes, cap_codes;
    struct span *emergency; /* sorted */
    size_t n_emergency, cap_emergency;
    size_t longest_emergency;
    struct span first_emergency; /* the one that dialplans.tsv names first */
    struct {
        struct span service, number;
    } urn[PLAN_URNS_MAX];
    size_t n_urns;
};

int plan_new(struct plan *p, struct span iso, struct fault *f);
void plan_free(struct plan *p);

/* A row of dialplans.tsv; views into `cells` are kept. `country` and its index are set by the
 * caller. */
int plan_describe(struct plan *p, const struct span *cells, struct fault *f);

/* A row of codes.tsv: shape, role, value, lengths. Views into the cells are kept. */
struct code_row {
    struct span shape, role, value, lengths;
    size_t line;
};
int plan_add(struct plan *p, const struct code_row *row, struct fault *f);

int plan_add_emergency(struct plan *p, struct span digits, struct fault *f);

/* After the last row: ERR_MISSING where a plan has no access prefix. */
int plan_check(const struct plan *p, struct fault *f);

#endif
