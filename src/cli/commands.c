/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include "cli/options.h"

#define PLAN_HELP                                                                                  \
    "  --plan COUNTRY       dial plan: JP\n"                                                       \
    "  --outside DIGITS     digits that take an outside line\n"                                    \
    "  --extensions PATTERN…  1XXX (X 0-9, Z 1-9, N 2-9)\n"                                      \
    "  --area AREACODE      completes local numbers: 03\n"                                         \
    "  --tables DIR         number tables that replace the compiled-in ones\n"

#define RECORDS_HELP                                                                               \
    "  --since TIME         24h, 7d, 2026-12-01, 2026-12-01T09:00:00Z\n"                           \
    "  --limit N            100 without it; 0 is all\n"

static int run_version(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (cli->json)
        printf("{\"version\":\"%s\"}\n", SEKISHO_VERSION);
    else
        printf("sekisho %s\n", SEKISHO_VERSION);
    words_free(&rest);
    return code;
}

static int run_help(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const struct command *table = commands, *found = NULL;

    for (int i = 0; i < argc; i++) {
        const struct command *c = table;

        while (c && c->name && strcmp(c->name, argv[i]) != 0)
            c++;
        if (!c || !c->name)
            return cli_usage(self, "there is no command \"%s\" to help with",
                             ESCAPED(span_of(argv[i])));
        found = c;
        table = c->sub;
    }
    if (found) {
        command_help(found);
        return EXIT_DONE;
    }
    puts("usage: sekisho [--socket PATH | --url URL --token-file FILE] [--json] [--lang en|ja] "
         "COMMAND …\n");
    for (const struct command *c = commands; c->name; c++)
        printf("  %-11s %s\n", c->name, c->brief);
    puts("\n\"sekisho help COMMAND\" says more; sekisho(1) says all.");
    return EXIT_DONE;
}

const struct command commands[] = {
    {.name = "status",
     .brief = "State of the daemon",
     .usage = "status",
     .run = cmd_status,
     .help = "Fails when something keeps Sekisho from deciding or changing.\n"},
    {.name = "switch",
     .brief = "The PBXs, proxies and SBCs that ask",
     .usage = "switch COMMAND …",
     .sub = switch_commands},
    {.name = "tenant",
     .brief = "Customers of the operator",
     .usage = "tenant COMMAND …",
     .sub = tenant_commands},
    {.name = "preset",
     .brief = "The rules that new accounts are born with",
     .usage = "preset COMMAND …",
     .sub = preset_commands},
    {.name = "account",
     .brief = "SIP lines",
     .usage = "account COMMAND …",
     .sub = account_commands},
    {.name = "restrict",
     .brief = "Restricted numbers and exceptions",
     .usage = "restrict COMMAND …",
     .sub = restrict_commands},
    {.name = "template",
     .brief = "Lists by name: only these countries, all but high risk …",
     .usage = "template COMMAND …",
     .sub = template_commands},
    {.name = "stop",
     .brief = "International off, now, for all, a tenant or an account",
     .usage = "stop [--tenant TENANT | --account ACCOUNT] [--note TEXT]\nstop --undo …\nstop list",
     .sub = stop_commands,
     .otherwise = "now"},
    {.name = "sweep",
     .brief = "Restrict who never calls abroad, undoably",
     .usage = "sweep COMMAND …",
     .sub = sweep_commands},
    {.name = "notices",
     .brief = "What tenants and the operator are told by mail",
     .usage = "notices COMMAND …",
     .sub = notices_commands,
     .otherwise = "list"},
    {.name = "check",
     .brief = "May this account call that number?",
     .usage = "check --account ACCOUNT [--switch SWITCH] [--remote ADDRESS] NUMBER\n"
              "check --plan COUNTRY [PLAN…] (--born | --restrict PREFIX… --except PREFIX…) NUMBER\n"
              "check --plan COUNTRY [PLAN…] (--born | --restrict PREFIX… --except PREFIX…) --stdin",
     .help = "The first form asks the daemon and records nothing; the others need no daemon.\n"
             "  --born               the plan's international prefix restricted\n"
             "  --stdin              reads a JSON string a line, writes an object a line\n"
             "  --form FORM          how the trunk wants numbers: dialled, +e164, e164\n" PLAN_HELP
             "Of NUMBER: exit status 0 is allow, 3 is deny.\n",
     .run = cmd_check},
    {.name = "number",
     .brief = "What a dialled string means",
     .usage = "number [--plan COUNTRY [PLAN…] | --switch SWITCH] NUMBER",
     .help = PLAN_HELP,
     .run = cmd_number},
    {.name = "prove",
     .brief = "What rules let through, and how two lists differ",
     .usage = "prove --plan COUNTRY [PLAN…] RULES [--against FILE | --against-restrict PREFIX… "
              "--against-except PREFIX…]\n"
              "prove --account ACCOUNT [--switch SWITCH] [--against-account ACCOUNT]\n"
              "prove --tenant TENANT [--plan COUNTRY | --switch SWITCH] [--against-tenant TENANT]\n"
              "prove --operator [--plan COUNTRY | --switch SWITCH]",
     .help = "The first form needs no daemon; the others ask it about the rules on all levels.\n"
             "  --born               the plan's international prefix restricted\n"
             "  --restrict PREFIX…  --except PREFIX…\n"
             "  --rules FILE         a rule a line: \"restrict 010\", \"except 0101\", or \"010\"\n"
             "  --ranges             every range that is open\n"
             "  --all                every range, every country, every remark\n"
             "  --restrictions       the same as restricted numbers alone, for other "
             "systems\n" PLAN_HELP
             "Of two lists: exit status 0 when the first lets nothing through that the second "
             "closes, else 3.\n",
     .run = cmd_prove},
    {.name = "replay",
     .brief = "What rules would have done to calls that are over",
     .usage = "replay --file FILE… --zone ZONE [--format FORMAT] --plan COUNTRY [PLAN…] RULES "
              "[--rates FILE] [--csv]",
     .help = "Needs no daemon.\n"
             "  --file FILE…         call records, plain or gzip\n"
             "  --format FORMAT      asterisk (without it), freeswitch, kamailio, mapping\n"
             "  --zone ZONE          whose clocks the records show: Asia/Tokyo, UTC\n"
             "  --mapping FILE       of --format mapping: what the columns are\n"
             "  --payer WORDS        who pays: \"accountcode, endpoint, src\"\n"
             "  --born               the plan's international prefix restricted\n"
             "  --restrict PREFIX…  --except PREFIX…  --rules FILE\n"
             "  --template TEMPLATE [--countries COUNTRY…]\n"
             "  --rates FILE         CSV: prefix, price, increment, currency\n"
             "  --since TIME  --until TIME\n"
             "  --top N              accounts and countries that are listed: 20 without it\n"
             "  --csv                the refused calls, a row each\n" PLAN_HELP,
     .run = cmd_replay},
    {.name = "complement",
     .brief = "What to restrict so that only some prefixes stay open",
     .usage = "complement --root PREFIX --allow PREFIX…",
     .help = "Only New York: complement --root 010 --allow 0101212\n",
     .run = cmd_complement},
    {.name = "bans",
     .brief = "Who is dropped now",
     .usage = "bans [--network NETWORK] [--attack KIND] [--switch SWITCH]",
     .run = cmd_bans},
    {.name = "ban",
     .brief = "Drop addresses or networks",
     .usage = "ban NETWORK… [--for SPAN] [--note TEXT] [--yes]",
     .help = "  --for SPAN           90s, 30m, 2h, 7d; without it, until unban\n",
     .run = cmd_ban},
    {.name = "unban",
     .brief = "Set addresses or networks free",
     .usage = "unban NETWORK…\nunban --direct NETWORK…",
     .help = "The second form lifts bans in the kernel itself: as root, without any daemon.\n",
     .run = cmd_unban},
    {.name = "lockouts",
     .brief = "Accounts that the guard has locked",
     .usage =
         "lockouts [--kind lockout|international|takeover] [--switch SWITCH] [--tenant TENANT]",
     .run = cmd_lockouts},
    {.name = "unlock",
     .brief = "Unlock accounts",
     .usage = "unlock ACCOUNT… [--switch SWITCH] [--yes]",
     .help = "After a takeover change the password first, or the thief is let in again.\n",
     .run = cmd_unlock},
    {.name = "known-good",
     .brief = "From where accounts are known to work",
     .usage = "known-good COMMAND …",
     .sub = known_good_commands},
    {.name = "access",
     .brief = "The networks that may reach the SIP ports",
     .usage = "access COMMAND …",
     .sub = access_commands},
    {.name = "never-ban",
     .brief = "The networks that are never dropped",
     .usage = "never-ban COMMAND …",
     .sub = never_ban_commands},
    {.name = "canary",
     .brief = "Accounts that nobody should know",
     .usage = "canary COMMAND …",
     .sub = canary_commands},
    {.name = "cdr",
     .brief = "Call records of switches",
     .usage = "cdr COMMAND …",
     .sub = cdr_commands},
    {.name = "history",
     .brief = "Where an account has called",
     .usage = "history [show] ACCOUNT [--switch SWITCH]\nhistory disown ACCOUNT …\nhistory own "
              "ACCOUNT NUMBER",
     .sub = history_commands,
     .otherwise = "show"},
    {.name = "refusals",
     .brief = "Refused calls, the newest first",
     .usage = "refusals [--account ACCOUNT] [--switch SWITCH] [--tenant TENANT] [--since TIME] "
              "[--limit N]",
     .help = RECORDS_HELP,
     .run = cmd_refusals},
    {.name = "audit",
     .brief = "Who changed what, the newest first",
     .usage =
         "audit [--account ACCOUNT [--switch SWITCH]] [--tenant TENANT] [--since TIME] [--limit N]",
     .help = RECORDS_HELP,
     .run = cmd_audit},
    {.name = "why",
     .brief = "Why an address is dropped or an account locked, or why not",
     .usage = "why ADDRESS|NETWORK\nwhy ACCOUNT[@SWITCH] [--switch SWITCH]",
     .run = cmd_why},
    {.name = "attacks",
     .brief = "What share of the attacks was what, and who came most often",
     .usage = "attacks [--since TIME] [--until TIME] [--switch SWITCH] [--top N] [--csv]",
     .help = "  --since TIME         7d (without it), 2026-12-01, 2026-12-01T09:00:00Z\n"
             "  --until TIME         the same; now without it\n"
             "  --top N              how long the lists may be: 10 without it\n"
             "  --csv                a row for each number, for spreadsheets\n",
     .run = cmd_attacks},
    {.name = "token",
     .brief = "Tokens of the HTTP API",
     .usage = "token COMMAND …",
     .sub = token_commands},
    {.name = "settings",
     .brief = "What holds for the whole platform",
     .usage = "settings [show]\nsettings set OPTION…",
     .sub = settings_commands,
     .otherwise = "show"},
    {.name = "backup",
     .brief = "A consistent copy of the store while it runs",
     .usage = "backup DIR",
     .help = "The daemon makes the directory DIR, which must not exist yet.\n",
     .run = cmd_backup},
    {.name = "doctor",
     .brief = "Finds holes in an Asterisk's configuration",
     .usage = "doctor [--asterisk DIR] [--dialplan-file FILE…] [--plan COUNTRY] [--config FILE]",
     .help = "Reads DIR, changes nothing, needs no daemon. Fails when "
             "something\n"
             "serious is found.\n"
             "  --dialplan-file FILE  read this in place of extensions.conf\n"
             "  --plan COUNTRY        whose emergency numbers must pass\n"
             "  --config FILE         sekisho.conf, which names DIR and COUNTRY where the options "
             "do not\n",
     .run = cmd_doctor},
    {.name = "version",
     .brief = "The version of this command",
     .usage = "version",
     .run = run_version},
    {.name = "help",
     .brief = "This list, or help for one command",
     .usage = "help [COMMAND [SUBCOMMAND]]",
     .run = run_help},
    {0},
};
