/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as libphonenumber knows them, against ours: oracle STRINGS.tsv DISAGREEMENTS.tsv, in TAP.
 *
 * STRINGS.tsv is what generate.js writes, sorted by dial plan. Of each string the E.164 number and the
 * country are compared. Where they differ, one row of DISAGREEMENTS.tsv must say why; a row that no
 * string needs is wrong. No row excuses what must hold always:
 *  - what is dialled for a number is that number again;
 *  - a number under the country code of others is international, or nothing;
 *  - no number is taken for an emergency call;
 *  - nobody is told that a call is free that is not, nor that one is ordinary whose content is paid.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "numbering/numbering.h"
#include "numbering/plan.h"
#include "numbering/profiles.h"

#define ROWS_MAX 200
#define SHOWN_MAX 5

struct string {
    char *plan, *region, *type, *way, *dialled, *e164;
};

struct row {
    char *plans, *number, *ways, *ours, *theirs, *why;
    regex_t regex;
    size_t line, used;
};

static struct row rows[ROWS_MAX];
static size_t n_rows;

static struct {
    size_t strings, agreed, explained, wrong;
} total;

static const struct site *site;
static size_t n_cases, n_wrong, n_failed;
static char plan[4];

static size_t split(char *line, char *cells[], size_t n)
{
    size_t i = 0;

    line[strcspn(line, "\n")] = '\0';
    while (line && i < n)
        cells[i++] = strsep(&line, "\t");
    return line ? n + 1 : i;
}

static void result(bool ok, const char *name)
{
    printf("%s %zu - %s\n", ok ? "ok" : "not ok", ++n_cases, name);
    n_failed += !ok;
}

/* ---- the rows ---- */

static bool add_row(char *line, size_t number)
{
    struct row *row = &rows[n_rows];
    char *cells[6], anchored[1024];

    if (n_rows == ROWS_MAX || split(line, cells, 6) != 6)
        return false;
    *row = (struct row){cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], .line = number};
    /* A row is about certain numbers of one country code, and says why. */
    if (strncmp(row->number, "\\+", 2) != 0 || strspn(row->number + 2, "123456789") == 0 ||
        strstr(row->number, ".*") || !row->why[0])
        return false;
    snprintf(anchored, sizeof(anchored), "^(%s)$", row->number);
    if (regcomp(&row->regex, anchored, REG_EXTENDED | REG_NOSUB))
        return false;
    n_rows++;
    return true;
}

/* Leaks the lines that the rows point into until free_rows(). */
static bool read_rows(const char *path)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    bool ok = in != NULL;

    for (size_t number = 1; ok && getline(&line, &size, in) > 0; number++) {
        if (number > 1 && line[0] != '#' && line[0] != '\n') {
            ok = add_row(line, number);
            if (!ok)
                fprintf(stderr, "%s, line %zu: no row\n", path, number);
            line = NULL;
            size = 0;
        }
    }
    free(line);
    if (in)
        fclose(in);
    return ok;
}

static void free_rows(void)
{
    for (size_t i = 0; i < n_rows; i++) {
        regfree(&rows[i].regex);
        free(rows[i].plans);
    }
}

/* Is `word` one of a list with commas? "*" lists all. */
static bool lists(const char *list, const char *word)
{
    for (struct span rest = span_of(list); rest.p;)
        if (span_is(span_cut(rest, ',', &rest), word))
            return true;
    return strcmp(list, "*") == 0;
}

static bool explained(const struct string *s, const struct number *n)
{
    char ours[64], theirs[64];
    bool found = false;

    snprintf(ours, sizeof(ours), "%s %s", number_class_name(n->class),
             n->country ? n->country->iso : "-");
    snprintf(theirs, sizeof(theirs), "%s %s", s->region, s->type);
    for (size_t i = 0; i < n_rows; i++) {
        struct row *row = &rows[i];

        if (!lists(row->plans, s->plan) || !lists(row->ways, s->way) || !lists(row->ours, ours) ||
            !lists(row->theirs, theirs) || regexec(&row->regex, s->e164, 0, NULL, 0))
            continue;
        row->used++;
        found = true;
    }
    return found;
}

/* ---- the strings ---- */

static void wrong(const struct string *s, const struct number *n, const char *why)
{
    total.wrong++;
    if (++n_wrong > SHOWN_MAX)
        return;
    printf("# %s: %s (%s) is %s %s by libphonenumber, and %s %s %s, dialled %s: %s\n", s->plan,
           s->dialled, s->way, s->e164, s->region, number_class_name(n->class),
           n->e164[0] ? n->e164 : "-", n->country ? n->country->iso : "-",
           n->dialled[0] ? n->dialled : "-", why);
}

static bool is_again(const struct number *n, const char *dialled)
{
    struct number again;

    numbering_parse(site, span_of(dialled), &again);
    return again.class == n->class && strcmp(again.e164, n->e164) == 0 &&
           strcmp(again.dialled, n->dialled) == 0;
}

static bool is_international_or_nothing(const struct number *n)
{
    switch (n->class) {
    case CLASS_INTERNATIONAL:
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_MALFORMED:
    case CLASS_UNKNOWN: return true;
    case CLASS_EMERGENCY:
    case CLASS_INTERNAL:
    case CLASS_NATIONAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_FORWARDING: return false;
    }
    return false;
}

/* What no row excuses: NULL, or what is wrong. */
static const char *always(const struct string *s, const struct number *n)
{
    const struct plan *p = tables_plan(profiles_tables(), span_of(s->plan));
    char dial[NUMBER_DIGITS_MAX];
    bool at_home = span_starts(span_of(s->e164 + 1), p->cc);

    if (n->class == CLASS_EMERGENCY)
        return "an emergency call";
    if (!at_home && !is_international_or_nothing(n))
        return "another country code, and not international";
    if (n->class == CLASS_FREEPHONE && strcmp(s->type, "TOLL_FREE") != 0)
        return "not free";
    if (strcmp(s->type, "PREMIUM_RATE") == 0 && n->class == CLASS_NATIONAL && n->e164[0])
        return "not ordinary";
    if (n->dialled[0] && !is_again(n, n->dialled))
        return "its canonical form is something else";
    if (numbering_dial(site, n, FORM_DIALLED, dial) == 0 && !is_again(n, dial))
        return "what is dialled for it is something else";
    return NULL;
}

static void compare(const struct string *s)
{
    const char *why;
    struct number n;

    numbering_parse(site, span_of(s->dialled), &n);
    total.strings++;
    why = always(s, &n);
    if (why) {
        wrong(s, &n, why);
    } else if (strcmp(n.e164, s->e164) == 0 && n.country &&
               strcmp(n.country->iso, s->region) == 0) {
        total.agreed++;
    } else if (explained(s, &n)) {
        total.explained++;
    } else {
        wrong(s, &n, "no row explains it");
    }
}

static void end_plan(void)
{
    char name[64];

    if (plan[0] == '\0')
        return;
    snprintf(name, sizeof(name), "%s reads what libphonenumber writes", plan);
    result(n_wrong == 0, name);
    n_wrong = 0;
}

static bool read_strings(const char *path)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    bool ok = in != NULL;

    while (ok && getline(&line, &size, in) > 0) {
        struct string s;
        char *cells[6];

        ok = split(line, cells, 6) == 6 && strlen(cells[0]) < sizeof(plan);
        if (!ok)
            break;
        s = (struct string){cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]};
        if (strcmp(plan, s.plan) != 0) {
            end_plan();
            snprintf(plan, sizeof(plan), "%s", s.plan);
            site = profiles_trunk(plan);
        }
        compare(&s);
    }
    end_plan();
    free(line);
    if (in)
        fclose(in);
    return ok;
}

int main(int argc, char **argv)
{
    char name[128];

    if (argc != 3 || !read_rows(argv[2]) || !read_strings(argv[1])) {
        fprintf(stderr, "usage: oracle STRINGS.tsv DISAGREEMENTS.tsv\n");
        return 2;
    }
    for (size_t i = 0; i < n_rows; i++) {
        snprintf(name, sizeof(name), "line %zu is needed: %.100s", rows[i].line, rows[i].number);
        result(rows[i].used > 0, name);
    }
    result(total.strings >= 200000, "there are at least 200,000 strings");
    printf("# %zu strings compared: %zu agree, %zu differ as explained, %zu wrong\n", total.strings,
           total.agreed, total.explained, total.wrong);
    printf("1..%zu\n", n_cases);
    free_rows();
    profiles_free();
    return n_failed != 0;
}
