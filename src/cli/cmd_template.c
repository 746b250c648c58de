/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/proof.h"
#include "cli/resource.h"
#include "cli/when.h"
#include "policy/template.h"
#include "serve/prove_json.h"
#include "serve/template_json.h"

#define LINE_WIDTH 96

struct template_options {
    struct local_options local;
    struct words accounts, tenants, presets, rest;
    const char *switch_, *until, *schedule;
    bool operator_, yes, dry_run, restrict_only, comments;
    char until_text[WHEN_SIZE];
    const struct template *template;
    struct span countries[TEMPLATE_COUNTRIES_MAX];
    size_t n_countries;
};

static void forget(struct template_options *o)
{
    words_free(&o->local.extensions);
    words_free(&o->accounts);
    words_free(&o->tenants);
    words_free(&o->presets);
    words_free(&o->rest);
}

/* The NAME and its COUNTRIES. */
static int name(const struct command *self, struct template_options *o)
{
    if (!o->rest.n)
        return cli_usage(self,
                         "the template's NAME is missing; \"sekisho template list\" has them");
    o->template = template_find(span_of(o->rest.at[0]));
    if (!o->template)
        return cli_usage(self, "there is no template \"%s\"; \"sekisho template list\" has them",
                         ESCAPED(span_of(o->rest.at[0])));
    if (o->rest.n - 1 > TEMPLATE_COUNTRIES_MAX)
        return cli_usage(self, "more than %d countries are too many", TEMPLATE_COUNTRIES_MAX);
    for (size_t i = 1; i < o->rest.n; i++)
        o->countries[o->n_countries++] = span_of(o->rest.at[i]);
    return EXIT_DONE;
}

/* ---- the list of templates ---- */

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    json_t *items = templates_json();
    const json_t *item;
    struct fault f;
    size_t i;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(rest.at[0])));
    else if (cli->json)
        show_json(items);
    else
        json_array_foreach(items, i, item)
        {
            const struct template *t = template_at(i);
            const struct template_words *w = TR(cli, &t->en, &t->ja);

            printf("%s%s  %s\n    %s\n", t->name,
                   template_takes_countries(t) ? TR(cli, " COUNTRY…", " 国…") : "", w->title,
                   w->text);
        }
    json_decref(items);
    words_free(&rest);
    return code;
}

/* ---- one list, without a daemon ---- */

struct shown {
    struct local local;
    struct atlas *atlas;
    struct template_list *list;
};

static int open_list(struct shown *s, const struct template_options *o, struct fault *f)
{
    enum minimal_form form = o->restrict_only ? MINIMAL_RESTRICTIONS : MINIMAL_WITH_EXCEPTIONS;
    const struct template_wish wish = {o->template, o->countries, o->n_countries};
    int err = local_open(&s->local, &o->local, f);

    if (!err)
        err = atlas_new(&s->atlas, s->local.site, f);
    return err ? err : template_new(&s->list, &wish, s->atlas, form, NULL, f);
}

/* NAME and COUNTRIES, and the list they mean. */
static int begin(struct cli *cli, const struct command *self, int argc, char **argv,
                 const struct option *options, struct template_options *o, struct shown *s)
{
    struct fault f;

    if (options_parse(cli, argc, argv, options, 1, &o->rest, &f))
        return cli_usage(self, "%s", f.text);
    int code = name(self, o);

    if (!code && open_list(s, o, &f))
        code = cli_fail(&f);
    return code;
}

static void close_list(struct shown *s)
{
    template_free(s->list);
    atlas_free(s->atlas);
    local_close(&s->local);
}

static json_t *rules_json(const struct template_list *list)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < template_rules(list); i++) {
        struct rule rule = template_rule(list, i);

        json_array_append_new(rules,
                              json_pack("{s:s, s:o}", "action", rule_action_name(rule.action),
                                        "prefix", json_stringn(rule.prefix.p, rule.prefix.n)));
    }
    return rules;
}

/* The proof of the list as the only rules of an account. */
static int prove_list(const struct shown *s, json_t **out, struct fault *f)
{
    static const uint8_t no_secret[16];
    const struct prove_json_options options = {.ranges = PROVE_JSON_OPEN};
    size_t n = template_rules(s->list);
    struct rule *rules = calloc(n + 1, sizeof(*rules));
    struct decide_rules levels = {.account = NULL};
    const struct prove_question question = {.rules = &levels};
    struct ruleset_pool *pool = NULL;
    struct prove *proof = NULL;
    int err = rules ? ruleset_pool_new(&pool, NULL, no_secret, f) : fault_nomem(f);

    for (size_t i = 0; i < n && !err; i++)
        rules[i] = template_rule(s->list, i);
    if (!err)
        err = ruleset_intern(pool, rules, n, &levels.account, f);
    if (!err)
        err = prove_new(&proof, s->atlas, &question, f);
    if (!err) {
        *out = prove_json(s->atlas, proof, &options);
        err = *out ? 0 : fault_nomem(f);
    }
    prove_free(proof);
    ruleset_pool_free(pool);
    free(rules);
    return err;
}

/* The prefixes of one action, as many on a line as it takes. */
static void say_prefixes(const json_t *rules, const char *action, const char *heading)
{
    const json_t *rule;
    size_t i, width = 0, n = 0;

    json_array_foreach(rules, i, rule)
    {
        const char *prefix = json_string_value(json_object_get(rule, "prefix"));

        if (strcmp(json_string_value(json_object_get(rule, "action")), action) != 0)
            continue;
        if (n++ == 0) {
            fputs(heading, stdout);
        } else if (width + strlen(prefix) > LINE_WIDTH) {
            fputs("\n   ", stdout);
            width = 0;
        }
        width += (size_t)printf(" %s", prefix);
    }
    if (n)
        putchar('\n');
}

static void say_rules(const struct cli *cli, const json_t *rules)
{
    say_prefixes(rules, "restrict", TR(cli, "restrict:", "規制:"));
    say_prefixes(rules, "except", TR(cli, "except:", "例外:"));
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct template_options o = {.template = NULL};
    const struct option options[] = {LOCAL_OPTIONS(&o.local), {0}};
    struct shown s = {.list = NULL};
    json_t *proof = NULL, *rules;
    struct fault f;
    int code = begin(cli, self, argc, argv, options, &o, &s);

    if (!code && prove_list(&s, &proof, &f))
        code = cli_fail(&f);
    if (!code) {
        rules = rules_json(s.list);
        if (cli->json) {
            json_t *whole = json_pack("{s:o, s:o, s:O}", "template", template_json(o.template),
                                      "rules", rules, "proof", proof);

            show_json(whole);
            json_decref(whole);
        } else {
            puts(TR(cli, o.template->en.text, o.template->ja.text));
            say_rules(cli, rules);
            proof_show(cli, proof, PROOF_SHORT, false);
            json_decref(rules);
        }
    }
    json_decref(proof);
    close_list(&s);
    forget(&o);
    return code;
}

/* ---- export ---- */

static int export(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct template_options o = {.template = NULL};
    const struct option options[] = {
        LOCAL_OPTIONS(&o.local),
        {.name = "restrict-only", .flag = &o.restrict_only},
        {.name = "comments", .flag = &o.comments},
        {0},
    };
    struct shown s = {.list = NULL};
    int code = begin(cli, self, argc, argv, options, &o, &s);

    if (!code && o.comments)
        printf("# %s: %s\n", o.template->name, TR(cli, o.template->en.text, o.template->ja.text));
    for (size_t i = 0; !code && i < template_rules(s.list); i++) {
        struct rule rule = template_rule(s.list, i);

        printf("%s%s%.*s\n", o.restrict_only ? "" : rule_action_name(rule.action),
               o.restrict_only ? "" : " ", SPAN_FMT(rule.prefix));
    }
    close_list(&s);
    forget(&o);
    return code;
}

/* ---- applying ---- */

static void add_owner(json_t *owners, const char *kind, const char *of)
{
    struct buf b = {0};

    buf_printf(&b, "%s:%s", kind, of);
    json_array_append_new(owners, json_pack("{s:s}", "owner", b.p ? b.p : ""));
    buf_free(&b);
}

static int owners(struct cli *cli, const struct template_options *o, json_t *out, struct fault *f)
{
    for (size_t i = 0; i < o->accounts.n; i++) {
        char id[ACCOUNT_ID_SIZE];
        json_t *account = NULL;
        int err = account_find(cli, o->accounts.at[i], o->switch_, &account, f);

        if (err)
            return err;
        account_id(account, id);
        json_decref(account);
        add_owner(out, "account", id);
    }
    for (size_t i = 0; i < o->tenants.n; i++)
        add_owner(out, "tenant", o->tenants.at[i]);
    for (size_t i = 0; i < o->presets.n; i++)
        add_owner(out, "preset", o->presets.at[i]);
    if (o->operator_)
        json_array_append_new(out, json_pack("{s:s}", "owner", "operator"));
    return 0;
}

static json_t *question(const struct template_options *o, json_t *of)
{
    json_t *body = json_object(), *countries = json_array();

    for (size_t i = 0; i < o->n_countries; i++)
        json_array_append_new(countries, json_stringn(o->countries[i].p, o->countries[i].n));
    json_object_set_new(body, "countries", countries);
    json_object_set(body, "owners", of);
    body_text(body, "plan", o->local.plan, false);
    /* Which switch tells accounts apart; for others it says the dial plan. */
    if (!o->accounts.n)
        body_text(body, "switch", o->switch_, false);
    body_text(body, "until", o->until ? o->until_text : NULL, false);
    body_text(body, "schedule", o->schedule, false);
    return body;
}

static int post(struct cli *cli, const struct template_options *o, const char *tail,
                const json_t *body, struct reply *r, struct fault *f)
{
    struct buf path = {0};
    int err;

    buf_puts(&path, "/v1/templates");
    path_part(&path, o->template->name);
    buf_puts(&path, tail);
    err = path.failed ? fault_nomem(f) : remote_call(cli, "POST", path.p, body, r, f);
    buf_free(&path);
    return err;
}

static void say_preview(const struct cli *cli, const json_t *item)
{
    const json_t *deviation = json_object_get(item, "deviation");

    printf("%s\n", json_string_value(json_object_get(item, "label")));
    printf(TR(cli, "%zu rules added, %zu removed. All rules:\n",
              "追加 %zu 件、削除 %zu 件。適用後の規則:\n"),
           json_array_size(json_object_get(item, "added")),
           json_array_size(json_object_get(item, "removed")));
    say_rules(cli, json_object_get(item, "rules"));
    proof_show(cli, json_object_get(item, "proof"), PROOF_SHORT, false);
    if (json_is_object(deviation))
        cli_note(TR(cli,
                    "because of other rules, this is not all as the template says (the first is "
                    "what it will be, the second the template): %s",
                    "ほかの規則があるため、テンプレートどおりにならない番号があります "
                    "(1番目は適用後、2番目はテンプレート): %s"),
                 json_string_value(
                     json_object_get(json_object_get(deviation, "text"), TR(cli, "en", "ja"))));
    putchar('\n');
}

static bool has_hours(const json_t *rules, const char *action)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(rules, i, rule)
    {
        if (json_is_string(json_object_get(rule, "schedule")) &&
            strcmp(json_string_value(json_object_get(rule, "action")), action) == 0)
            return true;
    }
    return false;
}

/* Whether any owner can then call what it cannot call now. The effect is compared as of now: what opens only
 * at its hours opens all the same. */
static bool loosens(const json_t *items)
{
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        const char *numbers =
            json_string_value(json_object_get(json_object_get(item, "effect"), "numbers"));

        if ((numbers && (strcmp(numbers, "looser") == 0 || strcmp(numbers, "different") == 0)) ||
            has_hours(json_object_get(item, "added"), "except") ||
            has_hours(json_object_get(item, "removed"), "restrict"))
            return true;
    }
    return false;
}

/* What was seen is what is changed, or nothing is. */
static void expect(json_t *of, const json_t *items)
{
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
        json_object_set(json_array_get(of, i), "change", json_object_get(item, "change"));
}

static bool agreed(const struct cli *cli, const struct template_options *o, bool opens)
{
    if (opens)
        cli_note(TR(cli, "this opens numbers that are closed now",
                    "現在規制されている番号に発信できるようになります"));
    if (o->yes)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        cli_note(TR(cli, "nothing was changed; --yes applies it without asking",
                    "変更していません。確認せずに適用するには --yes を付けてください"));
    else if (cli_confirm(TR(cli, "Apply it?", "適用しますか?")))
        return true;
    else
        cli_note(TR(cli, "nothing was changed", "変更していません"));
    return false;
}

static int carry_out(struct cli *cli, const struct template_options *o, json_t *of, struct fault *f)
{
    json_t *body = question(o, of);
    struct reply r = {0};
    const json_t *item;
    size_t i;
    int err = post(cli, o, "", body, &r, f);

    if (!err && cli->json)
        show_json(r.json);
    json_array_foreach(err ? NULL : json_object_get(r.json, "items"), i, item)
        said(cli, TR(cli, "%s applied to %s", "%s を適用しました (%s)"), o->template->name,
             json_string_value(json_object_get(item, "label")));
    reply_free(&r);
    json_decref(body);
    return err;
}

static int look_and_apply(struct cli *cli, const struct template_options *o, json_t *of)
{
    json_t *body = question(o, of);
    struct reply r = {0};
    const json_t *items, *item;
    struct fault f;
    size_t i;
    int code = EXIT_DONE;

    json_object_set_new(body, "ranges", json_string("open"));
    if (post(cli, o, "/preview", body, &r, &f))
        code = cli_fail(&f);
    items = json_object_get(r.json, "items");
    if (!code && cli->json && o->dry_run)
        show_json(r.json);
    json_array_foreach(code || cli->json ? NULL : items, i, item) say_preview(cli, item);
    if (!code && !o->dry_run) {
        expect(of, items);
        if (!agreed(cli, o, loosens(items)))
            code = EXIT_FAILED;
        else if (carry_out(cli, o, of, &f))
            code = cli_fail(&f);
    }
    reply_free(&r);
    json_decref(body);
    return code;
}

static int apply(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct template_options o = {.template = NULL};
    const struct option options[] = {
        {.name = "account", .list = &o.accounts, .value = "ACCOUNT"},
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .list = &o.tenants, .value = "TENANT"},
        {.name = "preset", .list = &o.presets, .value = "PRESET"},
        {.name = "operator", .flag = &o.operator_},
        {.name = "plan", .text = &o.local.plan, .value = "COUNTRY"},
        {.name = "until", .text = &o.until, .value = "TIME"},
        {.name = "schedule", .text = &o.schedule, .value = "SCHEDULE"},
        {.name = "dry-run", .flag = &o.dry_run},
        {.name = "yes", .flag = &o.yes},
        {0},
    };
    json_t *of = json_array();
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &o.rest, &f))
        code = cli_usage(self, "%s", f.text);
    if (!code)
        code = name(self, &o);
    if (!code && !o.accounts.n && !o.tenants.n && !o.presets.n && !o.operator_)
        code =
            cli_usage(self, "whose rules? --account, --tenant, --preset or --operator is missing");
    if (!code && o.until &&
        when_parse(o.until, WHEN_FUTURE, instant_wall_s(clock_now()), o.until_text, &f))
        code = cli_usage(self, "%s", f.text);
    if (!code && owners(cli, &o, of, &f))
        code = cli_fail(&f);
    if (!code)
        code = look_and_apply(cli, &o, of);
    json_decref(of);
    forget(&o);
    return code;
}

#define PLAN_USAGE "[--plan COUNTRY]"

const struct command template_commands[] = {
    {.name = "list", .brief = "The templates", .usage = "template list", .run = list},
    {.name = "show",
     .brief = "The list of a template, and its proof",
     .usage = "template show NAME [COUNTRY…] " PLAN_USAGE,
     .help = "Needs no daemon. Countries are two letters, as US or DE.\n"
             "  --plan COUNTRY       dial plan for which it is computed; JP without it\n",
     .run = show},
    {.name = "apply",
     .brief = "Put a template's list in place of rules on numbers abroad",
     .usage = "template apply NAME [COUNTRY…] OWNER… [--until TIME] [--schedule SCHEDULE] "
              "[--dry-run | --yes]",
     .help = "Shows what it would be, and its proof, and asks. Other rules stay.\n"
             "  --account ACCOUNT…   accounts; --switch SWITCH tells them apart\n"
             "  --tenant TENANT…     for every account of a tenant and those below it\n"
             "  --preset PRESET…     for accounts to come\n"
             "  --operator           for every account\n"
             "  --plan COUNTRY       dial plan, where switches have several\n"
             "  --until TIME         when what it opens is closed again\n"
             "  --schedule SCHEDULE  when it is open\n"
             "  --dry-run            only show it\n"
             "  --yes                do not ask\n",
     .run = apply},
    {.name = "export",
     .brief = "The list as plain text, a rule a line",
     .usage = "template export NAME [COUNTRY…] " PLAN_USAGE " [--restrict-only] [--comments]",
     .help = "Needs no daemon. \"sekisho prove\" reads such files.\n"
             "  --restrict-only      for systems that know no exceptions: a prefix a line\n"
             "  --comments           says first what it is, behind #\n",
     .run = export},
    {0},
};
