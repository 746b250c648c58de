/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/import_rows.h"

#include <stdlib.h>

#include "serve/api_accounts.h"
#include "serve/api_rules.h"

enum { NAME, SWITCH, TENANT, STATE, NOTE, RULES, RESTRICT = RULES, EXCEPT };

static const char *const csv_names[] = {"name", "switch",   "tenant", "state",
                                        "note", "restrict", "except", NULL};
static const char *const json_names[] = {"name", "switch", "tenant", "state",
                                         "note", "[rules", NULL};

/* Lists of rules come again and again: by their text, where it has the number of its set. A slot that two
 * texts want is the later one's. */
#define SEEN 16384 /* a power of two */
#define LOOK_EVERY 4096

struct seen {
    struct span text[2];
    uint32_t set;
};

struct rows {
    struct bulk *bulk;
    const struct import_options *options;
    struct lines lines;
    struct reader reader; /* emptied behind each line that needed it */
    struct seen *seen;
};

static struct seen *seen_slot(struct rows *rows, const struct span *text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < text[k].n; i++)
            hash = (hash ^ (unsigned char)text[k].p[i]) * 0x100000001b3u;
        hash = (hash ^ 0x100) * 0x100000001b3u;
    }
    return &rows->seen[(hash >> 32) & (SEEN - 1)];
}

/* "010 0990": prefixes with blanks between them. */
static int read_prefixes(struct rows *rows, struct span text, enum rule_action action,
                         struct rule *rules, size_t *n, struct fault *f)
{
    while ((text = span_trim(text)).n) {
        struct span word = span_cut(text, ' ', &text);
        char *digits = reader_alloc(&rows->reader, RULE_PREFIX_MAX + 1);

        if (!digits)
            return fault_nomem(f);
        if (*n == STORE_RULES_MAX)
            return fault(f, ERR_RANGE, "more than %d rules", STORE_RULES_MAX);
        int rc = rule_prefix_clean(word, digits, f);
        if (rc)
            return rc;
        rules[(*n)++] = (struct rule){.action = action, .prefix = span_of(digits)};
    }
    return 0;
}

/* The cells restrict and except; "none" in the first is a list without rules. */
static int csv_rules(struct rows *rows, const struct span *text, struct store_import_row *row,
                     struct fault *f)
{
    bool none = span_is(text[0], "none");
    size_t n = 0, most = (text[0].n + text[1].n + 2) / 2;
    struct rule *rules = reader_alloc(
        &rows->reader, (most < STORE_RULES_MAX ? most : STORE_RULES_MAX) * sizeof(*rules) + 1);
    int rc = rules ? 0 : fault_nomem(f);

    if (!rc && !none)
        rc = read_prefixes(rows, text[0], RULE_RESTRICT, rules, &n, f);
    if (!rc)
        rc = read_prefixes(rows, text[1], RULE_EXCEPT, rules, &n, f);
    row->rules = rules;
    row->n_rules = n;
    return rc;
}

static int json_rules(struct rows *rows, json_t *array, struct store_import_row *row,
                      struct fault *f)
{
    if (json_array_size(array) > STORE_RULES_MAX)
        return fault(f, ERR_RANGE, "rules has %zu items, %d are allowed", json_array_size(array),
                     STORE_RULES_MAX);
    int rc = api_rules_read(&rows->reader, "/rules", array, &row->rules, &row->n_rules, f);
    if (rc && rows->reader.pointer[0])
        fault_in(f, "%s", rows->reader.pointer + 1);
    return rc;
}

static int parse_rules(struct rows *rows, const struct span *text, struct store_import_row *row,
                       json_t **array, struct fault *f)
{
    json_error_t error;

    row->own_rules = true;
    if (rows->options->csv)
        return csv_rules(rows, text, row, f);
    *array = json_loadb(text[0].p, text[0].n, JSON_REJECT_DUPLICATES, &error);
    if (!*array)
        return fault(f, ERR_SYNTAX, "rules is no JSON: column %d: %s", error.column,
                     ESCAPED(span_of(error.text)));
    return json_rules(rows, *array, row, f);
}

/* The set of a line's rules; BULK_BORN where it has none of its own. */
static int find_set(struct rows *rows, const struct span *text, uint32_t *set, struct fault *f)
{
    struct store_import_row row = {0};
    json_t *array = NULL;

    *set = BULK_BORN;
    if (!text[0].p && !text[1].p)
        return 0;
    struct seen *slot = seen_slot(rows, text);
    if (!span_eq(slot->text[0], text[0]) || !span_eq(slot->text[1], text[1])) {
        int rc = parse_rules(rows, text, &row, &array, f);
        if (!rc)
            rc = bulk_rules(rows->bulk, row.rules, row.n_rules, &slot->set, f);
        json_decref(array);
        slot->text[0] = rc ? (struct span){NULL, 0} : text[0];
        slot->text[1] = rc ? (struct span){NULL, 0} : text[1];
        if (rc)
            return rc;
    }
    *set = slot->set;
    return 0;
}

/* A line of plain cells. */
static int read_cells(struct rows *rows, const struct line *line, struct store_account *a,
                      uint32_t *set, struct fault *f)
{
    struct field fields[ACCOUNT_FIELDS];
    static const unsigned cell_of[ACCOUNT_FIELDS] = {TENANT, STATE, NOTE, NAME, SWITCH};
    struct span rules[2] = {line->cells[RULES],
                            rows->options->csv ? line->cells[EXCEPT] : (struct span){NULL, 0}};

    if (!line->cells[NAME].p)
        return fault(f, ERR_RANGE, "name is missing");
    api_account_fields(a, fields);
    for (size_t i = 0; i < ACCOUNT_FIELDS; i++) {
        struct span cell = line->cells[cell_of[i]];
        int rc = cell.p ? reader_text(&fields[i], cell, f) : 0;
        if (rc)
            return rc;
    }
    return find_set(rows, rules, set, f);
}

/* A line of any other JSON: the rules are taken out of it first. */
static int read_json(struct rows *rows, const struct line *line, struct store_account *a,
                     uint32_t *set, struct fault *f)
{
    json_t *array = json_incref(json_object_get(line->json, "rules"));
    struct store_import_row row = {0};
    int rc = 0;

    *set = BULK_BORN;
    if (array)
        json_object_del(line->json, "rules");
    rc = api_account_read(&rows->reader, "", line->json, FIELDS_NEW, a, f);
    if (!rc && array && !json_is_array(array))
        rc = fault(f, ERR_SYNTAX, "rules must be an array");
    if (!rc && array)
        rc = json_rules(rows, array, &row, f);
    if (!rc && array)
        rc = bulk_rules(rows->bulk, row.rules, row.n_rules, set, f);
    json_decref(array);
    return rc;
}

static int read_line(struct rows *rows, const struct line *line, struct fault *f)
{
    struct store_import_row row = {
        .line = line->number,
        .account = {.state = STORE_ACTIVE,
                    .switch_name = rows->options->switch_name,
                    .tenant = rows->options->tenant,
                    .note = {"", 0}},
    };
    struct store_account *a = &row.account;
    uint32_t set = BULK_BORN;
    struct fault why = {0};
    int rc =
        line->json ? read_json(rows, line, a, &set, &why) : read_cells(rows, line, a, &set, &why);

    if (!rc && a->state == STORE_LOCKED && !rows->options->locks)
        rc = fault(&why, ERR_DENIED, "only the operator locks");
    why.code = rc;
    return rc ? bulk_refuse(rows->bulk, line->number, &why, f) : bulk_add(rows->bulk, &row, set, f);
}

static int read_all(struct rows *rows, size_t n, struct fault *f)
{
    struct line line;
    struct fault why = {0};
    int more, rc = 0;

    for (uint64_t i = 1; !rc; i++) {
        more = lines_next(&rows->lines, &rows->reader, &line, &why);
        if (more == 0)
            return 0;
        why.code = more;
        rc = more < 0 ? bulk_refuse(rows->bulk, line.number, &why, f) : read_line(rows, &line, f);
        json_decref(line.json);
        if (rows->reader.blocks)
            reader_free(&rows->reader);
        if (!rc && i % LOOK_EVERY == 0) {
            bulk_phase(rows->bulk, BULK_READING, n - rows->lines.left, n);
            rc = bulk_look(rows->bulk, f);
        }
    }
    return rc;
}

int import_rows(struct bulk *b, char *text, size_t n, const struct import_options *options,
                struct fault *f)
{
    struct rows rows = {.bulk = b, .options = options};
    int rc =
        lines_begin(&rows.lines, text, n, options->csv, options->csv ? csv_names : json_names, f);

    bulk_phase(b, BULK_READING, 0, n);
    rows.seen = rc ? NULL : calloc(SEEN, sizeof(*rows.seen));
    if (!rc && !rows.seen)
        rc = fault_nomem(f);
    if (!rc)
        rc = read_all(&rows, n, f);
    reader_free(&rows.reader);
    free(rows.seen);
    return rc;
}
