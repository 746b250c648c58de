/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_keys.h"

#include "config/config.h"

#define AT(member) offsetof(struct config, member)
#define AT_TRUNK(member) offsetof(struct config_trunk, member)
#define AT_SWITCH(member) offsetof(struct config_switch, member)
#define NAMED(type, array, up_to)                                                                  \
    .size = sizeof(struct type), .items = offsetof(struct config, array),                          \
    .count = offsetof(struct config, n_##array), .most = up_to

const struct config_section config_sections[] = {
    {.name = "daemon", .help = "The process itself."},
    {.name = "numbering",
     .help = "The number tables, and the dial plan by which emergency calls are known while the "
             "store cannot be read. The dial plan of a switch belongs to the switch, and is in "
             "the store."},
    {.name = "fastagi", .help = "Where Asterisk asks."},
    {.name = "sip",
     .help = "Where any switch asks, by an INVITE that is answered with the number to dial or a "
             "refusal."},
    {.name = "http", .help = "The HTTP API, which the command sekisho uses too."},
    {.name = "guard",
     .help =
         "The guard against brute force: what drops sources in the kernel, and when. Counts are "
         "attempts, windows and lengths seconds; the largest count of any witness decides."},
    {.name = "switch",
     .help = "One section [switch NAME] for each switch of the store that is watched: its "
             "witnesses. Without any, the store's switch local is watched by wire, and by "
             "/var/log/asterisk/security where there is such a file.",
     NAMED(config_switch, switches, CONFIG_SWITCHES_MAX)},
    {.name = "asterisk",
     .help = "What the checks need to know about the Asterisk on this machine."},
    {.name = "trunk",
     .help = "One section [trunk NAME] for each trunk, so that --check-config and sekisho doctor "
             "can tell whether emergency calls have a way out.",
     NAMED(config_trunk, trunks, CONFIG_TRUNKS_MAX)},
};
const size_t config_sections_n = sizeof(config_sections) / sizeof(*config_sections);

/* guard/limits.c has the same, and the test compares them. */
#define LIMIT(key, member, so_many, least, most, says)                                             \
    {                                                                                              \
        .section = "guard", .name = #key, .type = CONFIG_UNSIGNED, .offset = AT(limits.member),    \
        .initial = #so_many, .min = least, .max = most, .at_start = true, .help = says             \
    }

const struct config_key config_keys[] = {
    {.section = "daemon",
     .name = "state_dir",
     .type = CONFIG_PATH,
     .offset = AT(state_dir),
     .initial = "/var/lib/sekisho",
     .at_start = true,
     .help = "Directory of the store (sekisho.db, evidence.db) and of the Unix socket. The option "
             "--state-dir overrides it."},
    {.section = "daemon",
     .name = "user",
     .type = CONFIG_NAME,
     .offset = AT(user),
     .initial = "",
     .at_start = true,
     .help = "System account to run as when started by root. Empty: stay what it was started as."},
    {.section = "daemon",
     .name = "log_level",
     .type = CONFIG_CHOICE,
     .offset = AT(log_level),
     .initial = "info",
     .choices = {"error", "warning", "info", "debug"},
     .help = "What goes to standard error: this level and those before it."},
    {.section = "daemon",
     .name = "log_format",
     .type = CONFIG_CHOICE,
     .offset = AT(log_format),
     .initial = "auto",
     .choices = {"auto", "logfmt", "json"},
     .help = "auto is logfmt, without the time where standard error is the journal, which has its "
             "own."},

    {.section = "numbering",
     .name = "tables",
     .type = CONFIG_PATH,
     .offset = AT(tables),
     .initial = "",
     .help =
         "Directory whose .tsv files replace the number tables of the same name that are compiled "
         "in. A file with a fault is refused whole."},
    {.section = "numbering",
     .name = "plan",
     .type = CONFIG_COUNTRY,
     .offset = AT(plan),
     .initial = "JP",
     .help = "Dial plan of the country whose emergency numbers always pass."},
    {.section = "numbering",
     .name = "outside",
     .type = CONFIG_DIGITS,
     .offset = AT(outside),
     .initial = "",
     .help = "Digits that take an outside line."},
    {.section = "numbering",
     .name = "extensions",
     .type = CONFIG_TEXT,
     .offset = AT(extensions),
     .initial = "",
     .help =
         "Patterns of the extensions, separated by commas: X is 0-9, Z 1-9, N 2-9. A pattern that "
         "covers an emergency number is refused."},
    {.section = "numbering",
     .name = "help_lines",
     .type = CONFIG_NUMBERS,
     .offset = AT(help_lines),
     .initial = "",
     .at_start = true,
     .help =
         "Numbers that even a locked account may call, beside those of the dial plan, separated "
         "by commas, as the dial plan dials them."},
    {.section = "numbering",
     .name = "holidays",
     .type = CONFIG_DAYS,
     .offset = AT(holidays),
     .initial = "",
     .at_start = true,
     .help = "Days that count as holidays in schedules, beside the national ones, separated by "
             "commas."},
    {.section = "numbering",
     .name = "area",
     .type = CONFIG_DIGITS,
     .offset = AT(area),
     .initial = "",
     .help = "Area code with the trunk prefix, such as 03, which completes local numbers."},

    {.section = "fastagi",
     .name = "listen",
     .type = CONFIG_LISTEN,
     .offset = AT(fastagi_listen),
     .initial = "127.0.0.1:4573",
     .at_start = true,
     .help = "Addresses to listen on."},
    {.section = "fastagi",
     .name = "allow",
     .type = CONFIG_NETWORKS,
     .offset = AT(fastagi_allow),
     .initial = "",
     .help =
         "Networks that may connect at all. Empty: whoever a switch in the store lists among its "
         "addresses. An address of no switch gets no answer in either case."},
    {.section = "fastagi",
     .name = "connections",
     .type = CONFIG_UNSIGNED,
     .offset = AT(fastagi_connections),
     .initial = "4096",
     .min = 16,
     .max = 65536,
     .help = "Connections at once. Beyond it the one that has been idle for longest is closed."},
    {.section = "fastagi",
     .name = "timeout_ms",
     .type = CONFIG_UNSIGNED,
     .offset = AT(fastagi_timeout_ms),
     .initial = "2000",
     .min = 100,
     .max = 60000,
     .help = "Time for a question to arrive, and again for its answer to be taken."},

    {.section = "sip",
     .name = "listen",
     .type = CONFIG_LISTEN,
     .offset = AT(sip_listen),
     .initial = "none",
     .at_start = true,
     .help = "Addresses to listen on, over UDP and, by the key tcp, TCP: 0.0.0.0:5070, [::]:5070. "
             "Only the "
             "addresses of switches in the store are answered."},
    {.section = "sip",
     .name = "workers",
     .type = CONFIG_UNSIGNED,
     .offset = AT(sip_workers),
     .initial = "1",
     .min = 1,
     .max = 64,
     .at_start = true,
     .help = "Threads that answer over UDP. All that comes from one address and port goes to one "
             "of them."},
    {.section = "sip",
     .name = "tcp",
     .type = CONFIG_BOOL,
     .offset = AT(sip_tcp),
     .initial = "yes",
     .at_start = true,
     .help = "Listen on the same addresses over TCP too."},
    {.section = "sip",
     .name = "connections",
     .type = CONFIG_UNSIGNED,
     .offset = AT(sip_connections),
     .initial = "64",
     .min = 1,
     .max = 4096,
     .help = "TCP connections of one switch at once. Beyond it the one that has been idle for "
             "longest is "
             "closed."},
    {.section = "sip",
     .name = "timeout_s",
     .type = CONFIG_UNSIGNED,
     .offset = AT(sip_timeout_s),
     .initial = "300",
     .min = 1,
     .max = 86400,
     .help = "Seconds after which an idle TCP connection is closed; one on which a request has "
             "begun and does "
             "not end is closed after 10."},

    {.section = "http",
     .name = "listen",
     .type = CONFIG_LISTEN,
     .offset = AT(http_listen),
     .initial = "127.0.0.1:8470",
     .at_start = true,
     .help =
         "Addresses to listen on. Every request there needs a token and a host of the list below."},
    {.section = "http",
     .name = "socket",
     .type = CONFIG_PATH,
     .offset = AT(http_socket),
     .initial = "",
     .at_start = true,
     .help =
         "Unix socket for root and for the system account that Sekisho runs as, without a token. "
         "Empty: sekisho.sock in systemd's RuntimeDirectory, else in the state directory."},
    {.section = "http",
     .name = "hosts",
     .type = CONFIG_TEXT,
     .offset = AT(http_hosts),
     .initial = "localhost, 127.0.0.1, [::1]",
     .help = "Values of the Host header that are answered, without the port."},
    {.section = "http",
     .name = "connections",
     .type = CONFIG_UNSIGNED,
     .offset = AT(http_connections),
     .initial = "1024",
     .min = 8,
     .max = 65536,
     .help = "Connections at once."},
    {.section = "http",
     .name = "connections_per_address",
     .type = CONFIG_UNSIGNED,
     .offset = AT(http_per_address),
     .initial = "256",
     .min = 0,
     .max = 65536,
     .help = "Connections at once from one address; 0 is no limit of its own."},
    {.section = "http",
     .name = "timeout_s",
     .type = CONFIG_UNSIGNED,
     .offset = AT(http_timeout_s),
     .initial = "15",
     .min = 1,
     .max = 3600,
     .help = "Seconds after which an idle connection is closed."},
    {.section = "http",
     .name = "body_kib",
     .type = CONFIG_UNSIGNED,
     .offset = AT(http_body_kib),
     .initial = "1024",
     .min = 16,
     .max = 1048576,
     .help = "Largest body of a request, in KiB, but for an import."},
    {.section = "http",
     .name = "import_mib",
     .type = CONFIG_UNSIGNED,
     .offset = AT(http_import_mib),
     .initial = "512",
     .min = 1,
     .max = 4096,
     .help = "Largest body of an import of accounts, in MiB, and of those that tenants send at a "
             "time together; the daemon holds it in memory while it is read."},
    {.section = "http",
     .name = "backup_dir",
     .type = CONFIG_PATH,
     .offset = AT(http_backup_dir),
     .initial = "",
     .help =
         "Where a backup that is asked for over TCP may be written. Empty: backups are made over "
         "the Unix socket only."},

    {.section = "guard",
     .name = "enforce",
     .type = CONFIG_CHOICE,
     .offset = AT(enforce),
     .initial = "yes",
     .choices = {"yes", "observe", "no"},
     .at_start = true,
     .help = "yes: sources are dropped in the kernel and accounts locked, but for switches in mode "
             "observe. observe: every switch is observed, whatever its own mode; decisions are "
             "shown and nobody acts on them. no: the same, and sekisho-enforcer is not started, so "
             "that there is no witness wire either."},
    {.section = "guard",
     .name = "enforcer",
     .type = CONFIG_PATH,
     .offset = AT(enforcer),
     .initial = "",
     .at_start = true,
     .help =
         "The program sekisho-enforcer, which alone has privilege. It is started when sekishod is "
         "started by root. Empty: the one beside sekishod."},
    {.section = "guard",
     .name = "enforcer_user",
     .type = CONFIG_NAME,
     .offset = AT(enforcer_user),
     .initial = "nobody",
     .at_start = true,
     .help = "System account that sekisho-enforcer becomes. One of its own is better than nobody, "
             "which other programs become too."},
    {.section = "guard",
     .name = "never_ban",
     .type = CONFIG_PATH,
     .offset = AT(never_ban),
     .initial = "/etc/sekisho/never-ban",
     .at_start = true,
     .help =
         "File of root's with the networks that are never dropped, see sekisho-enforcer(8). Where "
         "there is none the first start writes one with the addresses from which somebody is "
         "logged "
         "in by SSH."},
    {.section = "guard",
     .name = "hook",
     .type = CONFIG_PATH,
     .offset = AT(hook),
     .initial = "",
     .at_start = true,
     .help = "Program that is run for each ban, lockout and takeover, with one JSON object on its "
             "standard input. Empty: none."},
    {.section = "guard",
     .name = "ban_scope",
     .type = CONFIG_CHOICE,
     .offset = AT(ban_scope),
     .initial = "sip",
     .choices = {"sip", "everything"},
     .at_start = true,
     .help = "What a banned source may not reach: the ports below, or anything on this machine."},
    {.section = "guard",
     .name = "ports",
     .type = CONFIG_PORTS,
     .offset = AT(ports),
     .initial = "udp/5060, tcp/5060, tcp/5061",
     .at_start = true,
     .help = "The SIP ports: where bans hold, and what wire listens to."},
    LIMIT(source_count, source.count, 5, 2, 500,
          "So many failures of one address, proved, that lead to a ban."),
    LIMIT(source_window, source.window, 600, 10, 86400, "The window of source_count."),
    LIMIT(source_day_count, source_day.count, 20, 2, 500, "The same over a longer time."),
    LIMIT(source_day_window, source_day.window, 86400, 3600, 604800,
          "The window of source_day_count."),
    LIMIT(noise_count, noise.count, 20, 2, 500,
          "So many probes and malformed packets of one address, proved, that lead to a ban."),
    LIMIT(noise_window, noise.window, 600, 10, 86400, "The window of noise_count."),
    LIMIT(net64_count, net64.count, 10, 2, 500,
          "So many failures within an IPv6 /64 that lead to its ban."),
    LIMIT(net64_window, net64.window, 600, 10, 86400, "The window of net64_count."),
    LIMIT(net64_day_count, net64_day.count, 40, 2, 500, "The same over a longer time."),
    LIMIT(net64_day_window, net64_day.window, 86400, 3600, 604800,
          "The window of net64_day_count."),
    LIMIT(net48_count, net48.count, 40, 2, 500,
          "So many failures within an IPv6 /48 that lead to its ban."),
    LIMIT(net48_window, net48.window, 600, 10, 86400, "The window of net48_count."),
    LIMIT(net48_day_count, net48_day.count, 160, 2, 500, "The same over a longer time."),
    LIMIT(net48_day_window, net48_day.window, 86400, 3600, 604800,
          "The window of net48_day_count."),
    LIMIT(names_count, names.count, 12, 2, 40,
          "So many accounts that one address asked for and never got within names_window: "
          "enumeration, which leads to a ban."),
    LIMIT(names_window, names.window, 600, 10, 86400, "The window of names_count."),
    LIMIT(unproved_count, unproved.count, 10, 2, 500,
          "So many failures of one address that are not proved to be its own, which lead to a "
          "quench."),
    LIMIT(unproved_window, unproved.window, 60, 10, 3600, "The window of unproved_count."),
    LIMIT(unproved_day_count, unproved_day.count, 30, 2, 500,
          "So many of them over a longer time that were guesses at passwords: from then on each "
          "leads to a quench."),
    LIMIT(unproved_day_window, unproved_day.window, 86400, 3600, 604800,
          "The window of unproved_day_count."),
    LIMIT(account_count, account.count, 10, 2, 500,
          "So many failures of one account over all addresses that lead to a lockout."),
    LIMIT(account_window, account.window, 600, 10, 86400, "The window of account_count."),
    LIMIT(account_day_count, account_day.count, 30, 2, 500, "The same over a longer time."),
    LIMIT(account_day_window, account_day.window, 86400, 3600, 604800,
          "The window of account_day_count."),
    LIMIT(account_week_count, account_week.count, 50, 2, 500, "The same over a yet longer time."),
    LIMIT(account_week_window, account_week.window, 604800, 86400, 2419200,
          "The window of account_week_count."),
    LIMIT(takeover_count, takeover, 5, 2, 500,
          "Failures of an account within account_window that make a success from a new address a "
          "takeover."),
    LIMIT(takeover_week_count, takeover_week, 20, 2, 500, "The same within account_week_window."),
    LIMIT(ban, ban, 600, 10, 2592000, "Length of a first ban."),
    LIMIT(ban_factor, ban_factor, 4, 1, 100, "How many times as long each further one is."),
    LIMIT(ban_max, ban_max, 604800, 10, 31536000, "Length of the longest."),
    LIMIT(ban_memory, ban_memory, 604800, 0, 31536000,
          "How long after a ban a return makes the next one longer."),
    LIMIT(quench, quench, 60, 10, 600,
          "How long an address that is not proved is kept from the SIP ports."),
    LIMIT(quench_max, quench_max, 600, 10, 600, "The longest that this doubles to."),
    LIMIT(lockout, lockout, 900, 10, 2592000, "Length of a first lockout."),
    LIMIT(lockout_max, lockout_max, 86400, 10, 31536000, "The longest that this doubles to."),
    LIMIT(good_days, good_days, 3, 1, 60,
          "Successes on so many days make an address known good for an account."),
    LIMIT(good_idle_days, good_idle_days, 30, 1, 365,
          "Without any success for so many days it ends."),
    LIMIT(taint_days, taint_days, 14, 0, 60,
          "For so many days a success that follows failures does not lead to known good."),
    LIMIT(office, office, 2, 1, 8, "Accounts registered at one address that make it a shared one."),
    LIMIT(memory_mib, memory_mib, 64, 1, 65536,
          "Memory of all tables together, in MiB, taken at the start."),

    {.section = "switch",
     .name = "wire",
     .type = CONFIG_BOOL,
     .offset = AT_SWITCH(wire),
     .initial = "yes",
     .at_start = true,
     .help = "Whether the packets of the SIP ports on this machine's interfaces are this switch's. "
             "Takes "
             "sekisho-enforcer."},
    {.section = "switch",
     .name = "wire_reports",
     .type = CONFIG_BOOL,
     .offset = AT_SWITCH(wire_reports),
     .initial = "yes",
     .at_start = true,
     .help = "Whether what wire sees counts by itself. If not, wire only proves what log and AMI "
             "report, a failure for a failure: the switch's own word decides what is one. Who is "
             "refused and in neither is not counted."},
    {.section = "switch",
     .name = "addresses",
     .type = CONFIG_NETWORKS,
     .offset = AT_SWITCH(addresses),
     .initial = "",
     .at_start = true,
     .help = "The addresses on which the switch speaks SIP. Empty: all of this machine's."},
    {.section = "switch",
     .name = "log",
     .type = CONFIG_PATH,
     .offset = AT_SWITCH(log),
     .initial = "",
     .at_start = true,
     .help = "The file of Asterisk's security channel, and of no other channel; the account that "
             "sekishod runs as must be able to read it. Empty: none."},
    {.section = "switch",
     .name = "hep",
     .type = CONFIG_LISTEN,
     .offset = AT_SWITCH(hep),
     .initial = "none",
     .at_start = true,
     .help = "UDP address to which the switch sends HEPv3; one of its own for each switch."},
    {.section = "switch",
     .name = "hep_from",
     .type = CONFIG_NETWORKS,
     .offset = AT_SWITCH(hep_from),
     .initial = "",
     .at_start = true,
     .help = "Networks that HEP is taken from. Empty: loopback where it listens on loopback, else "
             "the key alone decides."},
    {.section = "switch",
     .name = "hep_key_file",
     .type = CONFIG_PATH,
     .offset = AT_SWITCH(hep_key_file),
     .initial = "",
     .at_start = true,
     .help =
         "File whose first line is the auth key that HEP must carry. Empty: none is asked for."},
    {.section = "switch",
     .name = "ami",
     .type = CONFIG_LISTEN,
     .offset = AT_SWITCH(ami),
     .initial = "none",
     .at_start = true,
     .help = "Address of Asterisk's manager interface, 127.0.0.1:5038 as a rule."},
    {.section = "switch",
     .name = "ami_user",
     .type = CONFIG_TEXT,
     .offset = AT_SWITCH(ami_user),
     .initial = "",
     .at_start = true,
     .help =
         "Whom to log in as there; see docs/switches/asterisk.md for the rights that it needs."},
    {.section = "switch",
     .name = "ami_secret_file",
     .type = CONFIG_PATH,
     .offset = AT_SWITCH(ami_secret_file),
     .initial = "",
     .at_start = true,
     .help = "File whose first line is the password."},
    {.section = "switch",
     .name = "trunks",
     .type = CONFIG_HOSTS,
     .offset = AT_SWITCH(trunks),
     .initial = "",
     .at_start = true,
     .help =
         "Trunks and proxies of the switch that are not found by themselves: names and addresses, "
         "separated by commas. They are never banned; names are looked up again every minute."},

    {.section = "asterisk",
     .name = "config_dir",
     .type = CONFIG_PATH,
     .offset = AT(asterisk_dir),
     .initial = "/etc/asterisk",
     .help = "Where sekisho doctor reads Asterisk's configuration."},
    {.section = "asterisk",
     .name = "emergency_trunk",
     .type = CONFIG_NAME,
     .offset = AT(emergency_trunk),
     .initial = "",
     .help = "The [trunk] to which the dialplan sends emergency calls before it asks."},

    {.section = "trunk",
     .name = "emergency",
     .type = CONFIG_BOOL,
     .offset = AT_TRUNK(emergency),
     .initial = NULL,
     .help =
         "Whether this trunk can carry emergency calls. Many IP trunks cannot: ask the carrier."},
    {.section = "trunk",
     .name = "endpoint",
     .type = CONFIG_TEXT,
     .offset = AT_TRUNK(endpoint),
     .initial = "",
     .help = "What Asterisk calls the trunk. Empty: NAME of the section."},
};
const size_t config_keys_n = sizeof(config_keys) / sizeof(*config_keys);

const struct config_key *config_key_find(struct span section, struct span name)
{
    for (size_t i = 0; i < config_keys_n; i++)
        if (span_is(section, config_keys[i].section) && span_is(name, config_keys[i].name))
            return &config_keys[i];
    return NULL;
}

const struct config_section *config_section_of(const struct config_key *key)
{
    return config_section_find(span_of(key->section));
}

void *config_named_at(const struct config_section *section, const struct config *config, size_t i)
{
    char *items = *(char *const *)(const void *)((const char *)config + section->items);
    size_t n = *(const size_t *)(const void *)((const char *)config + section->count);

    return i < n ? items + i * section->size : NULL;
}

const struct config_section *config_section_find(struct span name)
{
    for (size_t i = 0; i < config_sections_n; i++)
        if (span_is(name, config_sections[i].name))
            return &config_sections[i];
    return NULL;
}
