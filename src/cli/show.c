/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/show.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/guard_words.h"
#include "cli/table.h"

#define ROWS_AT_ONCE 1000
#define DIFFERENCES_SHOWN 8

static void value_text(struct buf *b, const json_t *v);

void show_json(const json_t *value)
{
    /* A terminal obeys bytes that JSON need not escape (U+009B, bidirectional marks). */
    size_t flags = JSON_ENCODE_ANY | JSON_COMPACT;

    if (isatty(STDOUT_FILENO))
        flags |= JSON_ENSURE_ASCII;
    json_dumpf(value, stdout, flags);
    putchar('\n');
}

/* What is in `from` and not in `other`, each with its sign: the rules that came or went. A template
 * brings hundreds: the first are told, and how many more there are. */
static void array_difference(struct buf *b, char sign, const json_t *from, const json_t *other)
{
    const json_t *item, *twin;
    size_t i, k, n = 0;

    json_array_foreach(from, i, item)
    {
        bool there = false;

        json_array_foreach(other, k, twin) there = there || json_equal(item, twin);
        if (there || n++ >= DIFFERENCES_SHOWN)
            continue;
        buf_printf(b, "%s%c", b->n ? "; " : "", sign);
        value_text(b, item);
    }
    if (n > DIFFERENCES_SHOWN)
        buf_printf(b, "; %c… %zu", sign, n - DIFFERENCES_SHOWN);
}

/* What an audit record tells, as what changed: "state: active > suspended; +restrict 0990". */
static void change_text(struct buf *b, const json_t *before, const json_t *after)
{
    const json_t *all = json_is_object(after) ? after : before, *ignored;
    const char *key;

    if (json_is_array(before) && json_is_array(after)) {
        array_difference(b, '-', before, after);
        array_difference(b, '+', after, before);
        return;
    }
    json_object_foreach((json_t *)all, key, ignored)
    {
        const json_t *was = json_object_get(before, key), *is = json_object_get(after, key);

        if (json_equal(was, is) || ((!was || json_is_null(was)) && (!is || json_is_null(is))))
            continue;
        if (json_is_array(was) || json_is_array(is)) {
            array_difference(b, '-', was, is);
            array_difference(b, '+', is, was);
            continue;
        }
        buf_printf(b, "%s%s: ", b->n ? "; " : "", key);
        if (was && is) {
            value_text(b, was);
            buf_puts(b, " > ");
        }
        value_text(b, is ? is : was);
    }
}

/* A rule as people say it, "restrict 010"; a change as what changed; else JSON. */
static void object_text(struct buf *b, const json_t *v)
{
    const char *action = json_string_value(json_object_get(v, "action"));
    const char *prefix = json_string_value(json_object_get(v, "prefix"));
    const json_t *before = json_object_get(v, "before"), *after = json_object_get(v, "after");

    if (action && prefix) {
        buf_printf(b, "%s %s", action, prefix);
    } else if (before && after) {
        change_text(b, before, after);
    } else {
        char *text = json_dumps(v, JSON_COMPACT);

        buf_puts(b, text ? text : "?");
        free(text);
    }
}

/* The text of a value as people read it; what an array holds is separated by commas. */
static void value_text(struct buf *b, const json_t *v)
{
    const json_t *item;
    size_t i;

    switch (json_typeof(v)) {
    case JSON_STRING: buf_add(b, (struct span){json_string_value(v), json_string_length(v)}); break;
    case JSON_INTEGER: buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
    case JSON_REAL: buf_printf(b, "%g", json_real_value(v)); break;
    case JSON_TRUE: buf_puts(b, "yes"); break;
    case JSON_FALSE: buf_puts(b, "no"); break;
    case JSON_NULL: break;
    case JSON_ARRAY:
        json_array_foreach(v, i, item)
        {
            buf_puts(b, i ? ", " : "");
            value_text(b, item);
        }
        break;
    case JSON_OBJECT: object_text(b, v); break;
    }
}

/* What stands in a table in Japanese; NULL: the same as in English. */
static const char *japanese(const char *key, const json_t *v)
{
    const char *text = json_string_value(v);

    if (json_is_boolean(v))
        return json_is_true(v) ? "はい" : "いいえ";
    return text ? guard_japanese(key, text) : NULL;
}

static void add_value(const struct cli *cli, struct table *t, const char *key, const json_t *v)
{
    const char *word = TR(cli, NULL, japanese(key, v));
    struct buf b = {0};

    if (word)
        buf_puts(&b, word);
    else if (v)
        value_text(&b, v);
    if (b.failed)
        t->cells.failed = true;
    table_cell(t, b.n ? buf_span(&b) : SPAN("-"));
    buf_free(&b);
}

struct listing {
    struct cli *cli;
    const struct column *columns;
    const char *none; /* what people are told of an empty one; NULL: nothing */
    struct table table;
    size_t seen;
};

static void begin_list(struct listing *l)
{
    for (const struct column *c = l->columns; c->key; c++)
        l->table.columns++;
    if (l->cli->json)
        putchar('[');
    for (const struct column *c = l->columns; c->key && !l->cli->json; c++)
        table_text(&l->table, TR(l->cli, c->en, c->ja));
}

static int add_item(const json_t *item, void *arg, struct fault *f)
{
    struct listing *l = arg;

    if (l->cli->json) {
        fputs(l->seen++ ? ",\n" : "\n", stdout);
        json_dumpf(item, stdout, JSON_COMPACT | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0));
        return 0;
    }
    for (const struct column *c = l->columns; c->key; c++)
        add_value(l->cli, &l->table, c->key, json_object_get(item, c->key));
    if (++l->seen % ROWS_AT_ONCE == 0 && !table_print(&l->table))
        return fault_nomem(f);
    return 0;
}

static int end_list(struct listing *l, int err, const struct fault *f)
{
    struct fault nomem;
    int code = EXIT_DONE;

    if (l->cli->json && !err)
        puts(l->seen ? "\n]" : "]");
    /* A table without a row is only headings. */
    else if (!err && !l->seen && l->none)
        puts(l->none);
    else if (!err && l->seen && !table_print(&l->table))
        err = fault_nomem(&nomem), f = &nomem;
    if (err)
        code = cli_fail(f);
    table_free(&l->table);
    return code;
}

int show_list(struct cli *cli, const char *path, size_t limit, const struct column *columns)
{
    return show_list_or(cli, path, limit, columns, NULL);
}

int show_list_or(struct cli *cli, const char *path, size_t limit, const struct column *columns,
                 const char *none)
{
    struct listing l = {.cli = cli, .columns = columns, .none = none};
    struct fault f;

    begin_list(&l);
    int err = remote_list(cli, path, limit, add_item, &l, &f);
    return end_list(&l, err, &f);
}

int show_array(struct cli *cli, const json_t *array, const struct column *columns)
{
    struct listing l = {.cli = cli, .columns = columns};
    const json_t *item;
    struct fault f;
    size_t i;
    int err = 0;

    begin_list(&l);
    json_array_foreach(array, i, item)
    {
        err = add_item(item, &l, &f);
        if (err)
            break;
    }
    return end_list(&l, err, &f);
}

void show_object(struct cli *cli, const json_t *object, const struct column *columns)
{
    struct table t = {.columns = 2};

    if (cli->json) {
        show_json(object);
        return;
    }
    for (const struct column *c = columns; c->key; c++) {
        table_text(&t, TR(cli, c->en, c->ja));
        add_value(cli, &t, c->key, json_object_get(object, c->key));
    }
    if (!table_print(&t))
        cli_note("out of memory");
    table_free(&t);
}

int show_get(struct cli *cli, const char *path, const struct column *columns)
{
    struct reply r = {0};
    struct fault f;

    if (remote_call(cli, "GET", path, NULL, &r, &f))
        return cli_fail(&f);
    show_object(cli, r.json, columns);
    reply_free(&r);
    return EXIT_DONE;
}
