/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/site.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "numbering/shape.h"
#include "numbering/site_internal.h"

#define OUTSIDE_MAX 8
#define AREA_MAX 12
#define EXTENSION_MAX 12

/* Copies digits behind those that stand in `text` already. */
static struct span keep(struct site *site, size_t at, struct span digits)
{
    if (digits.n)
        memcpy(site->text + at, digits.p, digits.n);
    return (struct span){site->text + at, digits.n};
}

/* The letters that an extension may be written with; a group or an option would hide what it
 * covers. */
static int check_pattern(struct span pattern, struct fault *f)
{
    size_t keys = 0;
    bool in_class = false;

    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];

        if (!c || !strchr("0123456789*#XZN[]-", c))
            return fault(
                f, ERR_SYNTAX,
                "extension \"%s\": allowed are 0-9 * # X Z N [ ], no wildcard for the rest",
                ESCAPED(pattern));
        in_class = c == '[' || (in_class && c != ']');
        keys += !in_class;
    }
    if (keys > EXTENSION_MAX)
        return fault(f, ERR_RANGE, "extension \"%s\" is longer than %d keys", ESCAPED(pattern),
                     EXTENSION_MAX);
    return 0;
}

static int add_pattern(struct site *site, struct span pattern, struct fault *f)
{
    struct shape_ends ends = {NULL, 0, 0, 0};
    int rc;

    if (pattern.n && pattern.p[0] == '_')
        pattern = span_skip(pattern, 1);
    rc = check_pattern(pattern, f);
    if (rc == 0)
        rc = shape_lay(&site->extensions, pattern, &ends, f);
    if (rc)
        return rc;
    for (size_t i = 0; i < ends.n; i++)
        site->extensions.nodes[ends.nodes[i]].value[0] = 1;
    shape_ends_free(&ends);
    return 0;
}

/* No extension may take an emergency number away, with the outside line or without it. */
static int check_emergency(const struct site *site, struct fault *f)
{
    for (size_t i = 0; i < site->plan->n_emergency; i++) {
        struct span number = site->plan->emergency[i];
        char outside[OUTSIDE_MAX + 32];

        memcpy(outside, site->outside.p, site->outside.n);
        memcpy(outside + site->outside.n, number.p, number.n);

        struct span ways[] = {number, {outside, site->outside.n + number.n}};

        for (int w = 0; w < 2; w++)
            if (site->extensions.nodes[trie_find(&site->extensions, ways[w])].value[0])
                return fault(f, ERR_RANGE,
                             "an extension covers %.*s, by which the emergency number %.*s is "
                             "reached: write patterns that leave it out",
                             SPAN_FMT(ways[w]), SPAN_FMT(number));
    }
    return 0;
}

static int add_extensions(struct site *site, struct span patterns, struct fault *f)
{
    int rc = 0;

    while (rc == 0 && patterns.n) {
        size_t n = 0;

        while (n < patterns.n && !memchr(", \t", patterns.p[n], 3))
            n++;
        struct span pattern = {patterns.p, n};

        patterns = span_skip(patterns, n + 1);
        if (!pattern.n)
            continue;
        if (!site->extensions.nodes)
            rc = trie_new(&site->extensions, f);
        if (rc == 0)
            rc = add_pattern(site, pattern, f);
    }
    return rc || !site->extensions.nodes ? rc : check_emergency(site, f);
}

static int configure(struct site *site, const struct tables *tables,
                     const struct site_config *config, struct fault *f)
{
    site->plan = tables_plan(tables, config->plan);
    site->any = tables_plan(tables, SPAN("*"));
    site->ranges = tables_ranges(tables);
    if (!site->plan || site->plan == site->any)
        return fault(f, ERR_MISSING, "no dial plan \"%s\": two letters of ISO 3166-1, such as JP",
                     ESCAPED(config->plan));
    if (!span_all_digits(config->outside) || config->outside.n > OUTSIDE_MAX)
        return fault(f, ERR_SYNTAX, "outside line \"%s\": at most %d digits",
                     ESCAPED(config->outside), OUTSIDE_MAX);
    if (!span_all_digits(config->area) || config->area.n > AREA_MAX)
        return fault(f, ERR_SYNTAX, "area code \"%s\": at most %d digits", ESCAPED(config->area),
                     AREA_MAX);
    site->outside = keep(site, 0, config->outside);
    site->area = keep(site, config->outside.n, config->area);
    return add_extensions(site, config->extensions, f);
}

int site_new(struct site **out, const struct tables *tables, const struct site_config *config,
             struct fault *f)
{
    struct site *site = calloc(1, sizeof(*site));
    int rc;

    if (!site)
        return fault_nomem(f);
    rc = configure(site, tables, config, f);
    if (rc) {
        site_free(site);
        return rc;
    }
    *out = site;
    return 0;
}

void site_free(struct site *site)
{
    if (!site)
        return;
    trie_free(&site->extensions);
    free(site);
}

struct span site_access_prefix(const struct site *site)
{
    return span_of(site->plan->access);
}

const struct span *site_emergency_numbers(const struct site *site, size_t *n)
{
    *n = site->plan->n_emergency;
    return site->plan->emergency;
}
