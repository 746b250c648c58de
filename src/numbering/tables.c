/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/tables.h"

#include <stdlib.h>

#include "numbering/plan.h"
#include "numbering/ranges.h"
#include "numbering/tsv.h"

/* The content of a table may be so long; the largest that ships has 60 KB. */
#define CONTENT_MAX (4u << 20)
#define PLANS_MAX 512

enum file { FILE_E164, FILE_LENGTHS, FILE_KINDS, FILE_RISKS, FILE_PLANS, FILE_CODES, FILES };

struct tables {
    char *content
        [FILES]; /* our copies, NUL-terminated; names, prefixes and numbers point into them */
    size_t length[FILES];
    struct ranges ranges;
    struct plan *plans; /* [0] is "*"; the others sorted by ISO code */
    size_t n_plans, cap_plans;
};

/* Ends every cell with a NUL, where its tab or line end was. */
static void terminate(const struct tsv *t, char *content)
{
    const struct span *cell = t->cells;

    for (size_t i = 0; i < t->n_columns; i++)
        content[cell[i].p + cell[i].n - content] = '\0';
}

static int take_e164(struct tables *t, struct tsv *in, char *content, struct fault *f)
{
    terminate(in, content);
    return ranges_add_country(&t->ranges, in->cells, f);
}

static int take_length(struct tables *t, struct tsv *in, char *content, struct fault *f)
{
    return ranges_add_code(&t->ranges, in->cells, f);
}

static int take_kind(struct tables *t, struct tsv *in, char *content, struct fault *f)
{
    return ranges_add_kind(&t->ranges, in->cells, f);
}

static int take_risk(struct tables *t, struct tsv *in, char *content, struct fault *f)
{
    return ranges_add_risk(&t->ranges, in->cells, f);
}

static struct plan *find_plan(const struct tables *t, struct span iso)
{
    size_t low = 1, high = t->n_plans;

    while (low < high) {
        size_t middle = (low + high) / 2;
        struct plan *p = &t->plans[middle];
        size_t n = strlen(p->iso);
        int order = strncasecmp(p->iso, iso.n ? iso.p : "", n < iso.n ? n : iso.n);

        order = order ? order : (n > iso.n) - (n < iso.n);
        if (order == 0)
            return p;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A new plan behind the others; rows come sorted by ISO code. */
static int add_plan(struct tables *t, struct span iso, struct plan **out, struct fault *f)
{
    if (t->n_plans > 1 && span_is(iso, t->plans[t->n_plans - 1].iso))
        return fault(f, ERR_EXISTS, "plan %s stands here a second time", ESCAPED(iso));
    if (t->n_plans == PLANS_MAX)
        return fault(f, ERR_FULL, "more than %d plans", PLANS_MAX);
    if (t->n_plans == t->cap_plans) {
        size_t cap = t->cap_plans ? 2 * t->cap_plans : 64;
        struct plan *plans = reallocarray(t->plans, cap, sizeof(*plans));

        if (!plans)
            return fault_nomem(f);
        t->plans = plans;
        t->cap_plans = cap;
    }
    int rc = plan_new(&t->plans[t->n_plans], iso, f);

    if (rc == 0)
        *out = &t->plans[t->n_plans++];
    return rc;
}

static int take_plan(struct tables *t, struct tsv *in, char *content, struct fault *f)
{
    struct span iso = in->cells[0];
    struct plan *p = NULL;
    int rc = 0;

    terminate(in, content);
    if (t->n_plans > 1 && strcmp(t->plans[t->n_plans - 1].iso, iso.p) > 0)
        return fault(f, ERR_RANGE, "plan %s is out of order: rows are sorted by ISO code",
                     ESCAPED(iso));
    if (!in->cells[1].n)
        return fault(f, ERR_SYNTAX, "a name is missing");
    rc = add_plan(t, iso, &p, f);
    if (rc == 0)
        rc = plan_describe(p, in->cells, f);
    /* A country that e164.tsv does not name has no Japanese name. */
    if (rc == 0)
        rc = ranges_country(&t->ranges, iso, in->cells[1].p, in->cells[1].p, &p->country_index, f);
    if (rc == 0)
        rc = ranges_trunk(&t->ranges, p->cc, iso, p->trunk, f);
    if (rc == 0)
        p->shares = ranges_shared(&t->ranges, p->cc, iso);
    return rc;
}

/* plan, shape, role, value, lengths, note */
static int take_code(struct tables *t, struct tsv *in, char *content, struct fault *f)
{
    struct code_row row = {in->cells[1], in->cells[2], in->cells[3], in->cells[4], in->line};

    if (span_is(in->cells[0], "*"))
        return plan_add(&t->plans[0], &row, f);
    for (struct span rest = in->cells[0]; rest.p;) {
        struct span iso = span_cut(rest, ',', &rest);
        struct plan *p = find_plan(t, iso);
        int rc = p ? plan_add(p, &row, f)
                   : fault(f, ERR_MISSING, "plan \"%s\" is not in dialplans.tsv", ESCAPED(iso));

        if (rc)
            return rc;
    }
    return 0;
}

static const char *const e164_columns[] = {"prefix", "iso", "name_en", "name_ja", "note"};
static const char *const length_columns[] = {"prefix", "lengths", "begins", "areas", "note"};
static const char *const kind_columns[] = {"prefix", "country", "class", "nsn_lengths", "note"};
static const char *const risk_columns[] = {"prefix", "country", "tier", "evidence",
                                           "evidence_quality"};
static const char *const plan_columns[] = {
    "iso",
    "name_en",
    "cc",
    "international_prefix_regex",
    "preferred_international_prefix",
    "national_prefix",
    "national_prefix_for_parsing",
    "transform",
    "emergency_numbers",
    "note",
};
static const char *const code_columns[] = {"plan", "shape", "role", "value", "lengths", "note"};

#define COLUMNS(c) c, sizeof(c) / sizeof((c)[0])

/* In the order in which they build on each other. */
static const struct {
    const char *name;
    const char *const *columns;
    size_t n_columns;
    int (*take)(struct tables *t, struct tsv *in, char *content, struct fault *f);
} formats[FILES] = {
    [FILE_E164] = {"e164.tsv", COLUMNS(e164_columns), take_e164},
    [FILE_LENGTHS] = {"lengths.tsv", COLUMNS(length_columns), take_length},
    [FILE_KINDS] = {"e164-risk.tsv", COLUMNS(kind_columns), take_kind},
    [FILE_RISKS] = {"irsf-risk.tsv", COLUMNS(risk_columns), take_risk},
    [FILE_PLANS] = {"dialplans.tsv", COLUMNS(plan_columns), take_plan},
    [FILE_CODES] = {"codes.tsv", COLUMNS(code_columns), take_code},
};

static int which_file(struct span name, enum file *out, struct fault *f)
{
    for (int i = 0; i < FILES; i++) {
        if (span_is(name, formats[i].name)) {
            *out = (enum file)i;
            return 0;
        }
    }
    return fault(f, ERR_MISSING,
                 "\"%s\" is none of the number tables: e164.tsv, lengths.tsv, e164-risk.tsv, "
                 "irsf-risk.tsv, dialplans.tsv, codes.tsv",
                 ESCAPED(name));
}

static int copy_content(struct tables *t, enum file which, struct span content, struct fault *f)
{
    char *copy;

    if (content.n > CONTENT_MAX)
        return fault(f, ERR_RANGE, "%s: longer than %u bytes", formats[which].name, CONTENT_MAX);
    copy = malloc(content.n + 1);
    if (!copy)
        return fault_nomem(f);
    if (content.n)
        memcpy(copy, content.p, content.n);
    copy[content.n] = '\0';
    free(t->content[which]);
    t->content[which] = copy;
    t->length[which] = content.n;
    return 0;
}

static int read_file(struct tables *t, enum file which, struct fault *f)
{
    char *content = t->content[which];
    struct tsv in;
    int rc = tsv_open(&in, span_of(formats[which].name), (struct span){content, t->length[which]},
                      formats[which].columns, formats[which].n_columns, f);

    if (rc)
        return rc;
    while ((rc = tsv_next(&in, f)) > 0) {
        rc = formats[which].take(t, &in, content, f);
        if (rc == ERR_NOMEM)
            return rc;
        if (rc) {
            tsv_fault(&in, f);
            return rc;
        }
    }
    return rc;
}

/* Countries moved while their array grew; only now do pointers into it last. */
static void point_at_countries(struct tables *t)
{
    for (size_t i = 1; i < t->n_plans; i++)
        t->plans[i].country = &t->ranges.country[t->plans[i].country_index];
}

static int build(struct tables *t, struct fault *f)
{
    struct plan *any = NULL;
    int rc = ranges_new(&t->ranges, f);

    if (rc == 0)
        rc = add_plan(t, SPAN("*"), &any, f);
    for (int i = 0; rc == 0 && i < FILES; i++)
        rc = read_file(t, (enum file)i, f);
    if (rc == 0)
        rc = ranges_check(&t->ranges, f);
    for (size_t i = 1; rc == 0 && i < t->n_plans; i++)
        rc = plan_check(&t->plans[i], f);
    if (rc == 0)
        point_at_countries(t);
    return rc;
}

int tables_load(struct tables **out, const struct tables_file *files, size_t n, struct fault *f)
{
    struct tables *t = calloc(1, sizeof(*t));
    size_t n_builtin = 0;
    const struct tables_file *builtin = tables_builtin(&n_builtin);
    enum file which = FILE_E164;
    int rc = 0;

    if (!t)
        return fault_nomem(f);
    for (size_t i = 0; rc == 0 && i < n_builtin + n; i++) {
        const struct tables_file *file = i < n_builtin ? &builtin[i] : &files[i - n_builtin];

        rc = which_file(file->name, &which, f);
        if (rc == 0)
            rc = copy_content(t, which, file->content, f);
    }
    if (rc == 0)
        rc = build(t, f);
    if (rc) {
        tables_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

void tables_free(struct tables *tables)
{
    if (!tables)
        return;
    for (size_t i = 0; i < tables->n_plans; i++)
        plan_free(&tables->plans[i]);
    free(tables->plans);
    ranges_free(&tables->ranges);
    for (int i = 0; i < FILES; i++)
        free(tables->content[i]);
    free(tables);
}

const struct country *tables_country(const struct tables *tables, struct span iso)
{
    for (size_t i = 1; i < tables->ranges.n_countries; i++)
        if (span_eq_nocase(iso, span_of(tables->ranges.country[i].iso)))
            return &tables->ranges.country[i];
    return NULL;
}

const struct plan *tables_plan(const struct tables *tables, struct span iso)
{
    return span_is(iso, "*") ? &tables->plans[0] : find_plan(tables, iso);
}

const struct ranges *tables_ranges(const struct tables *tables)
{
    return &tables->ranges;
}
