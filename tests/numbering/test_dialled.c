/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of dialled strings: test_dialled TABLE.tsv. One case a row; a cell "-" asserts nothing.
 * Columns that it knows: id, dialled (a JSON string), profile, class, kind, e164, dial, country,
 * target, presentation, verdict (of an account whose only rule is the born restriction), comment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "numbering/numbering.h"
#include "numbering/profiles.h"
#include "policy/decide.h"

#define COLUMNS_MAX 16

struct row {
    char name[160];
    char *cells[COLUMNS_MAX];
};

static char *columns[COLUMNS_MAX];
static size_t n_columns;

static const char *cell(const struct row *row, const char *column)
{
    for (size_t i = 0; i < n_columns; i++)
        if (strcmp(columns[i], column) == 0)
            return row->cells[i] ? row->cells[i] : "-";
    return "-";
}

static void expect(const struct row *row, const char *column, const char *got)
{
    const char *wanted = cell(row, column);

    if (strcmp(wanted, "-") != 0 && strcmp(wanted, got) != 0)
        fail_msg("%s: wanted %s, got %s (%s)", column, wanted, got[0] ? got : "nothing",
                 cell(row, "comment"));
}

/* What holds of every number, whatever was dialled. */
static void check_form(const struct number *n)
{
    size_t digits = strlen(n->e164);

    assert_true(digits == 0 || (n->e164[0] == '+' && digits >= 2 && digits <= 16));
    assert_int_equal(strspn(n->e164, "+0123456789"), digits);
    assert_int_equal(strspn(n->network, "0123456789*#+"), strlen(n->network));
}

/* What an account gets whose only rule restricts the plan's access prefix. */
static void check_born(const struct row *row, const struct site *site, const struct number *n)
{
    static const uint8_t key[16];
    const struct rule rule = {.action = RULE_RESTRICT, .prefix = site_access_prefix(site)};
    struct decide_rules rules = {0};
    struct decide_question question = {.number = n, .rules = &rules, .site = site};
    struct ruleset_pool *pool;
    struct verdict v;

    assert_int_equal(ruleset_pool_new(&pool, NULL, key, NULL), 0);
    assert_int_equal(ruleset_intern(pool, &rule, 1, &rules.account, NULL), 0);
    decide(&question, &v);
    ruleset_pool_free(pool);
    expect(row, "verdict", verdict_action_name(v.action));
    if (n->class == CLASS_INTERNATIONAL || n->target == CLASS_INTERNATIONAL)
        assert_int_equal(v.action, VERDICT_DENY);
    if (n->class == CLASS_EMERGENCY)
        assert_int_equal(v.action, VERDICT_ALLOW);
}

static void check_row(void **state)
{
    const struct row *row = *state;
    const char *profile = cell(row, "profile");
    json_error_t error;
    json_t *text = json_loads(cell(row, "dialled"), JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    struct number n, again;
    char dial[NUMBER_DIGITS_MAX] = "";

    if (!text)
        fail_msg("the row's dialled string: %s", error.text);
    numbering_parse(profiles_site(profile),
                    (struct span){json_string_value(text), json_string_length(text)}, &n);
    json_decref(text);
    check_form(&n);
    check_born(row, profiles_site(profile), &n);
    expect(row, "class", number_class_name(n.class));
    expect(row, "kind", n.kind ? number_kind_name(n.kind) : "");
    expect(row, "e164", n.e164);
    expect(row, "country", n.country ? n.country->iso : "");
    expect(row, "target", number_class_name(n.target));
    expect(row, "presentation", number_presentation_name(n.presentation));
    if (numbering_dial(profiles_site(profile), &n, FORM_DIALLED, dial) == 0) {
        numbering_parse(n.class == CLASS_INTERNAL ? profiles_site(profile)
                                                  : profiles_trunk(profile),
                        span_of(dial), &again);
        assert_string_equal(number_class_name(again.class), number_class_name(n.class));
        assert_string_equal(again.e164, n.e164);
    }
    expect(row, "dial", dial);
}

/* Splits `line` in place; the cells live as long as it. */
static size_t split(char *line, char *cells[COLUMNS_MAX])
{
    size_t n = 0;

    line[strcspn(line, "\r\n")] = '\0';
    while (line && n < COLUMNS_MAX)
        cells[n++] = strsep(&line, "\t");
    return n;
}

static struct row *read_table(const char *path, size_t *n)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    struct row *rows = NULL;

    if (!in || getline(&line, &size, in) < 0)
        return NULL;
    n_columns = split(line, columns);
    for (line = NULL, size = 0; getline(&line, &size, in) > 0; line = NULL, size = 0) {
        if (line[0] == '#' || line[0] == '\n') {
            free(line);
            continue;
        }
        rows = reallocarray(rows, *n + 1, sizeof(*rows));
        rows[*n] = (struct row){.name = ""};
        split(line, rows[*n].cells);
        snprintf(rows[*n].name, sizeof(rows[*n].name), "%.8s %.24s %.100s", cell(&rows[*n], "id"),
                 cell(&rows[*n], "profile"), cell(&rows[*n], "dialled"));
        ++*n;
    }
    free(line);
    fclose(in);
    return rows;
}

int main(int argc, char **argv)
{
    size_t n = 0;
    struct row *rows = argc == 2 ? read_table(argv[1], &n) : NULL;
    struct CMUnitTest *tests = calloc(n, sizeof(*tests));

    if (!rows || !tests)
        return 2;
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){rows[i].name, check_row, NULL, NULL, &rows[i]};

    int rc = _cmocka_run_group_tests(argv[1], tests, n, NULL, NULL);

    for (size_t i = 0; i < n; i++)
        free(rows[i].cells[0]);
    free(rows);
    free(tests);
    free(columns[0]);
    profiles_free();
    return rc;
}
