/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/plan.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "numbering/shape.h"
#include "numbering/tsv.h"

#define CODES_MAX 4096
#define CODE_DIGITS_MAX 30

int plan_new(struct plan *p, struct span iso, struct fault *f)
{
    struct plan fresh = {.iso = ""};
    int rc;

    if (iso.n == 0 || iso.n >= sizeof(fresh.iso))
        return fault(f, ERR_SYNTAX, "\"%s\" is no country: two capitals", ESCAPED(iso));
    rc = trie_new(&fresh.trie, f);
    if (rc)
        return rc;
    memcpy(fresh.iso, iso.p, iso.n);
    *p = fresh;
    return 0;
}

void plan_free(struct plan *p)
{
    trie_free(&p->trie);
    free(p->code);
    free(p->emergency);
    free(p->trunks);
    p->code = NULL;
    p->emergency = NULL;
    p->trunks = NULL;
}

static int grow(void **array, size_t *cap, size_t n, size_t size, struct fault *f)
{
    if (n < *cap)
        return 0;
    if (n >= CODES_MAX)
        return fault(f, ERR_FULL, "more than %d codes in one plan", CODES_MAX);
    size_t more = *cap ? 2 * *cap : 8;
    void *p = reallocarray(*array, more, size);

    if (!p)
        return fault_nomem(f);
    *array = p;
    *cap = more;
    return 0;
}

/* Stores the code and gives its index, which is never 0. */
static int keep(struct plan *p, const struct code *code, uint16_t *index, struct fault *f)
{
    size_t n = p->n_codes ? p->n_codes : 1;
    int rc = grow((void **)&p->code, &p->cap_codes, n, sizeof(*p->code), f);

    if (rc)
        return rc;
    p->code[n] = *code;
    p->n_codes = n + 1;
    *index = (uint16_t)n;
    return 0;
}

static bool is_stripped(enum code_role role)
{
    switch (role) {
    case ROLE_ACCESS:
    case ROLE_CARRIER:
    case ROLE_PREFIX:
    case ROLE_FORWARD:
    case ROLE_RELAY:
    case ROLE_OPERATOR: return true;
    case ROLE_NUMBER:
    case ROLE_SHORT:
    case ROLE_LOCAL:
    case ROLE_NSN:
    case ROLE_TRUNK:
    case ROLE_INFIX: return false;
    }
    return false;
}

/* Lays the code into the trie. At a node that two rows reach, the narrower one stands. */
static int lay(struct plan *p, struct span shape, struct code code, struct fault *f)
{
    int slot = is_stripped(code.role) ? PLAN_STRIP : PLAN_WHOLE;
    struct shape_ends ends = {NULL, 0, 0, 0};
    uint16_t index = 0;
    int rc = shape_lay(&p->trie, shape, &ends, f);

    if (rc)
        return rc;
    code.width = (uint16_t)ends.n;
    if (ends.longest > PLAN_SHAPE_MAX)
        rc = fault(f, ERR_RANGE, "\"%s\" is longer than %d keys", ESCAPED(shape), PLAN_SHAPE_MAX);
    else
        rc = keep(p, &code, &index, f);
    for (size_t i = 0; rc == 0 && i < ends.n; i++) {
        uint16_t *at = &p->trie.nodes[ends.nodes[i]].value[slot];
        const struct code *there = &p->code[*at];

        if (*at && there->width == code.width)
            rc =
                fault(f, ERR_EXISTS, "\"%s\" says what line %zu says", ESCAPED(shape), there->line);
        else if (!*at || there->width > code.width)
            *at = index;
    }
    shape_ends_free(&ends);
    return rc;
}

static bool all_digits(struct span s)
{
    return s.n > 0 && span_all_digits(s);
}

static int span_order(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Sorted and without repetition, digits only. */
int plan_add_emergency(struct plan *p, struct span digits, struct fault *f)
{
    size_t at = 0;
    int rc;

    if (!all_digits(digits) || digits.n > CODE_DIGITS_MAX)
        return fault(f, ERR_SYNTAX, "\"%s\" is no emergency number: digits only", ESCAPED(digits));
    while (at < p->n_emergency && span_order(p->emergency[at], digits) < 0)
        at++;
    if (at < p->n_emergency && span_eq(p->emergency[at], digits))
        return 0;

    struct shape_ends ends = {NULL, 0, 0, 0};

    rc = shape_lay(&p->trie, digits, &ends, f);
    if (rc)
        return rc;
    uint16_t node = ends.nodes[0];

    shape_ends_free(&ends);
    rc = grow((void **)&p->emergency, &p->cap_emergency, p->n_emergency, sizeof(*p->emergency), f);
    if (rc)
        return rc;
    p->trie.nodes[node].value[PLAN_EMERGENCY] = 1;
    memmove(p->emergency + at + 1, p->emergency + at,
            (p->n_emergency - at) * sizeof(*p->emergency));
    p->emergency[at] = digits;
    p->n_emergency++;
    if (p->longest_emergency < digits.n)
        p->longest_emergency = digits.n;
    return 0;
}

/* The shortest access prefix, of those the first: "00" before "001". */
struct shortest {
    char best[8], path[8];
};

static void shortest_access(const struct plan *p, uint16_t node, size_t depth, struct shortest *s)
{
    uint16_t index = p->trie.nodes[node].value[PLAN_STRIP];

    if (index && p->code[index].role == ROLE_ACCESS && (!s->best[0] || depth < strlen(s->best))) {
        memcpy(s->best, s->path, depth);
        s->best[depth] = '\0';
    }
    for (int k = 0; k < 10 && depth + 1 < sizeof(s->path); k++) {
        uint16_t child = p->trie.nodes[node].child[k];

        s->path[depth] = (char)('0' + k);
        if (child)
            shortest_access(p, child, depth + 1, s);
    }
}

static int set_access(struct plan *p, struct span digits, struct fault *f)
{
    if (!all_digits(digits) || digits.n >= sizeof(p->access))
        return fault(f, ERR_SYNTAX, "access prefix \"%s\": 1 to %zu digits", ESCAPED(digits),
                     sizeof(p->access) - 1);
    memset(p->access, 0, sizeof(p->access));
    memcpy(p->access, digits.p, digits.n);
    return 0;
}

static int add_emergencies(struct plan *p, struct span list, struct fault *f)
{
    struct span others;

    p->first_emergency = span_cut(list, ',', &others);
    for (struct span rest = list; rest.n;) {
        struct span one = span_cut(rest, ',', &rest);
        int rc = plan_add_emergency(p, one, f);

        if (rc)
            return rc;
    }
    return 0;
}

/* iso, name_en, cc, international_prefix_regex, preferred_international_prefix, national_prefix,
 * national_prefix_for_parsing, transform, emergency_numbers, note. The columns for parsing are
 * libphonenumber's way to strip carriers; ours are the rows of codes.tsv. */
int plan_describe(struct plan *p, const struct span *cells, struct fault *f)
{
    struct span cc = cells[2], prefix = cells[3], preferred = cells[4], trunk = cells[5];
    struct shortest s = {"", ""};
    int rc;

    if (cc.n < 2 || cc.n > 4 || cc.p[0] != '+' || !all_digits(span_skip(cc, 1)))
        return fault(f, ERR_SYNTAX, "\"%s\" is no country code: + and 1 to 3 digits", ESCAPED(cc));
    if (trunk.n && !all_digits(trunk))
        return fault(f, ERR_SYNTAX, "national prefix \"%s\": digits only", ESCAPED(trunk));
    p->cc = span_skip(cc, 1);
    p->trunk = trunk;
    rc = lay(p, prefix, (struct code){.role = ROLE_ACCESS}, f);
    if (rc)
        return rc;
    shortest_access(p, 0, 0, &s);
    /* "8~10": the tilde is a tone that people wait for. */
    if (preferred.n && all_digits(preferred))
        rc = set_access(p, preferred, f);
    else
        rc = set_access(p, span_of(s.best), f);
    return rc ? rc : add_emergencies(p, cells[8], f);
}

static int role_of(struct span word, enum code_role *role, struct fault *f)
{
    static const char *const roles[] = {
        [ROLE_ACCESS] = "access",   [ROLE_CARRIER] = "carrier", [ROLE_PREFIX] = "prefix",
        [ROLE_FORWARD] = "forward", [ROLE_RELAY] = "relay",     [ROLE_OPERATOR] = "operator",
        [ROLE_NUMBER] = "number",   [ROLE_SHORT] = "short",     [ROLE_LOCAL] = "local",
        [ROLE_NSN] = "nsn",         [ROLE_TRUNK] = "trunk",     [ROLE_INFIX] = "infix",
    };

    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (span_is(word, roles[i])) {
            *role = (enum code_role)i;
            return 0;
        }
    }
    return fault(f, ERR_SYNTAX,
                 "role \"%s\": allowed are access, carrier, prefix, forward, relay, operator, "
                 "number, short, local, nsn, trunk, infix, emergency, urn, letters",
                 ESCAPED(word));
}

/* "NATIONAL geographic", "FREEPHONE" */
static int class_of(struct span value, struct code *code, struct fault *f)
{
    struct span kind, class = span_cut(value, ' ', &kind);
    int c = CLASS_EMERGENCY, k = KIND_NONE;

    while (c <= CLASS_UNKNOWN && !span_is(class, number_class_name((enum number_class)c)))
        c++;
    if (c > CLASS_UNKNOWN)
        return fault(f, ERR_SYNTAX, "\"%s\" is no class such as NATIONAL or FREEPHONE",
                     ESCAPED(class));
    if (kind.n) {
        k = KIND_NONE + 1;
        while (k <= KIND_HELP && !span_is(kind, number_kind_name((enum number_kind)k)))
            k++;
        if (k > KIND_HELP)
            return fault(f, ERR_SYNTAX, "\"%s\" is no kind such as geographic or mobile",
                         ESCAPED(kind));
    }
    /* These say what was dialled, not what a range is; a table must not grant them. */
    if (c == CLASS_EMERGENCY || c == CLASS_INTERNAL || c == CLASS_FORWARDING ||
        c == CLASS_MALFORMED)
        return fault(f, ERR_RANGE, "class %s is not for the tables to give",
                     number_class_name((enum number_class)c));
    code->class = (enum number_class)c;
    code->kind = (enum number_kind)k;
    return 0;
}

static int set_prefix(struct plan *p, struct code *code, const struct code_row *row,
                      struct fault *f)
{
    char *again = NULL;

    if (span_is(row->value, "withhold")) {
        code->presentation = PRESENTATION_WITHHOLD;
        again = p->withhold;
    } else if (span_is(row->value, "send")) {
        code->presentation = PRESENTATION_SEND;
        again = p->send;
    } else if (!span_is(row->value, "-")) {
        return fault(f, ERR_SYNTAX, "value \"%s\": a prefix has withhold, send or -",
                     ESCAPED(row->value));
    }
    if (!again || again[0])
        return 0;
    if (row->shape.n >= sizeof(p->withhold))
        return fault(f, ERR_RANGE, "a caller-ID prefix has at most %zu keys",
                     sizeof(p->withhold) - 1);
    for (size_t i = 0; i < row->shape.n; i++)
        if (trie_key(row->shape.p[i]) < 0)
            return fault(f, ERR_SYNTAX, "a caller-ID prefix is one code, not a shape");
    memcpy(again, row->shape.p, row->shape.n);
    return 0;
}

static int set_digits(struct span *to, struct span digits, struct fault *f)
{
    if (!all_digits(digits) || digits.n > PLAN_PUT_MAX)
        return fault(f, ERR_SYNTAX, "value \"%s\": this role takes 1 to %d digits", ESCAPED(digits),
                     PLAN_PUT_MAX);
    *to = digits;
    return 0;
}

static int set_trunk(struct plan *p, struct code *code, const struct code_row *row, struct fault *f)
{
    int rc = set_digits(&code->drop, row->value, f);

    if (rc == 0 && !span_starts(row->shape, code->drop))
        rc = fault(f, ERR_SYNTAX, "\"%s\" does not begin with the trunk prefix %s",
                   ESCAPED(row->shape), ESCAPED(code->drop));
    if (rc == 0 && p->other_trunk.n && !span_eq(p->other_trunk, code->drop))
        rc = fault(f, ERR_SYNTAX, "plan %s has another trunk prefix already, %s", p->iso,
                   ESCAPED(p->other_trunk));
    if (rc == 0)
        p->other_trunk = code->drop;
    return rc;
}

/* "15>9" */
static int set_infix(struct code *code, const struct code_row *row, struct fault *f)
{
    struct span put, drop = span_cut(row->value, '>', &put), shape = row->shape;
    int rc = set_digits(&code->drop, drop, f);

    if (rc == 0)
        rc = set_digits(&code->put, put, f);
    if (rc == 0 && (shape.n <= drop.n || memcmp(shape.p + shape.n - drop.n, drop.p, drop.n) != 0))
        rc = fault(f, ERR_SYNTAX, "\"%s\" does not end with the infix %s", ESCAPED(shape),
                   ESCAPED(drop));
    return rc;
}

/* What `value` means depends on the role. */
static int set_value(struct plan *p, struct code *code, const struct code_row *row, struct fault *f)
{
    switch (code->role) {
    case ROLE_ACCESS:
        if (span_is(row->value, "canonical"))
            return set_access(p, row->shape, f);
        break;
    case ROLE_PREFIX: return set_prefix(p, code, row, f);
    case ROLE_FORWARD:
        if (span_is(row->value, "#")) {
            code->closing = '#';
            return 0;
        }
        break;
    case ROLE_NSN:
        if (span_is(row->value, "keep")) {
            code->keep = p->keeps = true;
            return 0;
        }
        break;
    case ROLE_CARRIER:
        if (span_is(row->value, "area")) {
            code->area = true;
            return 0;
        }
        break;
    case ROLE_LOCAL:
        if (span_is(row->value, "-"))
            return 0;
        return set_digits(&code->put, row->value, f);
    case ROLE_TRUNK: return set_trunk(p, code, row, f);
    case ROLE_INFIX: return set_infix(code, row, f);
    case ROLE_RELAY:
    case ROLE_NUMBER:
    case ROLE_SHORT: return class_of(row->value, code, f);
    case ROLE_OPERATOR: break;
    }
    if (span_is(row->value, "-"))
        return 0;
    return fault(f, ERR_SYNTAX, "value \"%s\" is not one of this role", ESCAPED(row->value));
}

static int add_urn(struct plan *p, const struct code_row *row, struct fault *f)
{
    if (p->n_urns == PLAN_URNS_MAX)
        return fault(f, ERR_FULL, "more than %d emergency services in one plan", PLAN_URNS_MAX);
    if (!all_digits(row->value) || row->value.n > CODE_DIGITS_MAX)
        return fault(f, ERR_SYNTAX, "\"%s\" is no number for an emergency service: digits only",
                     ESCAPED(row->value));
    p->urn[p->n_urns].service = row->shape;
    p->urn[p->n_urns++].number = row->value;
    return 0;
}

int plan_add(struct plan *p, const struct code_row *row, struct fault *f)
{
    struct code code = {.line = row->line};
    int rc;

    if (span_is(row->role, "letters")) {
        p->letters = true;
        return 0;
    }
    if (span_is(row->role, "urn"))
        return add_urn(p, row, f);
    if (span_is(row->role, "emergency"))
        return plan_add_emergency(p, row->shape, f);
    rc = role_of(row->role, &code.role, f);
    if (rc == 0)
        rc = set_value(p, &code, row, f);
    if (rc == 0 && !span_is(row->lengths, "-"))
        rc = tsv_lengths(row->lengths, CODE_DIGITS_MAX, &code.lengths, f);
    if (rc)
        return rc;
    /* dialplans.tsv may have the same access prefix already; to name it again is no mistake. */
    if (code.role == ROLE_ACCESS) {
        const struct trie_node *node = &p->trie.nodes[trie_find(&p->trie, row->shape)];

        if (node->value[PLAN_STRIP] && p->code[node->value[PLAN_STRIP]].role == ROLE_ACCESS)
            return 0;
    }
    if (code.role == ROLE_TRUNK)
        rc = grow((void **)&p->trunks, &p->cap_trunks, p->n_trunks, sizeof(*p->trunks), f);
    if (rc == 0)
        rc = lay(p, row->shape, code, f);
    if (rc == 0 && code.role == ROLE_TRUNK)
        p->trunks[p->n_trunks++] = (uint16_t)(p->n_codes - 1);
    if (rc == 0 && code.role == ROLE_INFIX && !p->infix)
        p->infix = (uint16_t)(p->n_codes - 1);
    return rc;
}

int plan_check(const struct plan *p, struct fault *f)
{
    if (p->access[0])
        return 0;
    return fault(f, ERR_MISSING, "plan %s has no access prefix", p->iso);
}
