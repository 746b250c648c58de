/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/proof.h"
#include "cli/resource.h"
#include "cli/when.h"
#include "policy/rule.h"

struct restrict_options {
    struct words rest;
    const char *account, *switch_, *tenant, *until, *schedule;
    bool operator_, mandatory, restriction, exception, yes;
    /* Worked out: where the rules are, and whose they are in words. */
    struct buf path, owner, gate; /* gate: the switch of an account */
};

static void forget(struct restrict_options *o)
{
    words_free(&o->rest);
    buf_free(&o->path);
    buf_free(&o->owner);
    buf_free(&o->gate);
}

static int parse(struct cli *cli, const struct command *self, struct restrict_options *o, int argc,
                 char **argv)
{
    const struct option options[] = {
        {.name = "account", .text = &o->account, .value = "ACCOUNT"},
        {.name = "switch", .text = &o->switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o->tenant, .value = "TENANT"},
        {.name = "operator", .flag = &o->operator_},
        {.name = "mandatory", .flag = &o->mandatory},
        {.name = "until", .text = &o->until, .value = "TIME"},
        {.name = "schedule", .text = &o->schedule, .value = "SCHEDULE"},
        {.name = "restriction", .flag = &o->restriction},
        {.name = "exception", .flag = &o->exception},
        {.name = "yes", .flag = &o->yes},
        {0},
    };
    struct fault f;

    if (options_parse(cli, argc, argv, options, 0, &o->rest, &f))
        return cli_usage(self, "%s", f.text);
    if ((o->account != NULL) + (o->tenant != NULL) + o->operator_ > 1)
        return cli_usage(
            self, "the rules are those of an account, a --tenant or the --operator: one of them");
    if (o->switch_ && (o->tenant || o->operator_))
        return cli_usage(self, "--switch tells accounts apart; it means nothing here");
    if (o->mandatory && !o->operator_)
        return cli_usage(self, "only the rules of the --operator can be --mandatory");
    return EXIT_DONE;
}

/* The account may stand in front of the prefixes: `restrict add 1001 010`. */
static int owner_of(struct cli *cli, const struct command *self, struct restrict_options *o)
{
    char id[ACCOUNT_ID_SIZE];
    json_t *account = NULL;
    struct fault f;

    if (o->tenant) {
        buf_puts(&o->path, "/v1/tenants");
        path_part(&o->path, o->tenant);
        buf_printf(&o->owner, TR(cli, "every account of tenant %s", "テナント %s の全アカウント"),
                   ESCAPED(span_of(o->tenant)));
    } else if (o->operator_) {
        buf_puts(&o->path, "/v1/operator");
        buf_puts(&o->owner, TR(cli, "every account", "全アカウント"));
    } else {
        if (!o->account && !o->rest.n)
            return cli_usage(self, "whose? an ACCOUNT, --tenant TENANT or --operator is missing");
        if (!o->account) {
            o->account = o->rest.at[0];
            memmove(o->rest.at, o->rest.at + 1, --o->rest.n * sizeof(*o->rest.at));
        }
        if (account_find(cli, o->account, o->switch_, &account, &f))
            return cli_fail(&f);
        account_id(account, id);
        buf_puts(&o->gate, json_string_value(json_object_get(account, "switch")));
        json_decref(account);
        buf_printf(&o->path, "/v1/accounts/%s", id);
        buf_printf(&o->owner, TR(cli, "account %s", "アカウント %s"), ESCAPED(span_of(o->account)));
    }
    buf_puts(&o->path, "/rules");
    if (o->path.failed || o->owner.failed || o->gate.failed)
        return (fault_nomem(&f), cli_fail(&f));
    return EXIT_DONE;
}

/* Prefixes cleaned, so that what is said and asked is what will be stored. */
static int clean(const char *word, char digits[RULE_PREFIX_MAX + 1])
{
    struct fault f;

    return rule_prefix_clean(span_of(word), digits, &f) ? cli_fail(&f) : EXIT_DONE;
}

static bool agreed(struct cli *cli, const struct restrict_options *o, const char *prefix)
{
    struct buf b = {0}, countries = {0};
    bool yes;

    proof_behind(cli, prefix, o->gate.p, &countries);
    buf_printf(&b,
               TR(cli,
                  "this opens every number that begins with %s to %s, as far as no other rule "
                  "restricts it",
                  "%s で始まるすべての番号へ %s が発信できるようになります "
                  "(ほかの規則が規制するものを除く)"),
               TR(cli, prefix, prefix), o->owner.p);
    if (countries.n)
        buf_printf(&b, TR(cli, ": %s", ": %s"), countries.p);
    yes = !b.failed && loosening(cli, o->yes, b.p);
    buf_free(&countries);
    buf_free(&b);
    return yes;
}

static int put(struct cli *cli, const struct restrict_options *o, enum rule_action action,
               const char *prefix, const char *until)
{
    json_t *body = json_object();
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    body_text(body, "until", until, true);
    body_text(body, "schedule", o->schedule, true);
    if (o->mandatory)
        json_object_set_new(body, "mandatory", json_true());
    buf_puts(&path, o->path.p);
    path_part(&path, rule_action_name(action));
    path_part(&path, prefix);
    if (path.failed ? fault_nomem(&f) : remote_call(cli, "PUT", path.p, body, &r, &f))
        code = cli_fail(&f);
    else if (cli->json)
        show_json(r.json);
    else if (action == RULE_RESTRICT)
        said(cli, TR(cli, "%s restricted for %s", "%s を規制しました (%s)"), prefix, o->owner.p);
    else
        said(cli, TR(cli, "%s excepted for %s", "%s を例外にしました (%s)"), prefix, o->owner.p);
    reply_free(&r);
    buf_free(&path);
    json_decref(body);
    return code;
}

/* Whether the owner has the rule. */
static bool has(const json_t *rules, enum rule_action action, const char *prefix)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(rules, "items"), i, rule)
    {
        const char *a = json_string_value(json_object_get(rule, "action"));
        const char *p = json_string_value(json_object_get(rule, "prefix"));

        if (a && p && strcmp(a, rule_action_name(action)) == 0 && strcmp(p, prefix) == 0)
            return true;
    }
    return false;
}

/* An exception beside a restriction of the same owner and prefix opens nothing while that is in force. */
static void tell_if_shut(struct cli *cli, const struct restrict_options *o, const char *prefix)
{
    struct reply r = {0};
    struct fault f;

    if (!remote_call(cli, "GET", o->path.p, NULL, &r, &f) && has(r.json, RULE_RESTRICT, prefix))
        cli_note(TR(cli,
                    "%s restricts %s itself, and of two rules with the same prefix the restriction "
                    "decides: while it is in force the exception opens nothing; \"sekisho restrict "
                    "remove\" lifts it",
                    "%s 自身に規制 %s "
                    "があり、同じ番号では規制が優先されるため、この例外では発信できません。"
                    "規制は sekisho restrict remove で解除できます"),
                 o->owner.p, prefix);
    reply_free(&r);
}

static int put_all(struct cli *cli, const struct command *self, enum rule_action action, int argc,
                   char **argv)
{
    struct restrict_options o = {0};
    char until[WHEN_SIZE] = "", digits[RULE_PREFIX_MAX + 1];
    struct fault f;
    int code = parse(cli, self, &o, argc, argv);

    if (!code && o.mandatory && action == RULE_EXCEPT)
        code = cli_usage(self, "a mandatory rule only restricts");
    if (!code && o.until &&
        when_parse(o.until, WHEN_FUTURE, instant_wall_s(clock_now()), until, &f))
        code = cli_usage(self, "%s", f.text);
    if (!code)
        code = owner_of(cli, self, &o);
    if (!code && !o.rest.n)
        code = cli_usage(self, "the PREFIX is missing");
    for (size_t i = 0; i < o.rest.n && !code; i++) {
        code = clean(o.rest.at[i], digits);
        if (!code && action == RULE_EXCEPT && !agreed(cli, &o, digits))
            code = EXIT_FAILED;
        if (!code)
            code = put(cli, &o, action, digits, *until ? until : NULL);
        if (!code && action == RULE_EXCEPT)
            tell_if_shut(cli, &o, digits);
    }
    forget(&o);
    return code;
}

static int add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return put_all(cli, self, RULE_RESTRICT, argc, argv);
}

static int except(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return put_all(cli, self, RULE_EXCEPT, argc, argv);
}

/* A prefix may be both a restriction (on schedule) and an exception: then which one must be said. */
static int which(struct cli *cli, const struct restrict_options *o, const char *prefix,
                 enum rule_action *action, struct fault *f)
{
    struct reply r = {0};
    int err = remote_call(cli, "GET", o->path.p, NULL, &r, f);
    bool restricted = !err && !o->exception && has(r.json, RULE_RESTRICT, prefix);
    bool excepted = !err && !o->restriction && has(r.json, RULE_EXCEPT, prefix);

    if (!err && restricted && excepted)
        err = fault(f, ERR_RANGE,
                    "%s is both a restricted number and an exception of %s; "
                    "say --restriction or --exception",
                    prefix, o->owner.p);
    else if (!err && !restricted && !excepted)
        err = fault(f, ERR_MISSING, "%s is among the rules of %s neither as %s", prefix, o->owner.p,
                    o->exception     ? "an exception nor otherwise asked for"
                    : o->restriction ? "a restricted number nor otherwise asked for"
                                     : "a restricted number nor as an exception");
    else
        *action = restricted ? RULE_RESTRICT : RULE_EXCEPT;
    reply_free(&r);
    return err;
}

static int remove_one(struct cli *cli, const struct restrict_options *o, const char *prefix)
{
    enum rule_action action = RULE_RESTRICT;
    struct buf path = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (which(cli, o, prefix, &action, &f))
        return cli_fail(&f);
    if (action == RULE_RESTRICT && !agreed(cli, o, prefix))
        return EXIT_FAILED;
    buf_puts(&path, o->path.p);
    path_part(&path, rule_action_name(action));
    path_part(&path, prefix);
    if (path.failed ? fault_nomem(&f) : remote_call(cli, "DELETE", path.p, NULL, NULL, &f))
        code = cli_fail(&f);
    else if (action == RULE_RESTRICT)
        said(cli, TR(cli, "%s no longer restricted for %s", "%s の規制を解除しました (%s)"), prefix,
             o->owner.p);
    else
        said(cli, TR(cli, "%s no longer excepted for %s", "%s の例外を取り消しました (%s)"), prefix,
             o->owner.p);
    buf_free(&path);
    return code;
}

static int remove_(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct restrict_options o = {0};
    char digits[RULE_PREFIX_MAX + 1];
    int code = parse(cli, self, &o, argc, argv);

    if (!code && (o.until || o.schedule || o.mandatory))
        code = cli_usage(self, "a rule is removed by its prefix alone");
    if (!code && o.restriction && o.exception)
        code = cli_usage(self, "--restriction and --exception contradict each other");
    if (!code)
        code = owner_of(cli, self, &o);
    if (!code && !o.rest.n)
        code = cli_usage(self, "the PREFIX is missing");
    for (size_t i = 0; i < o.rest.n && !code; i++) {
        code = clean(o.rest.at[i], digits);
        if (!code)
            code = remove_one(cli, &o, digits);
    }
    forget(&o);
    return code;
}

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct column columns[] = {
        {"prefix", "PREFIX", "番号"},       {"action", "ACTION", "種類"},
        {"until", "UNTIL", "期限"},         {"schedule", "SCHEDULE", "時間帯"},
        {"mandatory", "MANDATORY", "必須"}, {0},
    };
    struct restrict_options o = {0};
    struct reply r = {0};
    struct fault f;
    int code = parse(cli, self, &o, argc, argv);

    if (!code)
        code = owner_of(cli, self, &o);
    if (!code && o.rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(o.rest.at[0])));
    if (!code && remote_call(cli, "GET", o.path.p, NULL, &r, &f))
        code = cli_fail(&f);
    if (!code)
        code = show_array(cli, json_object_get(r.json, "items"), columns);
    reply_free(&r);
    forget(&o);
    return code;
}

#define WHOSE "(ACCOUNT [--switch SWITCH] | --tenant TENANT | --operator)"
#define WHOSE_HELP                                                                                 \
    "ACCOUNT is a name, or an id as id:12; --account ACCOUNT does the same. A PREFIX is what is "  \
    "dialled,\n"                                                                                   \
    "0101 or 010-1-212.\n"
#define WHEN_HELP                                                                                  \
    "  --until TIME          in force before it: 2026-12-01, 7d, 2026-12-01T09:00:00Z\n"           \
    "  --schedule SCHEDULE   in force only then: \"mon-fri,!holidays 09:00-18:00 Asia/Tokyo\"\n"

const struct command restrict_commands[] = {
    {.name = "list",
     .brief = "Restricted numbers and exceptions",
     .usage = "restrict list " WHOSE,
     .help = WHOSE_HELP,
     .run = list},
    {.name = "add",
     .brief = "Restrict prefixes",
     .usage = "restrict add " WHOSE " PREFIX… [--until TIME] [--schedule SCHEDULE] [--mandatory]",
     .help = WHOSE_HELP WHEN_HELP
     "  --mandatory           of the operator only: nobody below can make exceptions\n",
     .run = add},
    {.name = "except",
     .brief = "Make exceptions: open prefixes below restricted ones",
     .usage = "restrict except " WHOSE " PREFIX… [--until TIME] [--schedule SCHEDULE] [--yes]",
     .help = WHOSE_HELP WHEN_HELP "  --yes                 do not ask before opening\n",
     .run = except},
    {.name = "remove",
     .brief = "Remove restricted numbers or exceptions",
     .usage = "restrict remove " WHOSE " PREFIX… [--restriction | --exception] [--yes]",
     .help = WHOSE_HELP
     "  --restriction         the restricted number, where the prefix is an exception too\n"
     "  --exception           the exception, where it is a restricted number too\n"
     "  --yes                 do not ask before opening\n",
     .run = remove_},
    {0},
};
