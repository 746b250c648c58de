/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/doctor/contacts.h"
#include "cli/doctor/reach.h"
#include "cli/doctor/report.h"
#include "cli/doctor/settings.h"
#include "cli/local.h"
#include "config/config.h"

#define CONFIG_FILE "/etc/sekisho/sekisho.conf"

static int read_dialplan(struct dialplan *out, const char *dir, const struct words *files,
                         struct findings *findings, struct fault *f)
{
    struct astconf conf = {0};
    int err = 0;

    if (!files->n)
        err = astconf_read(&conf, dir, "extensions.conf", findings, f);
    for (size_t i = 0; i < files->n && !err; i++) {
        /* A file that was named must be there, and is named from the working directory. */
        char *path = realpath(files->at[i], NULL);
        if (!path)
            return fault(f, ERR_IO, "cannot read %s: %m", files->at[i]);
        err = astconf_read(&conf, dir, arena_copy(findings->arena, span_of(path)).p, findings, f);
        free(path);
    }
    if (!err)
        dialplan_read(out, &conf, findings);
    return err;
}

/* Field `i` of a line of TSV. */
static struct span field(struct span line, size_t i)
{
    struct span one = span_cut(line, '\t', &line);

    while (i--)
        one = span_cut(line, '\t', &line);
    return one;
}

/*
 * The emergency numbers of the country's own: what dialplans.tsv lists (columns iso and
 * emergency_numbers). Others are emergency numbers too, for handsets from abroad (112 and 911 in
 * Japan), but nobody is obliged to route them.
 */
static size_t required_numbers(struct span plan, struct span out[16])
{
    size_t n_files, n = 0;
    const struct tables_file *files = tables_builtin(&n_files);

    for (size_t i = 0; i < n_files; i++) {
        struct span rest = files[i].content;

        while (span_is(files[i].name, "dialplans.tsv") && rest.n) {
            struct span line = span_cut(rest, '\n', &rest), numbers = field(line, 8);

            while (span_eq_nocase(field(line, 0), plan) && numbers.n && n < 16)
                out[n++] = span_cut(numbers, ',', &numbers);
        }
    }
    return n;
}

static int examine(const char *dir, const struct words *files, const struct site *site,
                   struct span plan, struct findings *findings, struct fault *f)
{
    struct dialplan dialplan = {0};
    struct devices devices = {0};
    struct roots roots = {0};
    struct stat st;
    int err = 0;

    if (stat(dir, &st) || !S_ISDIR(st.st_mode))
        return fault(f, ERR_MISSING,
                     "there is no directory %s; --asterisk names that of Asterisk's configuration",
                     dir);
    err = devices_read(&devices, dir, findings, f);
    if (!err)
        err = roots_read(&roots, dir, &devices, findings, f);
    if (!err)
        err = read_dialplan(&dialplan, dir, files, findings, f);
    if (!err)
        err = settings_check(dir, findings, f);
    if (!err)
        err = contacts_check(dir, &devices, findings, f);
    if (err)
        return err;
    struct reach reach = {
        .dialplan = &dialplan, .devices = &devices, .roots = &roots, .findings = findings};
    struct span required[16];
    reach.emergency = site_emergency_numbers(site, &reach.n_emergency);
    reach.required = required;
    reach.n_required = required_numbers(plan, required);
    contacts_followed(&dialplan, &devices, &roots, findings);
    reach_trunks(&reach);
    reach_emergency(&reach);
    reach_site(&reach);
    return 0;
}

/*
 * Where Asterisk's configuration is and whose dial plan counts, as sekisho.conf says, unless the command
 * line does. A file that was named must be good; without one, the default file counts where it can be
 * read, since the doctor needs no daemon.
 */
static int read_config(struct config **out, const char *path, struct fault *f)
{
    const char *file = path ? path : CONFIG_FILE;
    struct config_report said = {0};
    struct span first, rest;
    int err = 0;

    if (path || access(file, R_OK) == 0)
        err = config_load(out, file, &said);
    if (err) {
        first = span_cut(buf_span(&said.text), '\n', &rest);
        err = fault(f, err, "%.*s", SPAN_FMT(first));
    }
    config_report_free(&said);
    return err;
}

static int report(struct cli *cli, struct findings *findings)
{
    findings_sort(findings);
    findings_print(findings, cli);
    if (!findings->n && !cli->json)
        puts(TR(cli, "nothing found", "問題は見つかりませんでした"));
    return findings_serious(findings) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_doctor(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words files = {0}, rest = {0};
    struct local_options plan = {0};
    const char *dir = NULL, *config_file = NULL;
    struct config *config = NULL;
    const struct option options[] = {
        {.name = "asterisk", .text = &dir, .value = "DIR"},
        {.name = "dialplan-file", .list = &files, .value = "FILE"},
        {.name = "plan", .text = &plan.plan, .value = "COUNTRY"},
        {.name = "config", .text = &config_file, .value = "FILE"},
        {0},
    };
    struct findings findings = {.arena = arena_new()};
    struct local local = {0};
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "\"%s\" is too much here; --asterisk names the directory",
                         ESCAPED(span_of(rest.at[0])));
    else if (read_config(&config, config_file, &f))
        code = cli_fail(&f);
    else {
        if (!dir)
            dir = config ? config->asterisk_dir : "/etc/asterisk";
        if (!plan.plan)
            plan.plan = config ? config->plan : "JP";
        if (local_open(&local, &plan, &f) ||
            examine(dir, &files, local.site, span_of(plan.plan), &findings, &f))
            code = cli_fail(&f);
        else
            code = report(cli, &findings);
    }
    local_close(&local);
    config_free(config);
    arena_free(findings.arena);
    words_free(&files);
    words_free(&rest);
    return code;
}
