/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/resource.h"

#include <stdlib.h>

static const struct column columns[] = {
    {"name", "NAME", "名前"},
    {"plan", "PLAN", "番号計画"},
    {"mode", "MODE", "動作"},
    {"unknown", "UNKNOWN", "未知"},
    {"form", "FORM", "形式"},
    {"addresses", "ADDRESSES", "アドレス"},
    {0},
};

static const struct column fields[] = {
    {"name", "name", "名前"},
    {"addresses", "addresses", "アドレス"},
    {"plan", "dial plan", "番号計画"},
    {"outside", "outside line", "外線発信番号"},
    {"extensions", "extensions", "内線"},
    {"area", "area code", "市外局番"},
    {"form", "form of numbers", "番号の形式"},
    {"mode", "mode", "動作"},
    {"unknown", "unknown accounts", "未知のアカウント"},
    {"adopt_tenant", "adopted into tenant", "引き取り先テナント"},
    {"tenants", "tenants in reach", "対象テナント"},
    {"sip_account", "account over SIP", "SIPのアカウント"},
    {"sip_allow", "allowed over SIP by", "SIPの許可応答"},
    {"sip_deny", "refused over SIP by", "SIPの拒否応答"},
    {"fail_open", "goes on without Sekisho", "無応答時に発信"},
    {"change", "change number", "変更番号"},
    {0},
};

static const struct resource kind = {"/v1/switches", "switch", "スイッチ", columns, fields};

struct switch_options {
    struct words addresses, extensions, tenants, rest;
    const char *plan, *outside, *area, *form, *mode, *unknown, *adopt;
    const char *sip_account, *sip_allow, *sip_deny, *fail_open;
    bool yes;
};

static bool is_code(const char *text)
{
    return strlen(text) == 3 && strspn(text, "0123456789") == 3;
}

/* What the daemon cannot tell since it would not get it. */
static int check_sip(const struct command *self, const struct switch_options *o)
{
    if (o->sip_allow && !is_code(o->sip_allow))
        return cli_usage(self, "--sip-allow is 302, 404 or 503");
    if (o->sip_deny && !is_code(o->sip_deny))
        return cli_usage(self, "--sip-deny is 603, 403 or 608");
    if (o->fail_open && strcmp(o->fail_open, "yes") != 0 && strcmp(o->fail_open, "no") != 0)
        return cli_usage(self, "--fail-open is yes or no");
    return EXIT_DONE;
}

static int parse(struct cli *cli, const struct command *self, struct switch_options *o, int argc,
                 char **argv)
{
    const struct option options[] = {
        {.name = "address", .list = &o->addresses, .value = "ADDRESS"},
        {.name = "plan", .text = &o->plan, .value = "COUNTRY"},
        {.name = "outside", .text = &o->outside, .value = "DIGITS"},
        {.name = "extensions", .list = &o->extensions, .value = "PATTERN"},
        {.name = "area", .text = &o->area, .value = "AREACODE"},
        {.name = "form", .text = &o->form, .value = "dialled|+e164|e164"},
        {.name = "mode", .text = &o->mode, .value = "enforce|observe"},
        {.name = "unknown", .text = &o->unknown, .value = "born|deny"},
        {.name = "adopt-tenant", .text = &o->adopt, .value = "TENANT"},
        {.name = "tenant", .list = &o->tenants, .value = "TENANT"},
        {.name = "sip-account", .text = &o->sip_account, .value = "HEADER|subdomain"},
        {.name = "sip-allow", .text = &o->sip_allow, .value = "302|404|503"},
        {.name = "sip-deny", .text = &o->sip_deny, .value = "603|403|608"},
        {.name = "fail-open", .text = &o->fail_open, .value = "yes|no"},
        {.name = "yes", .flag = &o->yes},
        {0},
    };
    struct fault f;

    if (options_parse(cli, argc, argv, options, 1, &o->rest, &f))
        return cli_usage(self, "%s", f.text);
    if (o->rest.n != 1)
        return cli_usage(self, o->rest.n ? "one switch at a time" : "the switch's NAME is missing");
    return check_sip(self, o);
}

static void body_code(json_t *b, const char *name, const char *text)
{
    if (text)
        json_object_set_new(b, name, json_integer(strtol(text, NULL, 10)));
}

static json_t *body(const struct switch_options *o)
{
    json_t *b = json_object();

    body_words(b, "addresses", &o->addresses, false);
    body_text(b, "plan", o->plan, false);
    body_text(b, "outside", o->outside, false);
    body_words(b, "extensions", &o->extensions, true);
    body_text(b, "area", o->area, false);
    body_text(b, "form", o->form, false);
    body_text(b, "mode", o->mode, false);
    body_text(b, "unknown", o->unknown, false);
    body_text(b, "adopt_tenant", o->adopt, true);
    body_words(b, "tenants", &o->tenants, false);
    body_text(b, "sip_account", o->sip_account, false);
    body_code(b, "sip_allow", o->sip_allow);
    body_code(b, "sip_deny", o->sip_deny);
    if (o->fail_open)
        json_object_set_new(b, "fail_open", json_boolean(strcmp(o->fail_open, "yes") == 0));
    return b;
}

static void forget(struct switch_options *o)
{
    words_free(&o->addresses);
    words_free(&o->extensions);
    words_free(&o->tenants);
    words_free(&o->rest);
}

/* Mode observe lets everything out: say so, and ask where somebody can answer. */
static bool agreed(const struct cli *cli, const struct switch_options *o)
{
    if (o->fail_open && strcmp(o->fail_open, "yes") == 0 &&
        !loosening(cli, o->yes,
                   TR(cli,
                      "with fail-open a switch that is told to go on by 404 or 503 puts calls "
                      "through unchecked while Sekisho does not answer",
                      "fail-openでは、関所が応答しない間、発信が検査されずに通ることがあります")))
        return false;
    if (!o->mode || strcmp(o->mode, "observe") != 0)
        return true;
    return loosening(cli, o->yes,
                     TR(cli,
                        "mode observe refuses no call of this switch, it only records "
                        "what it would have refused",
                        "監視モードではこのスイッチの発信を一切拒否せず、記録だけします"));
}

static int add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct switch_options o = {0};
    int code = parse(cli, self, &o, argc, argv);

    if (!code && !o.plan)
        code = cli_usage(
            self, "--plan is missing: the country whose dial plan the switch has, such as JP");
    if (!code && !agreed(cli, &o))
        code = EXIT_FAILED;
    if (!code) {
        json_t *b = body(&o);
        json_object_set_new(b, "name", json_string(o.rest.at[0]));
        code = resource_add(cli, &kind, b);
    }
    forget(&o);
    return code;
}

static int set(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct switch_options o = {0};
    int code = parse(cli, self, &o, argc, argv);
    json_t *b = code ? NULL : body(&o);

    if (!code && !json_object_size(b))
        code = cli_usage(self, "nothing to set");
    if (!code && !agreed(cli, &o))
        code = EXIT_FAILED;
    if (!code)
        code = resource_set(cli, &kind, o.rest.at[0], json_incref(b));
    json_decref(b);
    forget(&o);
    return code;
}

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_list(cli, self, &kind, argc, argv);
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_show(cli, self, &kind, argc, argv);
}

static int remove_(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_remove(cli, self, &kind, argc, argv);
}

#define SWITCH_OPTIONS                                                                             \
    "  --address ADDRESS…     who asks from there is this switch (addresses, or networks as "    \
    "CIDR)\n"                                                                                      \
    "  --plan COUNTRY         dial plan: JP\n"                                                     \
    "  --outside DIGITS       digits that take an outside line\n"                                  \
    "  --extensions PATTERN…  1XXX (X 0-9, Z 1-9, N 2-9)\n"                                      \
    "  --area AREACODE        completes local numbers: 03\n"                                       \
    "  --form FORM            how the trunk wants numbers: dialled, +e164, e164\n"                 \
    "  --mode MODE            enforce, or observe (refuse nothing, record)\n"                      \
    "  --unknown WHAT         unknown accounts: born (adopt them restricted) or deny\n"            \
    "  --adopt-tenant TENANT  where adopted accounts go; \"\" for nowhere\n"                       \
    "  --tenant TENANT…       tenants in reach; \"\" for all\n"                                  \
    "  --sip-account HEADER   what names the account over SIP: P-Asserted-Identity, From, "        \
    "another\n"                                                                                    \
    "                         header field, or subdomain (of the Request-URI)\n"                   \
    "  --sip-allow CODE       how a call is allowed over SIP: 302; 404 or 503 with --fail-open "   \
    "yes\n"                                                                                        \
    "  --sip-deny CODE        how it is refused: 603, 403 or 608\n"                                \
    "  --fail-open yes|no     calls may go out where Sekisho does not answer\n"                    \
    "  --yes                  do not ask before loosening\n"

const struct command switch_commands[] = {
    {.name = "list", .brief = "The switches", .usage = "switch list", .run = list},
    {.name = "show", .brief = "One switch", .usage = "switch show NAME", .run = show},
    {.name = "add",
     .brief = "Add a switch",
     .usage = "switch add NAME --plan COUNTRY [OPTION…]",
     .help = SWITCH_OPTIONS,
     .run = add},
    {.name = "set",
     .brief = "Change a switch",
     .usage = "switch set NAME OPTION…",
     .help = SWITCH_OPTIONS,
     .run = set},
    {.name = "remove",
     .brief = "Remove switches that have no accounts",
     .usage = "switch remove NAME…",
     .run = remove_},
    {0},
};
