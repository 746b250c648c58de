/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_RANGES_H
#define SEKISHO_NUMBERING_RANGES_H

#include "numbering/number.h"
#include "numbering/trie.h"
#include "numbering/tsv.h"

/*
 * The world's numbers: which country, kind and risk an E.164 number has, and whether one of that
 * length can exist. Built row by row, then read only.
 */
struct ranges {
    struct trie trie;    /* over E.164 digits; value 0 is an index into `range` */
    struct range *range; /* [0] unused */
    size_t n_ranges, cap_ranges;
    struct country *country; /* [0] is the "country" of numbers that nobody has */
    size_t n_countries, cap_countries;
    struct calling_code *code; /* [0] unused */
    size_t n_codes, cap_codes;
};

/* What the tables say at one prefix. */
struct range {
    uint16_t country; /* 0 says nothing */
    uint16_t code;    /* 0: the prefix is no country calling code */
    uint16_t lengths; /* bit n: `kind` holds for national numbers of n digits */
    uint8_t kind;     /* enum number_kind */
    int8_t risk;      /* enum number_risk, or -1: says nothing */
};

/* A country calling code. */
struct calling_code {
    uint32_t lengths;    /* bit n: a national number of n digits can exist */
    uint16_t begins[10]; /* bit b of [a]: one that begins with ab can */
    bool listed;         /* only numbers under a longer prefix of the table exist */
    char trunk[4];       /* what people put before a national number at home, and by habit abroad */
};

int ranges_new(struct ranges *r, struct fault *f);
void ranges_free(struct ranges *r);

/* Rows of e164.tsv, lengths.tsv, e164-risk.tsv and irsf-risk.tsv, in this order. The names in
 * `cells` are kept as pointers and must be NUL-terminated and outlive the ranges. */
int ranges_add_country(struct ranges *r, const struct span *cells, struct fault *f);
int ranges_add_code(struct ranges *r, const struct span *cells, struct fault *f);
int ranges_add_kind(struct ranges *r, const struct span *cells, struct fault *f);
int ranges_add_risk(struct ranges *r, const struct span *cells, struct fault *f);

/* A country beside those of e164.tsv, or the one that is there already. */
int ranges_country(struct ranges *r, struct span iso, const char *name_en, const char *name_ja,
                   uint16_t *index, struct fault *f);

/* Sets what people put before national numbers of the country calling code `cc`; ERR_MISSING where
 * lengths.tsv or e164.tsv has no such code. A code that several countries share keeps what its main one says. */
int ranges_trunk(struct ranges *r, struct span cc, struct span iso, struct span trunk,
                 struct fault *f);

/* Do other countries have numbers under the country calling code of `iso`, too? */
bool ranges_shared(const struct ranges *r, struct span cc, struct span iso);

/* After the last row: ERR_MISSING where a country has no calling code with lengths. */
int ranges_check(const struct ranges *r, struct fault *f);

enum range_status {
    RANGE_VALID,
    RANGE_SHORT,    /* the beginning of numbers that can exist */
    RANGE_INVALID,  /* no such number can exist */
    RANGE_UNLISTED, /* well-formed, in an area that nobody has */
};

struct range_found {
    const struct country *country;
    enum number_kind kind;
    enum number_risk risk;
    size_t cc; /* digits of the country calling code */
    char e164
        [NUMBER_E164_MAX]; /* '+' and digits, without a trunk prefix that stood behind the code */
};

/* Understands E.164 digits (without '+'), which are not those of `out`; what is in there means something
 * only where the answer is RANGE_VALID. */
enum range_status ranges_find(const struct ranges *r, struct span digits, struct range_found *out);

#endif
