/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/guard_words.h"
#include "cli/resource.h"
#include "cli/table.h"
#include "cli/when.h"

/* `attacks`: what share of the attacks was what, and who came most often. */

struct attacks_options {
    struct words rest;
    const char *since, *until, *switch_, *top;
    bool csv;
};

static void end_table(struct table *t)
{
    if (!table_print(t))
        cli_note("out of memory");
    table_free(t);
}

static void numbers_head(const struct cli *cli, struct table *t)
{
    table_text(t, TR(cli, "ATTEMPTS", "    回数"));
    table_text(t, TR(cli, "  SHARE", "   割合"));
}

static void numbers(struct table *t, long long n, double share)
{
    table_format(t, "%8lld", n);
    table_format(t, "%6.2f%%", 100 * share);
}

static double share_of(const json_t *item)
{
    return json_number_value(json_object_get(item, "share"));
}

/* ---- the sections ---- */

static void print_kinds(const struct cli *cli, const json_t *report)
{
    struct table t = {.columns = 3};
    const json_t *kind;
    size_t i;

    table_text(&t, TR(cli, "KIND", "攻撃の種類"));
    numbers_head(cli, &t);
    json_array_foreach(json_object_get(report, "attacks"), i, kind)
    {
        table_text(&t, guard_text(json_object_get(kind, "text"), TR(cli, "en", "ja")));
        numbers(&t, guard_number(kind, "attempts"), share_of(kind));
    }
    end_table(&t);
}

static void add_top(const struct cli *cli, struct table *t, const json_t *item)
{
    const char *key = guard_text(item, "key"), *on = guard_text(item, "switch");
    struct buf b = {0};

    buf_printf(&b, "%s%s%s", key && *key ? key : "-", on ? "@" : "", on ? on : "");
    numbers(t, guard_number(item, "attempts"), share_of(item));
    guard_time(t, item, "first", "");
    guard_time(t, item, "last", "");
    table_text(t, guard_word(cli, WORD_ATTACK, guard_text(item, "attack")));
    table_text(t, b.p);
    t->cells.failed = t->cells.failed || b.failed;
    buf_free(&b);
}

/* Who came most often; what a stranger may make as long as he likes stands last. */
static void print_top(const struct cli *cli, const json_t *report, const char *section,
                      const char *heading)
{
    const json_t *top = json_object_get(report, section), *items = json_object_get(top, "items");
    struct table t = {.columns = 6};
    const json_t *item;
    size_t i;

    if (!json_array_size(items))
        return;
    putchar('\n');
    numbers_head(cli, &t);
    table_text(&t, TR(cli, "FIRST", "最初"));
    table_text(&t, TR(cli, "LAST", "最後"));
    table_text(&t, TR(cli, "MOSTLY", "主な種類"));
    table_format(&t, TR(cli, "%s (%zu of %lld)", "%1$s (%3$lld 件中 %2$zu 件)"), heading,
                 json_array_size(items), guard_number(top, "different"));
    json_array_foreach(items, i, item) add_top(cli, &t, item);
    end_table(&t);
}

static void print_witnesses(const struct cli *cli, const json_t *report)
{
    const json_t *witnesses = json_object_get(report, "witnesses"), *one;
    struct table t = {.columns = 3};
    size_t i;

    if (!json_array_size(witnesses))
        return;
    putchar('\n');
    table_text(&t, TR(cli, "WITNESS", "観測"));
    table_text(&t, TR(cli, "    SEEN", "    回数")),
        table_text(&t, TR(cli, " REFUSED", "    拒否"));
    json_array_foreach(witnesses, i, one)
    {
        table_text(&t, guard_word(cli, WORD_WITNESS, guard_text(one, "witness")));
        table_format(&t, "%8lld", guard_number(one, "attempts"));
        table_format(&t, "%8lld", guard_number(one, "refused"));
    }
    end_table(&t);
}

/* Of an object of numbers. With `all` their shares of it too. */
static void print_numbers(const struct cli *cli, const json_t *object, enum guard_word of,
                          const char *heading, long long all)
{
    struct table t = {.columns = all ? 3 : 2};
    const json_t *value;
    const char *word;

    if (!json_object_size(object))
        return;
    putchar('\n');
    table_text(&t, heading);
    if (all)
        numbers_head(cli, &t);
    else
        table_text(&t, TR(cli, "  NUMBER", "    件数"));
    json_object_foreach((json_t *)object, word, value)
    {
        long long n = (long long)json_integer_value(value);

        table_text(&t, guard_word(cli, of, word));
        if (all)
            numbers(&t, n, (double)n / (double)all);
        else
            table_format(&t, "%8lld", n);
    }
    end_table(&t);
}

static void print_headline(const struct cli *cli, const json_t *report)
{
    const char *since = guard_text(report, "since"), *until = guard_text(report, "until");
    const char *on = guard_text(report, "switch");
    struct buf b = {0};

    buf_printf(&b, TR(cli, "%lld refused attempts from ", "拒否された試行 %lld 回 ("),
               guard_number(report, "attempts"));
    when_local(&b, since);
    buf_puts(&b, TR(cli, " to ", " から "));
    when_local(&b, until);
    buf_puts(&b, TR(cli, "", " まで)"));
    if (on)
        buf_printf(&b, TR(cli, " on switch %s", "。スイッチ %s"), on);
    guard_line(b.failed ? "?" : b.p);
    buf_free(&b);
}

static void print(const struct cli *cli, const json_t *report)
{
    long long all = guard_number(report, "attempts");

    print_headline(cli, report);
    if (all) {
        putchar('\n');
        print_kinds(cli, report);
    }
    print_top(cli, report, "sources", TR(cli, "SOURCE", "送信元"));
    print_top(cli, report, "networks", TR(cli, "NETWORK", "ネットワーク"));
    print_top(cli, report, "accounts", TR(cli, "ACCOUNT", "アカウント"));
    print_top(cli, report, "user_agents", "USER-AGENT");
    print_witnesses(cli, report);
    print_numbers(cli, json_object_get(report, "outcomes"), WORD_OUTCOME,
                  TR(cli, "OUTCOME", "結果"), all);
    print_numbers(cli, json_object_get(report, "proofs"), WORD_PROOF,
                  TR(cli, "SENDER", "送信元の証明"), all);
    print_numbers(cli, json_object_get(report, "decisions"), WORD_EVENT, TR(cli, "DECIDED", "判定"),
                  0);
    print_numbers(cli, json_object_get(report, "observed"), WORD_EVENT,
                  TR(cli, "ONLY OBSERVED", "監視のみ"), 0);
}

/* A file gets the rows as they came; a terminal must not obey what a User-Agent says. */
static void print_csv(struct span csv)
{
    struct span line;

    if (!isatty(STDOUT_FILENO)) {
        fwrite(csv.p, 1, csv.n, stdout);
        return;
    }
    while (csv.n) {
        struct buf b = {0};

        line = span_cut(csv, '\n', &csv);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        text_escape(&b, line);
        puts(b.failed || !b.n ? "" : b.p);
        buf_free(&b);
    }
}

/* ---- the command ---- */

static int path_of(const struct attacks_options *o, struct buf *path, struct fault *f)
{
    int64_t now = instant_wall_s(clock_now());
    char since[WHEN_SIZE], until[WHEN_SIZE];
    int err = o->since ? when_parse(o->since, WHEN_PAST, now, since, f) : 0;

    if (!err && o->until)
        err = when_parse(o->until, WHEN_PAST, now, until, f);
    if (err)
        return err;
    buf_puts(path, "/v1/attacks");
    path_query(path, "since", o->since ? since : NULL);
    path_query(path, "until", o->until ? until : NULL);
    path_query(path, "switch", o->switch_);
    path_query(path, "top", o->top);
    path_query(path, "format", o->csv ? "csv" : NULL);
    return path->failed ? fault_nomem(f) : 0;
}

static int show(struct cli *cli, const char *path, bool csv)
{
    struct buf text = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (csv ? remote_text(cli, path, &text, &f) : remote_call(cli, "GET", path, NULL, &r, &f))
        code = cli_fail(&f);
    else if (csv)
        print_csv(buf_span(&text));
    else if (cli->json)
        show_json(r.json);
    else
        print(cli, r.json);
    reply_free(&r);
    buf_free(&text);
    return code;
}

int cmd_attacks(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct attacks_options o = {.csv = false};
    const struct option options[] = {
        {.name = "since", .text = &o.since, .value = "TIME"},
        {.name = "until", .text = &o.until, .value = "TIME"},
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "top", .text = &o.top, .value = "N"},
        {.name = "csv", .flag = &o.csv},
        {0},
    };
    struct buf path = {0};
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 0, &o.rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (o.rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(o.rest.at[0])));
    else if (o.csv && cli->json)
        code = cli_usage(self, "--csv and --json contradict each other");
    else if (path_of(&o, &path, &f))
        code = cli_usage(self, "%s", f.text);
    else
        code = show(cli, path.p, o.csv);
    buf_free(&path);
    words_free(&o.rest);
    return code;
}
