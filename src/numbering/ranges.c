/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/ranges.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "numbering/shape.h"

#define E164_DIGITS_MAX 15
/* Rows that a table may have; far beyond any real one, far below what a uint16_t counts. */
#define ROWS_MAX 20000

/* Makes room for one more element and zeroes it; the index of the new one, 0 when there is none. */
static int grow(void **array, size_t *n, size_t *cap, size_t size, struct fault *f)
{
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 64;
        void *p = *n < ROWS_MAX ? reallocarray(*array, more, size) : NULL;

        if (!p && *n >= ROWS_MAX)
            return fault(f, ERR_FULL, "more than %d rows", ROWS_MAX);
        if (!p)
            return fault_nomem(f);
        *array = p;
        *cap = more;
    }
    memset((char *)*array + *n * size, 0, size);
    ++*n;
    return 0;
}

static int add_range(struct ranges *r, struct fault *f)
{
    int rc = grow((void **)&r->range, &r->n_ranges, &r->cap_ranges, sizeof(*r->range), f);

    if (rc == 0)
        r->range[r->n_ranges - 1].risk = -1;
    return rc;
}

static int add_country(struct ranges *r, struct fault *f)
{
    return grow((void **)&r->country, &r->n_countries, &r->cap_countries, sizeof(*r->country), f);
}

static int add_calling_code(struct ranges *r, struct fault *f)
{
    return grow((void **)&r->code, &r->n_codes, &r->cap_codes, sizeof(*r->code), f);
}

int ranges_new(struct ranges *r, struct fault *f)
{
    struct ranges fresh = {0};
    int rc = trie_new(&fresh.trie, f);

    if (rc == 0)
        rc = add_range(&fresh, f);
    if (rc == 0)
        rc = add_country(&fresh, f);
    if (rc == 0)
        rc = add_calling_code(&fresh, f);
    if (rc) {
        ranges_free(&fresh);
        return rc;
    }
    *r = fresh;
    return 0;
}

void ranges_free(struct ranges *r)
{
    trie_free(&r->trie);
    free(r->range);
    free(r->country);
    free(r->code);
    *r = (struct ranges){0};
}

/* The range at exactly `prefix`, made where it was missing. */
static int range_at(struct ranges *r, struct span prefix, struct range **out, struct fault *f)
{
    uint16_t node = 0;

    if (prefix.n == 0 || prefix.n > E164_DIGITS_MAX)
        return fault(f, ERR_SYNTAX, "\"%s\" is no prefix: 1 to %d digits", ESCAPED(prefix),
                     E164_DIGITS_MAX);
    for (size_t i = 0; i < prefix.n; i++) {
        int key = trie_key(prefix.p[i]);
        int rc;

        if (key < 0 || key > 9)
            return fault(f, ERR_SYNTAX, "\"%s\" is no prefix: digits only", ESCAPED(prefix));
        rc = trie_grow(&r->trie, node, (unsigned)key, &node, f);
        if (rc)
            return rc;
    }
    uint16_t *index = &r->trie.nodes[node].value[0];

    if (*index == 0) {
        int rc = add_range(r, f);

        if (rc)
            return rc;
        *index = (uint16_t)(r->n_ranges - 1);
    }
    *out = &r->range[*index];
    return 0;
}

static bool is_iso(struct span s)
{
    if (span_is(s, "001"))
        return true;
    return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

int ranges_country(struct ranges *r, struct span iso, const char *name_en, const char *name_ja,
                   uint16_t *index, struct fault *f)
{
    if (!is_iso(iso))
        return fault(f, ERR_SYNTAX, "\"%s\" is no country: two capitals, or 001 for none",
                     ESCAPED(iso));
    for (size_t i = 1; i < r->n_countries; i++) {
        const struct country *c = &r->country[i];

        /* "001" is many: each global service under its own name. */
        if (span_is(iso, c->iso) && (iso.n == 2 || strcmp(c->name_en, name_en) == 0)) {
            *index = (uint16_t)i;
            return 0;
        }
    }
    int rc = add_country(r, f);

    if (rc)
        return rc;
    struct country *c = &r->country[r->n_countries - 1];

    memcpy(c->iso, iso.p, iso.n);
    c->name_en = name_en;
    c->name_ja = name_ja;
    *index = (uint16_t)(r->n_countries - 1);
    return 0;
}

/* prefix, iso, name_en, name_ja, note */
int ranges_add_country(struct ranges *r, const struct span *cells, struct fault *f)
{
    struct range *range = NULL;
    uint16_t country = 0;
    int rc;

    if (!cells[2].n || !cells[3].n)
        return fault(f, ERR_SYNTAX, "a name is missing");
    if (!span_is(cells[1], "-")) {
        rc = ranges_country(r, cells[1], cells[2].p, cells[3].p, &country, f);
        if (rc)
            return rc;
    }
    rc = range_at(r, cells[0], &range, f);
    if (rc)
        return rc;
    if (range->country)
        return fault(f, ERR_EXISTS, "%s stands here a second time", ESCAPED(cells[0]));
    /* "-" is a statement too: what is under this prefix belongs to nobody. */
    range->country = country ? country : UINT16_MAX;
    return 0;
}

/* The first two digits of the codes that `shape` stands for. */
static int beginnings(struct span shape, struct calling_code *code, struct fault *f)
{
    struct shape_ends ends = {NULL, 0, 0, 0};
    struct trie t;
    int rc = trie_new(&t, f);

    if (rc)
        return rc;
    rc = shape_lay(&t, shape, &ends, f);
    for (unsigned a = 0; rc == 0 && a < 10; a++) {
        uint16_t first = t.nodes[0].child[a];

        for (unsigned b = 0; first && b < 10; b++)
            if (t.nodes[first].child[b])
                code->begins[a] |= (uint16_t)(1u << b);
        if (first && !code->begins[a])
            code->begins[a] = 0x3ff;
    }
    shape_ends_free(&ends);
    trie_free(&t);
    return rc;
}

/* prefix, lengths, begins, areas, note */
int ranges_add_code(struct ranges *r, const struct span *cells, struct fault *f)
{
    struct calling_code code = {.listed = span_is(cells[3], "listed")};
    struct range *range = NULL;
    int rc = 0;

    if (!code.listed && !span_is(cells[3], "-"))
        return fault(f, ERR_SYNTAX, "areas are \"%s\", and must be \"listed\" or \"-\"",
                     ESCAPED(cells[3]));
    if (cells[0].n > 3)
        return fault(f, ERR_SYNTAX, "\"%s\" is no country calling code: 1 to 3 digits",
                     ESCAPED(cells[0]));
    if (!span_is(cells[1], "-"))
        rc = tsv_lengths(cells[1], E164_DIGITS_MAX - 1, &code.lengths, f);
    if (rc == 0 && !span_is(cells[2], "-"))
        rc = beginnings(cells[2], &code, f);
    if (rc == 0)
        rc = range_at(r, cells[0], &range, f);
    if (rc == 0 && range->code)
        rc = fault(f, ERR_EXISTS, "%s stands here a second time", ESCAPED(cells[0]));
    if (rc == 0)
        rc = add_calling_code(r, f);
    if (rc)
        return rc;
    r->code[r->n_codes - 1] = code;
    range->code = (uint16_t)(r->n_codes - 1);
    return 0;
}

/* The kinds of e164-risk.tsv. Where a personal number rings nobody can tell; universal access numbers
 * and VoIP are no risk by themselves. NULL ends. */
static const struct {
    const char *word;
    enum number_kind kind;
} kinds[] = {
    {"PREMIUM_RATE", KIND_PREMIUM},
    {"SHARED_COST", KIND_SHARED_COST},
    {"PERSONAL", KIND_RISK},
    {"SATELLITE", KIND_SATELLITE},
    {"INTL_NETWORK", KIND_RISK},
    {"UPT", KIND_RISK},
    {"UAN", KIND_NONE},
    {"VOIP", KIND_NONE},
    {NULL, KIND_NONE},
};

/* prefix, country, class, nsn_lengths, note */
int ranges_add_kind(struct ranges *r, const struct span *cells, struct fault *f)
{
    uint32_t lengths = UINT16_MAX;
    struct range *range = NULL;
    size_t k = 0;
    int rc = 0;

    while (kinds[k].word && !span_is(cells[2], kinds[k].word))
        k++;
    if (!kinds[k].word)
        return fault(f, ERR_SYNTAX,
                     "class \"%s\": allowed are PREMIUM_RATE, SHARED_COST, PERSONAL, SATELLITE, "
                     "INTL_NETWORK, UPT, UAN, VOIP",
                     ESCAPED(cells[2]));
    if (cells[3].n)
        rc = tsv_lengths(cells[3], E164_DIGITS_MAX, &lengths, f);
    if (rc == 0)
        rc = range_at(r, cells[0], &range, f);
    if (rc)
        return rc;
    /* A mixed range holds ordinary numbers as well: good for a warning, not for a kind. */
    if (kinds[k].kind == KIND_NONE || span_starts(cells[4], SPAN("mixed")))
        return 0;
    /* Countries that share a calling code repeat each other. */
    if (range->kind == KIND_NONE)
        range->kind = (uint8_t)kinds[k].kind;
    range->lengths |= (uint16_t)lengths;
    return 0;
}

/* prefix, country, tier, evidence, evidence_quality */
int ranges_add_risk(struct ranges *r, const struct span *cells, struct fault *f)
{
    static const char *const tiers[] = {"low", "medium", "high"};
    struct range *range = NULL;
    int tier = 0;
    int rc;

    while (tier < 3 && !span_is(cells[2], tiers[tier]))
        tier++;
    if (tier == 3)
        return fault(f, ERR_SYNTAX, "tier \"%s\": allowed are low, medium, high",
                     ESCAPED(cells[2]));
    rc = range_at(r, cells[0], &range, f);
    if (rc)
        return rc;
    if (range->risk >= 0)
        return fault(f, ERR_EXISTS, "%s stands here a second time", ESCAPED(cells[0]));
    range->risk = (int8_t)(RISK_LOW + tier);
    /* Shared-cost numbers are honest ones, except where a range is accused itself. */
    if (tier > 0 && range->kind == KIND_SHARED_COST)
        range->kind = KIND_RISK;
    return 0;
}

int ranges_trunk(struct ranges *r, struct span cc, struct span iso, struct span trunk,
                 struct fault *f)
{
    uint16_t node = trie_find(&r->trie, cc);
    const struct range *range = &r->range[r->trie.nodes[node].value[0]];

    if (!node || !range->code)
        return fault(f, ERR_MISSING, "country code +%s has no row in lengths.tsv", ESCAPED(cc));
    if (!range->country)
        return fault(f, ERR_MISSING, "country code +%s has no row in e164.tsv", ESCAPED(cc));
    struct calling_code *code = &r->code[range->code];
    bool is_main = range->country != UINT16_MAX && span_is(iso, r->country[range->country].iso);

    if (trunk.n >= sizeof(code->trunk))
        return fault(f, ERR_RANGE, "national prefix \"%s\" is longer than %zu digits",
                     ESCAPED(trunk), sizeof(code->trunk) - 1);
    if (is_main || code->trunk[0] == '\0') {
        memset(code->trunk, 0, sizeof(code->trunk));
        if (trunk.n)
            memcpy(code->trunk, trunk.p, trunk.n);
    }
    return 0;
}

bool ranges_shared(const struct ranges *r, struct span cc, struct span iso)
{
    const struct range *range = &r->range[r->trie.nodes[trie_find(&r->trie, cc)].value[0]];

    return r->code[range->code].listed || range->country == UINT16_MAX ||
           !span_is(iso, r->country[range->country].iso);
}

/* Every node under which a country was named must lie at or below a country calling code. */
static int check_below(const struct ranges *r, uint16_t node, bool coded, char *path, size_t depth,
                       struct fault *f)
{
    const struct range *range = &r->range[r->trie.nodes[node].value[0]];
    bool named = range->country && range->country != UINT16_MAX;

    coded = coded || range->code;
    if (named && !coded)
        return fault(f, ERR_MISSING, "+%s of e164.tsv has no country code in lengths.tsv", path);
    if (depth == E164_DIGITS_MAX || coded)
        return 0;
    for (int k = 0; k < 10; k++) {
        uint16_t child = r->trie.nodes[node].child[k];
        int rc;

        path[depth] = (char)('0' + k);
        path[depth + 1] = '\0';
        rc = child ? check_below(r, child, coded, path, depth + 1, f) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

int ranges_check(const struct ranges *r, struct fault *f)
{
    char path[E164_DIGITS_MAX + 1] = "";

    return check_below(r, 0, false, path, 0, f);
}

/* One walk down the trie, from the country code on knowing how long the national number is. */
struct walk {
    const struct range *last_country;
    const struct calling_code *code;
    size_t cc;         /* digits of the code */
    size_t country_at; /* digits of the prefix that named the country */
    bool exhausted;    /* all digits were steps of the trie */
    enum number_kind kind;
    enum number_risk risk;
};

static void walk(const struct ranges *r, struct span digits, struct walk *w)
{
    size_t nsn_length = 0;
    uint16_t node = 0;

    *w = (struct walk){0};
    for (size_t i = 0; i < digits.n; i++) {
        node = trie_step(&r->trie, node, digits.p[i]);
        if (!node)
            return;
        const struct range *range = &r->range[r->trie.nodes[node].value[0]];

        if (range->country) {
            w->last_country = range;
            w->country_at = i + 1;
        }
        if (range->code) {
            w->code = &r->code[range->code];
            w->cc = i + 1;
            nsn_length = digits.n - w->cc;
        }
        if (range->risk >= 0)
            w->risk = (enum number_risk)range->risk;
        if (nsn_length < 16 && range->lengths & 1u << nsn_length)
            w->kind = (enum number_kind)range->kind;
    }
    w->exhausted = true;
}

static bool can_begin(const struct calling_code *code, struct span nsn)
{
    uint16_t second = nsn.n ? code->begins[nsn.p[0] - '0'] : 1;

    return nsn.n < 2 ? second != 0 : (second & 1u << (nsn.p[1] - '0')) != 0;
}

static bool can_be_long(const struct calling_code *code, size_t n)
{
    return n < 32 && (code->lengths & UINT32_C(1) << n) != 0;
}

/* A national number of n digits, or of more, can exist. */
static bool can_grow(const struct calling_code *code, size_t n)
{
    return n < 32 && code->lengths >> n != 0;
}

/* "+44 (0)20 ..." and "010 44 020 ...": the habit of writing the trunk prefix behind the country
 * code. It goes where no number could begin so, or none be so long, but one without it could. */
static struct span without_trunk(const struct calling_code *code, struct span nsn)
{
    struct span trunk = span_of(code->trunk);

    if (!trunk.n || !span_starts(nsn, trunk))
        return nsn;
    if (trunk.p[0] != '0' && !can_be_long(code, nsn.n - trunk.n))
        return nsn;
    if (can_begin(code, nsn) && (can_be_long(code, nsn.n) || !can_be_long(code, nsn.n - trunk.n)))
        return nsn;
    return span_skip(nsn, trunk.n);
}

static enum range_status judge(const struct walk *w, struct span nsn)
{
    if (!can_grow(w->code, nsn.n) || (nsn.n && nsn.p[0] == '0' && !can_begin(w->code, nsn)))
        return RANGE_INVALID;
    bool whole = can_be_long(w->code, nsn.n);

    if (w->code->listed && w->country_at <= w->cc) {
        if (!can_begin(w->code, nsn))
            return RANGE_INVALID;
        return whole ? RANGE_UNLISTED : w->exhausted ? RANGE_SHORT : RANGE_INVALID;
    }
    if (whole)
        return RANGE_VALID;
    return can_begin(w->code, nsn) ? RANGE_SHORT : RANGE_INVALID;
}

enum range_status ranges_find(const struct ranges *r, struct span digits, struct range_found *out)
{
    enum range_status status;
    struct walk w;

    if (!span_all_digits(digits))
        return RANGE_INVALID;
    walk(r, digits, &w);
    if (!w.code || !w.last_country)
        return w.exhausted ? RANGE_SHORT : RANGE_INVALID;

    struct span nsn = without_trunk(w.code, span_skip(digits, w.cc));
    char *whole = out->e164 + 1;
    size_t cc = w.cc;

    if (w.last_country->country == UINT16_MAX || cc + nsn.n > E164_DIGITS_MAX)
        return RANGE_INVALID;
    bytes_copy(whole, (struct span){digits.p, cc});
    bytes_copy(whole + cc, nsn);
    whole[cc + nsn.n] = '\0';
    if (cc + nsn.n < digits.n)
        walk(r, (struct span){whole, cc + nsn.n}, &w);
    if (w.last_country->country == UINT16_MAX)
        return RANGE_INVALID;
    status = judge(&w, nsn);
    if (status != RANGE_VALID)
        return status;
    out->country = &r->country[w.last_country->country];
    out->kind = w.kind;
    out->risk = w.risk;
    out->cc = cc;
    out->e164[0] = '+';
    return RANGE_VALID;
}
