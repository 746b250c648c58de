/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/guard_words.h"
#include "cli/resource.h"
#include "cli/table.h"
#include "cli/when.h"

/*
 * `why`: what somebody on the phone reads to a customer who cannot call. First the API's own sentences, then
 * what was decided and by which attempts.
 */

/* ---- what is asked ---- */

/* No account looks like that unless "@SWITCH" stands behind it. */
static bool is_address(const char *text)
{
    return !strchr(text, '@') &&
           (strpbrk(text, ":/") || (strchr(text, '.') && text[strspn(text, "0123456789.")] == 0));
}

/* ADDRESS, NETWORK, ACCOUNT or ACCOUNT@SWITCH. */
static int path_of(const char *text, const char *switch_, struct buf *path, struct fault *f)
{
    const char *at = strrchr(text, '@');
    struct buf name = {0};

    if (is_address(text) && switch_)
        return fault(f, ERR_SYNTAX, "an address is of no switch: leave --switch out");
    if (at && switch_ && strcmp(at + 1, switch_) != 0)
        return fault(f, ERR_SYNTAX, "\"%s\" and --switch contradict each other",
                     ESCAPED(span_of(text)));
    buf_add(&name, (struct span){text, at ? (size_t)(at - text) : strlen(text)});
    buf_puts(path, "/v1/why");
    path_query(path, is_address(text) ? "address" : "account", name.n ? name.p : "");
    path_query(path, "switch", at ? at + 1 : switch_);
    path->failed = path->failed || name.failed;
    buf_free(&name);
    return path->failed ? fault_nomem(f) : 0;
}

/* ---- attempts ---- */

static void begin_attempts(const struct cli *cli, struct table *t)
{
    table_text(t, TR(cli, "  TIME", "  時刻"));
    table_text(t, TR(cli, "SWITCH", "スイッチ"));
    table_text(t, TR(cli, "WITNESS", "観測"));
    table_text(t, TR(cli, "SOURCE", "送信元"));
    table_text(t, TR(cli, "SENDER", "送信元の証明"));
    table_text(t, TR(cli, "ACCOUNT", "アカウント"));
    table_text(t, TR(cli, "OUTCOME", "結果"));
    table_text(t, TR(cli, "REQUEST", "要求"));
    table_text(t, TR(cli, "DIALLED", "ダイヤル"));
    table_text(t, "USER-AGENT");
}

static void add_attempt(const struct cli *cli, struct table *t, const json_t *a)
{
    const char *method = guard_text(a, "method");
    const char *transport = guard_text(a, "transport");

    guard_time(t, a, "at", "  ");
    table_text(t, guard_text(a, "switch"));
    table_text(t, guard_word(cli, WORD_WITNESS, guard_text(a, "witness")));
    table_text(t, guard_text(a, "source"));
    table_text(t, guard_word(cli, WORD_PROOF, guard_text(a, "proof")));
    table_text(t, guard_text(a, "account"));
    table_text(t, guard_word(cli, WORD_OUTCOME, guard_text(a, "outcome")));
    /* A log does not say everything. */
    if (method && strcmp(method, "unknown") != 0)
        table_format(t, "%s/%s", method, transport ? transport : "-");
    else
        table_text(t, transport);
    table_text(t, guard_text(a, "dialled"));
    table_text(t, guard_text(a, "user_agent"));
}

static void end_attempts(struct table *t)
{
    if (!table_print(t))
        cli_note("out of memory");
    table_free(t);
}

static void print_attempts(const struct cli *cli, const json_t *attempts)
{
    struct table t = {.columns = 10};
    const json_t *attempt;
    size_t i;

    if (!json_array_size(attempts))
        return;
    begin_attempts(cli, &t);
    json_array_foreach(attempts, i, attempt) add_attempt(cli, &t, attempt);
    end_attempts(&t);
}

/* ---- decisions ---- */

static void count_text(const struct cli *cli, struct buf *b, const json_t *d)
{
    if (!guard_number(d, "threshold"))
        return;
    buf_printf(b,
               TR(cli, "; %lld attempts within %lld seconds, %lld are enough; seen by %s; %s",
                  "。%2$lld 秒間に %1$lld 回（しきい値 %3$lld 回）。観測: %4$s。%5$s"),
               guard_number(d, "count"), guard_number(d, "window"), guard_number(d, "threshold"),
               guard_word(cli, WORD_WITNESS, guard_text(d, "witness")),
               guard_word(cli, WORD_PROOF, guard_text(d, "proof")));
}

static void print_decision(const struct cli *cli, const json_t *d)
{
    const json_t *attempts = json_object_get(d, "attempts");
    const char *until = guard_text(d, "until");
    const char *network = guard_text(d, "network"), *account = guard_text(d, "account");
    long long named = guard_number(d, "named"), kept = (long long)json_array_size(attempts);
    struct buf b = {0};

    when_local(&b, guard_text(d, "at"));
    buf_printf(&b, "  %s (%s)", guard_word(cli, WORD_EVENT, guard_text(d, "event")),
               guard_word(cli, WORD_ATTACK, guard_text(d, "attack")));
    buf_printf(&b, "%s%s%s%s", network ? " " : "", network ? network : "", account ? " " : "",
               account ? account : "");
    count_text(cli, &b, d);
    if (until) {
        buf_puts(&b, TR(cli, "; until ", "。"));
        when_local(&b, until);
        buf_puts(&b, TR(cli, "", " まで"));
    }
    if (json_is_true(json_object_get(d, "observed")))
        buf_puts(&b, TR(cli, "; only observed", "。監視のみ"));
    if (named > kept)
        buf_printf(&b,
                   TR(cli, "; of the %lld attempts that counted %lld are kept",
                      "。対象の試行 %lld 回のうち %lld 回を保存"),
                   named, kept);
    guard_line(b.failed ? "?" : b.p);
    buf_free(&b);
    print_attempts(cli, attempts);
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
    return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* Whether a decision has shown the attempt. */
static bool is_shown(const json_t *decisions, const json_t *attempt)
{
    const json_t *decision, *one;
    size_t i, k;

    json_array_foreach(decisions, i, decision) json_array_foreach(
        json_object_get(decision, "attempts"), k,
        one) if (same(one, attempt, "at") && same(one, attempt, "source") &&
                 same(one, attempt, "account") && same(one, attempt, "witness") &&
                 same(one, attempt, "call_id")) return true;
    return false;
}

static void print_others(const struct cli *cli, const json_t *why)
{
    struct table t = {.columns = 10};
    const json_t *attempt;
    size_t i;

    json_array_foreach(json_object_get(why, "attempts"), i, attempt)
    {
        if (is_shown(json_object_get(why, "decisions"), attempt))
            continue;
        if (!t.n) {
            puts(TR(cli, "\nWhat else is remembered of it, the newest first:",
                    "\nほかに記憶している試行 (新しい順):"));
            begin_attempts(cli, &t);
        }
        add_attempt(cli, &t, attempt);
    }
    end_attempts(&t);
}

/* ---- the whole ---- */

/* A stranger chose the name that was tried: it must be nothing to a shell, nor an option. */
static bool is_plain(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return name && *name && *name != '-' && !name[strspn(name, letters)];
}

/* The network of the ban that the API's `undo` would lift. */
static const char *banned(const json_t *why)
{
    const char *state = guard_text(why, "state");
    bool observed = state && strcmp(state, "observed") == 0;
    const json_t *ban;
    size_t i;

    json_array_foreach(json_object_get(why, "bans"), i, ban)
    {
        if (observed || !json_is_true(json_object_get(ban, "observed")))
            return guard_text(ban, "network");
    }
    return NULL;
}

/* What to type in place of the request that the API names. */
static void print_undo(const struct cli *cli, const json_t *why)
{
    const char *account = guard_text(why, "account"), *on = guard_text(why, "switch");
    const char *network = banned(why);
    struct buf b = {0};

    if (!guard_text(why, "undo"))
        return;
    buf_puts(&b, TR(cli, "By command: ", "コマンドでは: "));
    if (network)
        buf_printf(&b, "sekisho unban %s", network);
    else if (is_plain(account) && is_plain(on))
        buf_printf(&b, "sekisho unlock %s --switch %s", account, on);
    else
        buf_clear(&b);
    if (b.n)
        guard_line(b.p);
    buf_free(&b);
}

static void print_sentences(const struct cli *cli, const json_t *why)
{
    const json_t *sentence;
    size_t i;

    json_array_foreach(json_object_get(why, "text"), i, sentence)
    {
        struct buf b = {0};

        when_local(&b, guard_text(sentence, TR(cli, "en", "ja")));
        guard_line(b.failed ? "?" : b.p);
        buf_free(&b);
    }
}

static void print(const struct cli *cli, const json_t *why)
{
    const char *address = guard_text(why, "address"), *account = guard_text(why, "account");
    const char *on = guard_text(why, "switch");
    const json_t *decisions = json_object_get(why, "decisions"), *decision;
    struct buf b = {0};
    size_t i;

    if (address)
        buf_puts(&b, address);
    else
        buf_printf(&b, "%s@%s", account ? account : "?", on ? on : "?");
    buf_printf(&b, ": %s", guard_word(cli, WORD_STATE, guard_text(why, "state")));
    guard_line(b.failed ? "?" : b.p);
    buf_free(&b);
    print_sentences(cli, why);
    print_undo(cli, why);
    if (json_array_size(decisions))
        puts(TR(cli, "\nWhat was decided, the newest first, and the attempts that counted:",
                "\n判定 (新しい順) と、対象になった試行:"));
    json_array_foreach(decisions, i, decision) print_decision(cli, decision);
    print_others(cli, why);
}

/* What is dropped of a network, the guard's longest-standing first. */
#define INSIDE_SHOWN 20
static int print_inside(struct cli *cli, const json_t *why)
{
    const json_t *inside = json_object_get(why, "inside");
    long long n = guard_number(inside, "banned") + guard_number(inside, "quenched") +
                  guard_number(inside, "observed");
    struct buf path = {0};
    struct fault f;
    int code;

    if (!n)
        return EXIT_DONE;
    buf_puts(&path, "/v1/bans");
    path_query(&path, "network", guard_text(why, "address"));
    putchar('\n');
    code = path.failed ? (fault_nomem(&f), cli_fail(&f))
                       : show_list(cli, path.p, INSIDE_SHOWN, guard_ban_columns);
    if (n > INSIDE_SHOWN)
        printf(TR(cli, "… %lld in all: sekisho bans --network\n",
                  "… 全 %lld 件: sekisho bans --network\n"),
               n);
    buf_free(&path);
    return code;
}

int cmd_why(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {0},
    };
    struct words rest = {0};
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, "say one address, network or account");
    else if (path_of(rest.at[0], switch_, &path, &f))
        code = cli_usage(self, "%s", f.text);
    else if (remote_call(cli, "GET", path.p, NULL, &r, &f))
        code = cli_fail(&f);
    else if (cli->json)
        show_json(r.json);
    else
        print(cli, r.json), code = print_inside(cli, r.json);
    reply_free(&r);
    buf_free(&path);
    words_free(&rest);
    return code;
}
