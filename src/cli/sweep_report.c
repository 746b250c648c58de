/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_report.h"

#include "cli/guard_words.h"
#include "cli/table.h"
#include "cli/when.h"

/* In the order in which people ask: what happens, then why not. */
static const struct verdict_words {
    const char *word, *en, *ja;
} verdicts[] = {
    {"restrict", "would be restricted", "規制の対象"},
    {"restricted", "restricted already", "規制済み"},
    {"own-rules", "have rules of their own", "独自の規則あり"},
    {"objected", "objected for", "対象外の申し出あり"},
    {"calls-abroad", "call abroad", "国際発信あり"},
    {"no-records", "too few call records to tell", "通話記録が不足"},
    {"lifted", "lifted by their owner", "契約者が解除済み"},
    {"too-young", "too young to tell", "利用期間が短い"},
};
#define VERDICTS (sizeof(verdicts) / sizeof(*verdicts))

/* The day of a time, here; "-" where there is none. */
static void day_of(const json_t *object, const char *key, char out[16])
{
    const char *text = json_string_value(json_object_get(object, key));
    struct buf b = {0};

    when_local(&b, text);
    snprintf(out, 16, "%.10s", text && !b.failed ? b.p : "-");
    buf_free(&b);
}

static void end_table(struct table *t)
{
    if (!table_print(t))
        cli_note("out of memory");
    table_free(t);
}

/* ---- the records ---------------------------------------------------------------------------- */

/* What a switch's records are good for. */
static void add_use(const struct cli *cli, struct table *t, const json_t *records)
{
    char gap[16], ends[16], reach[16];

    day_of(records, "gap", gap);
    day_of(records, "gap_ends", ends);
    day_of(records, "reach", reach);
    if (json_is_true(json_object_get(records, "strays")))
        table_text(t, TR(cli, "many of names that are no accounts: nobody there is restricted",
                         "アカウントにない名前が多い: 規制しない"));
    else if (json_is_true(json_object_get(records, "sufficient")))
        table_text(t, TR(cli, "enough to tell", "判断できる"));
    else if (strcmp(reach, "-") == 0)
        table_text(t, TR(cli, "none: nobody there is restricted", "記録なし: 規制しない"));
    else if (strcmp(gap, "-") == 0)
        table_text(t, TR(cli, "not all of the time: nobody there is restricted",
                         "期間に足りない: 規制しない"));
    else
        table_format(t,
                     TR(cli, "nothing from %s to %s: nobody there is restricted",
                        "%s から %s まで欠落: 規制しない"),
                     gap, ends);
}

static void print_records(const struct cli *cli, const json_t *preview)
{
    struct table t = {.columns = 4};
    const json_t *one;
    size_t i;

    table_text(&t, TR(cli, "CALL RECORDS OF", "通話記録"));
    table_text(&t, TR(cli, "FROM", "開始"));
    table_text(&t, TR(cli, "TO", "終了"));
    table_text(&t, "");
    json_array_foreach(json_object_get(preview, "records"), i, one)
    {
        char first[16], last[16];

        day_of(one, "first", first);
        day_of(one, "last", last);
        table_text(&t, guard_text(one, "switch"));
        table_text(&t, first);
        table_text(&t, last);
        add_use(cli, &t, one);
    }
    end_table(&t);
}

/* ---- the accounts --------------------------------------------------------------------------- */

static void print_counts(const struct cli *cli, const json_t *preview)
{
    const json_t *counts = json_object_get(preview, "counts");
    struct table t = {.columns = 2};

    table_text(&t, TR(cli, "ACCOUNTS", "    件数"));
    table_text(&t, TR(cli, "WHAT", "区分"));
    for (size_t i = 0; i < VERDICTS; i++) {
        table_format(&t, "%8lld", guard_number(counts, verdicts[i].word));
        table_text(&t, TR(cli, verdicts[i].en, verdicts[i].ja));
    }
    end_table(&t);
}

static void add_rules(const struct cli *cli, struct buf *b, const json_t *one)
{
    const char *of = guard_text(one, "rules_of");

    if (of && strcmp(of, "account") == 0)
        buf_puts(b, TR(cli, "by its own rules", "アカウント自身の規則"));
    else
        buf_printf(b, TR(cli, "by rules of %s", "%s の規則"), of ? of : "?");
}

static void add_deed(const struct cli *cli, struct buf *b, const json_t *one, const char *when,
                     const char *who)
{
    const char *by = guard_text(one, who);
    char day[16];

    day_of(one, when, day);
    buf_printf(b, TR(cli, "by %s on %s", "%s が %s に"), by ? by : "?", day);
}

/* Why this account is counted as that. */
static void add_why(const struct cli *cli, struct buf *b, const char *verdict, const json_t *one)
{
    const char *country = guard_text(one, "country");
    char day[16];

    if (strcmp(verdict, "restricted") == 0 || strcmp(verdict, "own-rules") == 0) {
        add_rules(cli, b, one);
    } else if (strcmp(verdict, "objected") == 0) {
        add_deed(cli, b, one, "objected", "objected_by");
    } else if (strcmp(verdict, "lifted") == 0) {
        add_deed(cli, b, one, "lifted", "lifted_by");
    } else if (strcmp(verdict, "calls-abroad") == 0) {
        day_of(one, "last_call", day);
        buf_printf(b, TR(cli, "last %s to %s", "最終 %s (%s)"), day, country ? country : "?");
    } else if (strcmp(verdict, "no-records") != 0) {
        day_of(one, "known_since", day);
        buf_printf(b, TR(cli, "known since %s", "%s から利用"), day);
    }
}

static void print_sample(const struct cli *cli, const json_t *preview,
                         const struct verdict_words *verdict)
{
    const json_t *items = json_object_get(json_object_get(preview, "samples"), verdict->word), *one;
    struct table t = {.columns = 3};
    size_t i;

    if (!json_array_size(items))
        return;
    putchar('\n');
    table_format(&t, TR(cli, "%s, %zu of %lld", "%1$s（%3$lld 件中 %2$zu 件）"),
                 TR(cli, verdict->en, verdict->ja), json_array_size(items),
                 guard_number(json_object_get(preview, "counts"), verdict->word));
    table_text(&t, TR(cli, "TENANT", "テナント"));
    table_text(&t, TR(cli, "WHY", "理由"));
    json_array_foreach(items, i, one)
    {
        struct buf why = {0};

        add_why(cli, &why, verdict->word, one);
        table_format(&t, "%s@%s", guard_text(one, "name"), guard_text(one, "switch"));
        table_text(&t, guard_text(one, "tenant"));
        table_text(&t, why.n && !why.failed ? why.p : "");
        buf_free(&why);
    }
    end_table(&t);
}

/* ---- how to go on --------------------------------------------------------------------------- */

static bool may_go_on(const json_t *preview, long long *change, long long *n)
{
    *change = guard_number(preview, "change");
    *n = guard_number(json_object_get(preview, "counts"), "restrict");
    return *n > 0;
}

void sweep_report_note(struct cli *cli, const json_t *preview)
{
    long long change, n;

    if (may_go_on(preview, &change, &n))
        cli_note(TR(cli, "to apply it: sekisho sweep apply %lld --restrict %lld",
                    "適用するには: sekisho sweep apply %lld --restrict %lld"),
                 change, n);
    else
        cli_note(TR(cli, "there is no account to restrict", "規制するアカウントはありません"));
}

static void print_next(const struct cli *cli, const json_t *preview)
{
    long long change, n;

    putchar('\n');
    if (!may_go_on(preview, &change, &n)) {
        puts(TR(cli, "There is no account to restrict.", "規制するアカウントはありません。"));
        return;
    }
    printf(TR(cli,
              "To tell the tenants first: sekisho sweep announce %lld --restrict %lld --on DATE\n"
              "To restrict them now:      sekisho sweep apply %lld --restrict %lld\n",
              "先に予告するには:   sekisho sweep announce %lld --restrict %lld --on 日付\n"
              "すぐに規制するには: sekisho sweep apply %lld --restrict %lld\n"),
           change, n, change, n);
}

void sweep_report(struct cli *cli, const json_t *preview)
{
    char since[16];

    day_of(preview, "since", since);
    printf(TR(cli, "Calls abroad since %s count.%s\n\n", "%s 以降の国際発信を見ています。%s\n\n"),
           since,
           json_is_true(json_object_get(preview, "include_lifted"))
               ? TR(cli, " Accounts whose restriction was lifted are included.",
                    "契約者が解除したアカウントも対象に含みます。")
               : "");
    print_records(cli, preview);
    putchar('\n');
    print_counts(cli, preview);
    for (size_t i = 0; i < VERDICTS; i++)
        print_sample(cli, preview, &verdicts[i]);
    print_next(cli, preview);
}
