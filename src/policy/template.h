/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_TEMPLATE_H
#define SEKISHO_POLICY_TEMPLATE_H

#include "numbering/atlas.h"
#include "policy/minimal.h"

/*
 * Lists that people ask for by name: "only these countries", "all but high risk". A template says what
 * is to be open behind the access prefix; the list is computed for one dial plan from its atlas.
 *
 * What a template does not name is closed: other countries, the own country by way of the access
 * prefix, numbers that nobody has. Of what it names, ranges that cost more than an ordinary call
 * (premium, shared cost, personal, satellite, revenue share) are closed as well, and so is a prefix at
 * which such numbers and ordinary ones differ only by their length. Calls that an operator completes are closed
 * by any restriction behind the access prefix. Own-country numbers dialled as such are not touched.
 */
enum template_opens {
    TEMPLATE_NOTHING,
    TEMPLATE_COUNTRIES,    /* fixed ones, or those that are given */
    TEMPLATE_PREFIX,       /* E.164 digits */
    TEMPLATE_NO_HIGH_RISK, /* wherever there is less than high risk */
};

struct template_words {
    const char *title, *text; /* a heading; a sentence or two */
};

struct template
{
    const char *name; /* "us-canada" */
    enum template_opens opens;
    const char *const *countries; /* TEMPLATE_COUNTRIES: up to NULL; NULL: they are given */
    const char *prefix;           /* TEMPLATE_PREFIX: "1212" */
    struct template_words en, ja;
};

size_t template_count(void);
const struct template *template_at(size_t i);
const struct template *template_find(struct span name); /* NULL where there is none */

/* Whether countries have to be given with it. */
bool template_takes_countries(const struct template *t);

#define TEMPLATE_COUNTRIES_MAX 250

/* What is given with a template. */
struct template_wish {
    const struct template *template;
    const struct span *countries; /* ISO 3166-1 alpha-2, any case */
    size_t n_countries;
};

/* The computed list; borrows nothing. */
struct template_list;

/*
 * With exceptions the list begins with a restriction of the access prefix itself: so it holds whatever
 * shorter rules the owner has, and what exceptions open is closed again when they end. Refused with a
 * sentence: countries missing, too many or not asked for (ERR_SYNTAX), one that no number of the plan
 * behind the access prefix is in (ERR_MISSING; `*wrong`, unless `wrong` is NULL, says which).
 */
int template_new(struct template_list **out, const struct template_wish *wish,
                 const struct atlas *atlas, enum minimal_form form, size_t *wrong, struct fault *f);
void template_free(struct template_list *list);

size_t template_rules(const struct template_list *list);
/* Rule `i`, sorted by prefix, without until and schedule; its prefix lives as long as the list. */
struct rule template_rule(const struct template_list *list, size_t i);

/* The mandatory rule of an owner that says for some time only what the list says for good; NULL where there is
 * none. To such an owner the list cannot be applied, since none has two rules of one action and prefix. */
const struct rule *template_clash(const struct template_list *list, const struct rule *before,
                                  size_t n);

/*
 * The rules of an owner to whom the list is applied. Of his own before, those that begin with the access
 * prefix are replaced, but for mandatory ones; all others stay, shorter ones too, since they hold for
 * numbers of the own country as well. `terms` are until and schedule of the exceptions that the list
 * opens; nothing else of it is read. `out` has room for `n` + template_rules(); returns how many there
 * are. Prefixes and schedules are borrowed from where they came from.
 */
size_t template_apply(const struct template_list *list, struct span access,
                      const struct rule *before, size_t n, const struct rule *terms,
                      struct rule *out);

#endif
