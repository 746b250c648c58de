/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/local.h"
#include "cli/replay_file.h"
#include "cli/replay_show.h"
#include "cli/show.h"
#include "cli/when.h"
#include "policy/template.h"
#include "serve/replay_json.h"

#define RATES_BYTES_MAX ((size_t)32 << 20)
#define TOP_DEFAULT 20
#define TOP_MAX 100000
#define SAMPLES 20

struct replay_options {
    struct local_options local;
    struct replay_files files;
    struct words restrict_, except, countries, rest;
    const char *rules, *template, *rates, *since, *until, *top;
    bool born, csv;
    size_t n_top;
};

/* ---- what is asked -------------------------------------------------------------------------- */

static int read_time(const char *option, const char *text, int64_t *out_ms, struct fault *f)
{
    char utc[WHEN_SIZE];
    struct tm tm = {0};

    if (!text)
        return 0;
    if (when_parse(text, WHEN_PAST, instant_wall_s(clock_now()), utc, f))
        return fault_in(f, "--%s", option);
    if (!strptime(utc, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return fault(f, ERR_SYNTAX, "--%s: \"%s\" cannot be read", option, ESCAPED(span_of(text)));
    *out_ms = (int64_t)timegm(&tm) * 1000;
    return 0;
}

static int read_top(struct replay_options *o, struct fault *f)
{
    char *end = NULL;
    unsigned long n = TOP_DEFAULT;

    if (o->top)
        n = strtoul(o->top, &end, 10);
    if (o->top && (end == o->top || *end || n < 1 || n > TOP_MAX))
        return fault(f, ERR_RANGE, "--top \"%s\" is not a number from 1 to %d",
                     ESCAPED(span_of(o->top)), TOP_MAX);
    o->n_top = n;
    return 0;
}

static const char *objection(const struct replay_options *o)
{
    bool given = o->born || o->restrict_.n || o->except.n || o->rules;

    if (o->rest.n)
        return "files stand behind --file, prefixes behind --restrict and --except";
    if (!o->files.files.n)
        return "--file FILE is missing";
    if (!o->local.plan)
        return "--plan COUNTRY is missing: by which dial plan was dialled?";
    if (given && o->template)
        return "--template contradicts --born, --restrict, --except and --rules";
    if (!given && !o->template)
        return "rules are missing: --born, --restrict PREFIX, --except PREFIX, --rules FILE or "
               "--template NAME";
    if (o->countries.n && !o->template)
        return "--countries goes with --template";
    return NULL;
}

/* ---- the rules ------------------------------------------------------------------------------ */

struct judged {
    struct local local;
    struct given given;
    struct atlas *atlas;
    struct template_list *list;
    struct ruleset_pool *pool;
    struct decide_rules rules;
    struct rates *rates;
    struct replay_callers *callers;
    struct replay *replay;
};

static int from_template(struct judged *j, const struct replay_options *o, struct fault *f)
{
    struct span countries[TEMPLATE_COUNTRIES_MAX];
    struct template_wish wish = {.template = template_find(span_of(o->template)),
                                 .countries = countries};
    int err = 0;

    if (!wish.template)
        return fault(f, ERR_MISSING,
                     "there is no template \"%s\"; \"sekisho template list\" has them",
                     ESCAPED(span_of(o->template)));
    if (o->countries.n > TEMPLATE_COUNTRIES_MAX)
        return fault(f, ERR_RANGE, "more than %d countries are too many", TEMPLATE_COUNTRIES_MAX);
    while (wish.n_countries < o->countries.n) {
        countries[wish.n_countries] = span_of(o->countries.at[wish.n_countries]);
        wish.n_countries++;
    }
    err = atlas_new(&j->atlas, j->local.site, f);
    if (!err)
        err = template_new(&j->list, &wish, j->atlas, MINIMAL_WITH_EXCEPTIONS, NULL, f);
    for (size_t i = 0; !err && i < template_rules(j->list); i++) {
        struct rule rule = template_rule(j->list, i);

        err = given_add(&j->given, rule.action, rule.prefix, f);
    }
    return err;
}

static int read_rules(struct judged *j, const struct replay_options *o, struct fault *f)
{
    static const uint8_t no_secret[16]; /* only the rules of this very command line are hashed */
    int err = o->template ? from_template(j, o, f) : 0;

    if (!err && o->born)
        err = given_add(&j->given, RULE_RESTRICT, site_access_prefix(j->local.site), f);
    if (!err && o->rules)
        err = given_file(&j->given, o->rules, f);
    if (!err)
        err = given_words(&j->given, RULE_RESTRICT, &o->restrict_, "restrict", f);
    if (!err)
        err = given_words(&j->given, RULE_EXCEPT, &o->except, "except", f);
    if (!err)
        err = ruleset_pool_new(&j->pool, NULL, no_secret, f);
    return err ? err : ruleset_intern(j->pool, j->given.rules, j->given.n, &j->rules.account, f);
}

static int read_rates(struct judged *j, const char *path, struct fault *f)
{
    struct buf text = {0};
    int err = path ? file_read(path, RATES_BYTES_MAX, &text, f) : 0;

    if (!err && path)
        err = rates_new(&j->rates, span_of(path), buf_span(&text), f);
    buf_free(&text);
    return err;
}

static void forget(struct judged *j)
{
    replay_free(j->replay);
    replay_callers_free(j->callers);
    rates_free(j->rates);
    ruleset_pool_free(j->pool);
    template_free(j->list);
    atlas_free(j->atlas);
    given_free(&j->given);
    local_close(&j->local);
}

/* ---- without a daemon ----------------------------------------------------------------------- */

/* CSV goes out while calls are read: there may be more of it than fits in memory. */
struct stream {
    struct replay_tale *tale;
    bool failed;
};

static int take(void *arg, const struct replay_case *judged)
{
    struct stream *s = arg;
    struct buf *csv = s->tale->csv;
    int err = replay_json_take(s->tale, judged);

    if (!err && csv && csv->n > 65536) {
        s->failed = s->failed || fwrite(csv->p, 1, csv->n, stdout) != csv->n;
        buf_clear(csv);
    }
    return err;
}

static void say_read(const struct replay_read *read)
{
    if (read->bad)
        cli_note("%llu rows could not be read", (unsigned long long)read->bad);
    if (read->unowned)
        cli_note("%llu calls name nobody who could pay: see --payer",
                 (unsigned long long)read->unowned);
    if (read->doubtful)
        cli_note("the time of %llu records does not fit their id: is --zone right?",
                 (unsigned long long)read->doubtful);
}

static int replay_files(struct cli *cli, const struct replay_options *o, struct judged *j,
                        json_t **out, struct fault *f)
{
    struct buf csv = {0};
    struct replay_tale tale = {.name = replay_callers_name,
                               .top = o->n_top,
                               .csv = o->csv ? &csv : NULL,
                               .samples_max = o->csv ? 0 : SAMPLES};
    struct stream stream = {.tale = &tale};
    struct replay_read read = {0};
    int err = local_open(&j->local, &o->local, f);

    if (!err)
        err = read_rules(j, o, f);
    if (!err)
        err = read_rates(j, o->rates, f);
    if (!err && !(j->callers = replay_callers_new()))
        err = fault_nomem(f);
    tale.rates = j->rates;
    tale.arg = j->callers;
    const struct replay_config config = {
        .rates = j->rates, .wanted = 1u << REPLAY_REFUSED, .take = take, .arg = &stream};
    if (!err)
        err = replay_new(&j->replay, &config, f);
    if (o->csv)
        buf_puts(&csv, REPLAY_CSV_HEADER);
    if (!err)
        err = replay_files_run(cli, &o->files, j->replay, j->local.site, &j->rules, j->callers,
                               &read, f);
    say_read(&read);
    if (!err && o->csv && (stream.failed || fwrite(csv.p, 1, csv.n, stdout) != csv.n))
        err = fault(f, ERR_IO, "cannot write: %m");
    if (!err)
        err = replay_json(j->replay, &tale, out, f);
    json_decref(tale.samples);
    buf_free(&csv);
    return err;
}

/* ---- the command ---------------------------------------------------------------------------- */

static void forget_words(struct replay_options *o)
{
    words_free(&o->local.extensions);
    words_free(&o->files.files);
    words_free(&o->restrict_);
    words_free(&o->except);
    words_free(&o->countries);
    words_free(&o->rest);
}

static int run(struct cli *cli, struct replay_options *o)
{
    struct judged j = {.rates = NULL};
    json_t *json = NULL;
    struct fault f;
    int err = replay_files(cli, o, &j, &json, &f);

    if (!err && cli->json)
        show_json(json);
    else if (!err && !o->csv)
        replay_show(cli, json);
    json_decref(json);
    forget(&j);
    return err ? cli_fail(&f) : EXIT_DONE;
}

int cmd_replay(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct replay_options o = {.files = {.before_ms = INT64_MAX}};
    const struct option options[] = {
        LOCAL_OPTIONS(&o.local),
        {.name = "file", .list = &o.files.files, .value = "FILE"},
        {.name = "format", .text = &o.files.format, .value = "FORMAT"},
        {.name = "zone", .text = &o.files.zone, .value = "ZONE"},
        {.name = "mapping", .text = &o.files.mapping, .value = "FILE"},
        {.name = "payer", .text = &o.files.payer, .value = "WORDS"},
        {.name = "born", .flag = &o.born},
        {.name = "restrict", .list = &o.restrict_, .value = "PREFIX"},
        {.name = "except", .list = &o.except, .value = "PREFIX"},
        {.name = "rules", .text = &o.rules, .value = "FILE"},
        {.name = "template", .text = &o.template, .value = "TEMPLATE"},
        {.name = "countries", .list = &o.countries, .value = "COUNTRY"},
        {.name = "rates", .text = &o.rates, .value = "FILE"},
        {.name = "since", .text = &o.since, .value = "TIME"},
        {.name = "until", .text = &o.until, .value = "TIME"},
        {.name = "top", .text = &o.top, .value = "N"},
        {.name = "csv", .flag = &o.csv},
        {0},
    };
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 0, &o.rest, &f) || read_top(&o, &f) ||
        read_time("since", o.since, &o.files.from_ms, &f) ||
        read_time("until", o.until, &o.files.before_ms, &f))
        code = cli_usage(self, "%s", f.text);
    else if (objection(&o))
        code = cli_usage(self, "%s", objection(&o));
    else
        code = run(cli, &o);
    forget_words(&o);
    return code;
}
