/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/json_text.h"
#include "cli/local.h"
#include "cli/show.h"
#include "numbering/numbering.h"
#include "policy/decide.h"
#include "serve/verdict_json.h"

struct check_options {
    struct local_options local;
    const char *account, *switch_, *remote, *form;
    struct words restrict_, except;
    bool born, from_stdin;
    struct words rest;
};

/* One dial plan and one set of rules: an account that exists only on the command line. */
struct checker {
    struct local local;
    struct zones *zones;
    struct ruleset_pool *pool;
    const struct ruleset *rules;
    enum number_form form;
};

static int form_of(const char *text, enum number_form *form, struct fault *f)
{
    if (!text || strcmp(text, "dialled") == 0)
        *form = FORM_DIALLED;
    else if (strcmp(text, "+e164") == 0)
        *form = FORM_PLUS_E164;
    else if (strcmp(text, "e164") == 0)
        *form = FORM_E164;
    else
        return fault(f, ERR_SYNTAX, "--form \"%s\" is not known; it is dialled, +e164 or e164",
                     ESCAPED(span_of(text)));
    return 0;
}

static int make_rules(struct checker *c, const struct check_options *o, struct fault *f)
{
    struct given given = {.rules = NULL};
    int err = 0;

    if (o->born)
        err = given_add(&given, RULE_RESTRICT, site_access_prefix(c->local.site), f);
    if (!err)
        err = given_words(&given, RULE_RESTRICT, &o->restrict_, "restrict", f);
    if (!err)
        err = given_words(&given, RULE_EXCEPT, &o->except, "except", f);
    if (!err)
        err = ruleset_intern(c->pool, given.rules, given.n, &c->rules, f);
    given_free(&given);
    return err;
}

static void checker_close(struct checker *c)
{
    ruleset_pool_free(c->pool);
    local_close(&c->local);
}

static int checker_open(struct checker *c, const struct check_options *o, struct fault *f)
{
    /* Only the rules of this very command line are hashed. */
    static const uint8_t no_secret[16];
    int err = form_of(o->form, &c->form, f);

    if (!err)
        err = local_open(&c->local, &o->local, f);
    if (!err)
        err = ruleset_pool_new(&c->pool, NULL, no_secret, f);
    if (!err)
        err = make_rules(c, o, f);
    return err;
}

static json_t *check_one(const struct checker *c, struct span dialled, bool *allowed)
{
    const struct decide_rules rules = {.account = c->rules};
    struct number number;
    struct verdict verdict;

    numbering_parse(c->local.site, dialled, &number);
    const struct decide_question question = {
        .number = &number,
        .rules = &rules,
        .site = c->local.site,
        .form = c->form,
        .when = {.now = instant_wall_s(clock_now())},
    };
    decide(&question, &verdict);
    *allowed = verdict.action == VERDICT_ALLOW;
    return verdict_json(&number, &verdict);
}

/* One object for one line, so that a program that asks stays in step with the answers. */
static int check_lines(const struct checker *c)
{
    char *line = NULL;
    size_t cap = 0, number = 0;
    struct buf dialled = {0};
    struct stat st;
    ssize_t n;
    int code = EXIT_DONE;
    bool alone = fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode), allowed;

    while ((n = getline(&line, &cap, stdin)) >= 0) {
        struct fault f;

        number++;
        if (json_text_decode((struct span){line, (size_t)n}, &dialled, &f)) {
            code = EXIT_FAILED;
            cli_note("line %zu: %s", number, f.text);
            /* A NUL is malformed in every dial plan. */
            buf_clear(&dialled);
            buf_putc(&dialled, '\0');
        }
        json_t *object = check_one(c, buf_span(&dialled), &allowed);
        if (json_dumpf(object, stdout, JSON_COMPACT) || putchar('\n') == EOF) {
            cli_note("line %zu: no answer could be written: %s", number, strerror(errno));
            code = EXIT_FAILED;
            json_decref(object);
            break;
        }
        json_decref(object);
        if (!alone)
            fflush(stdout);
    }
    if (ferror(stdin)) {
        cli_note("cannot read standard input behind line %zu: %s", number, strerror(errno));
        code = EXIT_FAILED;
    }
    buf_free(&dialled);
    free(line);
    return code;
}

static void say_verdict(struct cli *cli, const json_t *v)
{
    static const struct column columns[] = {
        {"verdict", "verdict", "判定"},
        {"reason", "reason", "理由"},
        {"rule", "rule", "規則"},
        {"action", "rule's action", "規則の種類"},
        {"level", "rule's level", "規則の階層"},
        {"class", "class", "種別"},
        {"kind", "kind", "細別"},
        {"e164", "E.164", "E.164"},
        {"country", "country", "国"},
        {"risk", "risk", "危険度"},
        {"dialled", "rules match", "規制の照合先"},
        {"dial", "to be dialled", "発信する番号"},
        {"max_seconds", "seconds at most", "最長秒数"},
        {"change", "change number", "変更番号"},
        {"observed", "observed only", "監視のみ"},
        {0},
    };

    show_object(cli, v, columns);
}

static int answer(struct cli *cli, const json_t *v)
{
    const char *verdict = json_string_value(json_object_get(v, "verdict"));

    say_verdict(cli, v);
    return verdict && strcmp(verdict, "allow") == 0 ? EXIT_DONE : EXIT_DENY;
}

static int check_local(struct cli *cli, const struct check_options *o)
{
    struct checker c = {0};
    struct fault f;
    bool allowed;
    int code;

    if (checker_open(&c, o, &f)) {
        code = cli_fail(&f);
    } else if (o->from_stdin) {
        code = check_lines(&c);
    } else {
        json_t *v = check_one(&c, span_of(o->rest.at[0]), &allowed);
        code = answer(cli, v);
        json_decref(v);
    }
    checker_close(&c);
    return code;
}

static int check_daemon(struct cli *cli, const struct check_options *o)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s*, s:s*, s:b}", "account", o->account, "number", o->rest.at[0],
                  "switch", o->switch_, "remote", o->remote, "dry_run", 1);
    struct reply r = {0};
    struct fault f;
    int code;

    if (!body) {
        fault(&f, ERR_SYNTAX, "what was given is not UTF-8; the daemon is asked in UTF-8");
        return cli_fail(&f);
    }
    if (remote_call(cli, "POST", "/v1/authorize", body, &r, &f))
        code = cli_fail(&f);
    else
        code = answer(cli, r.json);
    reply_free(&r);
    json_decref(body);
    return code;
}

/* What does not go together; NULL where all is well. */
static const char *objection(const struct check_options *o)
{
    bool rules = o->born || o->restrict_.n || o->except.n;
    bool plan = o->local.plan || o->local.outside || o->local.extensions.n || o->local.area ||
                o->local.tables || o->form;

    if (o->account && (rules || plan))
        return "--account asks the daemon about the account's own rules; "
               "--plan, --restrict and the like ask without it";
    if (o->account && o->from_stdin)
        return "--stdin goes with --plan, not with --account";
    if (!o->account && (o->switch_ || o->remote))
        return "--switch and --remote go with --account";
    if (!o->account && !o->local.plan)
        return "either --account (ask the daemon) or --plan (no daemon needed) is missing";
    if (!o->account && !rules)
        return "rules are missing: --born (the plan's international prefix restricted), "
               "--restrict PREFIX or --except PREFIX";
    if (o->from_stdin && o->rest.n)
        return "with --stdin no NUMBER stands on the command line";
    if (!o->from_stdin && o->rest.n != 1)
        return o->rest.n ? "one NUMBER at a time; --stdin takes many" : "the NUMBER is missing";
    return NULL;
}

int cmd_check(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct check_options o = {0};
    const struct option options[] = {
        LOCAL_OPTIONS(&o.local),
        {.name = "form", .text = &o.form, .value = "FORM"},
        {.name = "born", .flag = &o.born},
        {.name = "restrict", .list = &o.restrict_, .value = "PREFIX"},
        {.name = "except", .list = &o.except, .value = "PREFIX"},
        {.name = "stdin", .flag = &o.from_stdin},
        {.name = "account", .text = &o.account, .value = "ACCOUNT"},
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "remote", .text = &o.remote, .value = "ADDRESS"},
        {0},
    };
    bool lines = false;
    struct fault f;
    int code;

    for (int i = 0; i < argc; i++)
        lines = lines || strcmp(argv[i], "--stdin") == 0;
    if (options_parse(cli, argc, argv, options, lines ? 0 : 1, &o.rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (objection(&o))
        code = cli_usage(self, "%s", objection(&o));
    else
        code = o.account ? check_daemon(cli, &o) : check_local(cli, &o);
    words_free(&o.local.extensions);
    words_free(&o.restrict_);
    words_free(&o.except);
    words_free(&o.rest);
    return code;
}
