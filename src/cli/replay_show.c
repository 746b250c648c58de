/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/replay_show.h"

#include "cli/guard_words.h"
#include "cli/table.h"

static void end_table(struct table *t)
{
    if (!table_print(t))
        cli_note("out of memory");
    table_free(t);
}

/* "¥2,410,000 + USD 3.20, 2 unpriced". */
static void money_cell(const struct cli *cli, struct table *t, const json_t *line)
{
    const json_t *one, *saved = json_object_get(line, "saved");
    long long unpriced = guard_number(line, "unpriced");
    struct buf b = {0};
    size_t i;

    json_array_foreach(saved, i, one)
        buf_printf(&b, "%s%s", i ? " + " : "", guard_text(one, "text"));
    if (unpriced)
        buf_printf(&b, TR(cli, "%s%lld without a price", "%s料金不明 %lld"), b.n ? ", " : "",
                   unpriced);
    table_text(t, b.n ? b.p : NULL);
    t->cells.failed = t->cells.failed || b.failed;
    buf_free(&b);
}

static void numbers_head(const struct cli *cli, struct table *t)
{
    table_text(t, TR(cli, "   CALLS", "    通話"));
    table_text(t, TR(cli, "ANSWERED", "    応答"));
    table_text(t, TR(cli, " MINUTES", "      分"));
}

static void numbers(struct table *t, const json_t *line)
{
    table_format(t, "%8lld", guard_number(line, "calls"));
    table_format(t, "%8lld", guard_number(line, "answered"));
    table_format(t, "%8lld", (guard_number(line, "seconds") + 59) / 60);
}

static void show_accounts(const struct cli *cli, const json_t *replay)
{
    struct table t = {.columns = 8};
    const json_t *accounts = json_object_get(replay, "accounts"), *one;
    size_t i;

    if (!json_array_size(accounts))
        return;
    putchar('\n');
    numbers_head(cli, &t);
    table_text(&t, TR(cli, "SAVED", "防いだ額"));
    table_text(&t, TR(cli, "FIRST", "最初"));
    table_text(&t, TR(cli, "LAST", "最後"));
    table_text(&t, TR(cli, "EVERY WEEK", "毎週"));
    table_format(&t, TR(cli, "ACCOUNT (%zu of %lld)", "アカウント (%2$lld 件中 %1$zu 件)"),
                 json_array_size(accounts), guard_number(replay, "accounts_refused"));
    json_array_foreach(accounts, i, one)
    {
        const char *gate = guard_text(one, "switch"), *name = guard_text(one, "account");
        struct buf b = {0};

        numbers(&t, one);
        money_cell(cli, &t, one);
        guard_time(&t, one, "first", "");
        guard_time(&t, one, "last", "");
        table_text(&t,
                   json_is_true(json_object_get(one, "every_week")) ? TR(cli, "yes", "はい") : "");
        buf_printf(&b, "%s%s%s", name ? name : "-", gate ? "@" : "", gate ? gate : "");
        table_text(&t, b.p);
        t.cells.failed = t.cells.failed || b.failed;
        buf_free(&b);
    }
    end_table(&t);
}

static void show_countries(const struct cli *cli, const json_t *replay)
{
    struct table t = {.columns = 5};
    const json_t *countries = json_object_get(replay, "countries"), *one;
    size_t i;

    if (!json_array_size(countries))
        return;
    putchar('\n');
    numbers_head(cli, &t);
    table_text(&t, TR(cli, "SAVED", "防いだ額"));
    table_format(&t, TR(cli, "COUNTRY (%zu of %lld)", "国 (%2$lld 件中 %1$zu 件)"),
                 json_array_size(countries), guard_number(replay, "countries_refused"));
    json_array_foreach(countries, i, one)
    {
        numbers(&t, one);
        money_cell(cli, &t, one);
        table_text(&t, guard_text(one, "country"));
    }
    end_table(&t);
}

/* What the sentence does not say: calls that the rules have nothing to do with. */
static void show_rest(const struct cli *cli, const json_t *replay)
{
    const json_t *calls = json_object_get(replay, "calls"), *unpriced, *one;
    long long opened = guard_number(calls, "opened"), lost = guard_number(calls, "no-number");
    size_t i;

    printf(TR(cli, "calls that would go on as they did: %lld; refused then and again: %lld\n",
              "そのまま通る通話: %lld、当時も今回も拒否: %lld\n"),
           guard_number(calls, "passed"), guard_number(calls, "refused-then"));
    if (opened)
        printf(TR(cli, "calls that were refused then and would be let through: %lld\n",
                  "当時は拒否され、今回は通る通話: %lld\n"),
               opened);
    if (lost)
        printf(TR(cli,
                  "calls to what the dial plan cannot place (extensions? --extensions): %lld\n",
                  "番号計画で解釈できない通話 (内線? --extensions): %lld\n"),
               lost);
    unpriced = json_object_get(replay, "unpriced");
    if (json_array_size(unpriced))
        fputs(TR(cli, "no price for numbers that begin with:", "料金表にない番号の先頭:"), stdout);
    json_array_foreach(unpriced, i, one) printf(" +%s", json_string_value(one));
    if (json_array_size(unpriced))
        putchar('\n');
}

void replay_show(const struct cli *cli, const json_t *replay)
{
    puts(guard_text(json_object_get(replay, "text"), TR(cli, "en", "ja")));
    show_rest(cli, replay);
    show_accounts(cli, replay);
    show_countries(cli, replay);
}
