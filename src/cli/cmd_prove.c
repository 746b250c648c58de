/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/local.h"
#include "cli/proof.h"
#include "cli/show.h"
#include "policy/prove.h"
#include "serve/prove_json.h"

struct prove_options {
    struct local_options local;
    struct words restrict_, except, against_restrict, against_except, rest;
    const char *file, *against_file;
    const char *account, *switch_, *tenant, *against_account, *against_tenant;
    bool operator_, born, ranges, all, restrictions;
};

/* ---- without a daemon ---- */

/* One set of rules. */
struct side {
    struct given given;
    const struct ruleset *set;
    struct decide_rules rules;
    struct prove_question question;
};

struct prover {
    struct local local;
    struct atlas *atlas;
    struct ruleset_pool *pool;
    struct side first, second;
};

static bool compares(const struct prove_options *o)
{
    return o->against_file || o->against_restrict.n || o->against_except.n;
}

static int fill(struct prover *p, struct side *side, const char *file,
                const struct words *restrict_, const struct words *except, const char *names[2],
                struct fault *f)
{
    int err = file ? given_file(&side->given, file, f) : 0;

    if (!err)
        err = given_words(&side->given, RULE_RESTRICT, restrict_, names[0], f);
    if (!err)
        err = given_words(&side->given, RULE_EXCEPT, except, names[1], f);
    if (!err)
        err = ruleset_intern(p->pool, side->given.rules, side->given.n, &side->set, f);
    side->rules.account = side->set;
    side->question.rules = &side->rules;
    side->question.when.now = instant_wall_s(clock_now());
    return err;
}

static int prover_open(struct prover *p, const struct prove_options *o, struct fault *f)
{
    /* Only the rules of this very command line are hashed. */
    static const uint8_t no_secret[16];
    const char *first[] = {"restrict", "except"};
    const char *second[] = {"against-restrict", "against-except"};
    int err = local_open(&p->local, &o->local, f);

    if (!err)
        err = atlas_new(&p->atlas, p->local.site, f);
    if (!err)
        err = ruleset_pool_new(&p->pool, NULL, no_secret, f);
    if (!err && o->born)
        err = given_add(&p->first.given, RULE_RESTRICT, site_access_prefix(p->local.site), f);
    if (!err)
        err = fill(p, &p->first, o->file, &o->restrict_, &o->except, first, f);
    if (!err && compares(o))
        err = fill(p, &p->second, o->against_file, &o->against_restrict, &o->against_except, second,
                   f);
    return err;
}

static void prover_close(struct prover *p)
{
    given_free(&p->first.given);
    given_free(&p->second.given);
    ruleset_pool_free(p->pool);
    atlas_free(p->atlas);
    local_close(&p->local);
}

static enum prove_json_ranges ranges_of(const struct prove_options *o)
{
    return o->all || o->restrictions ? PROVE_JSON_ALL : PROVE_JSON_OPEN;
}

/* What the daemon would answer. */
static int prove_local(const struct prove_options *o, json_t **out, struct fault *f)
{
    const struct prove_json_options options = {.ranges = ranges_of(o)};
    struct prove_difference difference;
    struct prover p = {.pool = NULL};
    struct prove *proof = NULL;
    int err = prover_open(&p, o, f);

    if (!err)
        err = prove_new(&proof, p.atlas, &p.first.question, f);
    if (!err && compares(o))
        err = prove_compare(&difference, p.atlas, &p.first.question, &p.second.question, f);
    if (!err) {
        *out = json_pack("{s:o, s:o}", "proof", prove_json(p.atlas, proof, &options), "difference",
                         compares(o) ? prove_difference_json(p.atlas, &difference) : json_null());
        if (!*out)
            err = fault_nomem(f);
    }
    prove_free(proof);
    prover_close(&p);
    return err;
}

/* ---- by the daemon ---- */

static int account_path(struct cli *cli, const struct prove_options *o, struct buf *path,
                        struct fault *f)
{
    json_t *account = NULL, *other = NULL;
    char id[ACCOUNT_ID_SIZE], against[ACCOUNT_ID_SIZE];
    int err = account_find(cli, o->account, o->switch_, &account, f);

    if (!err && o->against_account)
        err = account_find(cli, o->against_account, o->switch_, &other, f);
    if (!err) {
        account_id(account, id);
        buf_printf(path, "/v1/accounts/%s/prove", id);
        if (other)
            account_id(other, against);
        path_query(path, "against", other ? against : NULL);
    }
    json_decref(account);
    json_decref(other);
    return err;
}

static int prove_daemon(struct cli *cli, const struct prove_options *o, json_t **out,
                        struct fault *f)
{
    struct buf path = {0};
    struct reply r = {0};
    int err = 0;

    if (o->account) {
        err = account_path(cli, o, &path, f);
    } else {
        buf_puts(&path, o->operator_ ? "/v1/operator" : "/v1/tenants");
        if (!o->operator_)
            path_part(&path, o->tenant);
        buf_puts(&path, "/prove");
        path_query(&path, "against", o->against_tenant);
        path_query(&path, "plan", o->local.plan);
        path_query(&path, "switch", o->switch_);
    }
    path_query(&path, "ranges", ranges_of(o) == PROVE_JSON_ALL ? "all" : "open");
    if (!err)
        err = path.failed ? fault_nomem(f) : remote_call(cli, "GET", path.p, NULL, &r, f);
    if (!err)
        *out = json_incref(r.json);
    reply_free(&r);
    buf_free(&path);
    return err;
}

/* ---- the command ---- */

static bool asks_daemon(const struct prove_options *o)
{
    return o->account || o->tenant || o->operator_;
}

/* What does not go together; NULL where all is well. */
static const char *objection(const struct prove_options *o)
{
    bool asks = asks_daemon(o);
    bool rules = o->born || o->restrict_.n || o->except.n || o->file;

    if (o->rest.n)
        return "prefixes stand behind --restrict and --except";
    if ((o->account != NULL) + (o->tenant != NULL) + o->operator_ > 1)
        return "--account, --tenant and --operator contradict each other";
    if (asks && (rules || compares(o)))
        return "--account, --tenant and --operator ask the daemon about the rules that it has; "
               "--restrict, --against and the like are proved without it";
    if (asks && (o->local.outside || o->local.extensions.n || o->local.area || o->local.tables ||
                 (o->account && o->local.plan)))
        return "the daemon knows the dial plan itself";
    if (!asks && !o->local.plan)
        return "either --account, --tenant or --operator (ask the daemon) or --plan (no daemon "
               "needed) is missing";
    if (!asks && !rules)
        return "rules are missing: --born (the plan's international prefix restricted), "
               "--restrict PREFIX, --except PREFIX or --rules FILE";
    if (!asks && o->switch_)
        return "--switch goes with --account, --tenant or --operator";
    if ((o->against_account && !o->account) || (o->against_tenant && !o->tenant))
        return "--against-account goes with --account, --against-tenant with --tenant";
    return NULL;
}

/* Nothing that the second closes is open in the first. */
static bool not_looser(const json_t *difference)
{
    const char *numbers = json_string_value(json_object_get(difference, "numbers"));

    return numbers && (strcmp(numbers, "equal") == 0 || strcmp(numbers, "stricter") == 0);
}

static int answer(struct cli *cli, const struct prove_options *o, const json_t *answer)
{
    const json_t *proof = json_object_get(answer, "proof");
    const json_t *difference = json_object_get(answer, "difference");

    if (o->restrictions)
        return proof_export(cli, proof);
    if (cli->json) {
        show_json(answer);
    } else {
        if (json_is_object(difference))
            puts(json_string_value(
                json_object_get(json_object_get(difference, "text"), TR(cli, "en", "ja"))));
        proof_show(cli, proof, o->all ? PROOF_ALL : o->ranges ? PROOF_RANGES : PROOF_SHORT, true);
    }
    return json_is_object(difference) && !not_looser(difference) ? EXIT_DENY : EXIT_DONE;
}

static void forget(struct prove_options *o)
{
    words_free(&o->local.extensions);
    words_free(&o->restrict_);
    words_free(&o->except);
    words_free(&o->against_restrict);
    words_free(&o->against_except);
    words_free(&o->rest);
}

int cmd_prove(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct prove_options o = {.file = NULL};
    const struct option options[] = {
        LOCAL_OPTIONS(&o.local),
        {.name = "born", .flag = &o.born},
        {.name = "restrict", .list = &o.restrict_, .value = "PREFIX"},
        {.name = "except", .list = &o.except, .value = "PREFIX"},
        {.name = "rules", .text = &o.file, .value = "FILE"},
        {.name = "against-restrict", .list = &o.against_restrict, .value = "PREFIX"},
        {.name = "against-except", .list = &o.against_except, .value = "PREFIX"},
        {.name = "against", .text = &o.against_file, .value = "FILE"},
        {.name = "account", .text = &o.account, .value = "ACCOUNT"},
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "operator", .flag = &o.operator_},
        {.name = "against-account", .text = &o.against_account, .value = "ACCOUNT"},
        {.name = "against-tenant", .text = &o.against_tenant, .value = "TENANT"},
        {.name = "ranges", .flag = &o.ranges},
        {.name = "all", .flag = &o.all},
        {.name = "restrictions", .flag = &o.restrictions},
        {0},
    };
    json_t *json = NULL;
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 0, &o.rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (objection(&o))
        code = cli_usage(self, "%s", objection(&o));
    else if (asks_daemon(&o) ? prove_daemon(cli, &o, &json, &f) : prove_local(&o, &json, &f))
        code = cli_fail(&f);
    else
        code = answer(cli, &o, json);
    json_decref(json);
    forget(&o);
    return code;
}
