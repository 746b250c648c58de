/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "daemon/dialling.h"
#include "daemon/options.h"
#include "daemon/sekishod.h"
#include "daemon/settings.h"

/* Reads the configuration; what is wrong or doubtful goes to standard error. */
static int read_config(struct config **out, const struct options *options)
{
    struct config_report report = {0};
    int err = settings_load(out, options, &report);

    if (report.text.n)
        fputs(report.text.p, stderr);
    config_report_free(&report);
    return err;
}

static int check_config(const struct options *options)
{
    struct config *config = NULL;
    struct dialling dialling = {0};
    struct fault f;
    int err = read_config(&config, options);

    if (!err) {
        err = dialling_load(&dialling, config, &f);
        if (err)
            fprintf(stderr, "%s\n", f.text);
        dialling_free(&dialling);
        config_free(config);
    }
    puts(err ? "The configuration would be refused." : "The configuration is sound.");
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_config(void (*print)(struct buf *out))
{
    struct buf out = {0};

    print(&out);
    bool written = !out.failed && fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;

    buf_free(&out);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The signals that the main thread waits for; blocked before any thread is made, so that all inherit
 * it. A write to a connection that has gone must fail, not kill. */
static sigset_t own_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return set;
}

static int run(const struct options *options)
{
    struct sekishod *d = NULL;
    struct config *config = NULL;
    sigset_t set = own_signals();
    struct fault f;
    int caught = 0;

    umask(0027);
    if (read_config(&config, options) != 0)
        return EXIT_FAILURE;
    if (sekishod_start(&d, config, options, &f) != 0) {
        fprintf(stderr, "sekishod: %s\n", f.text);
        return EXIT_FAILURE;
    }
    while (sigwait(&set, &caught) == 0 && caught == SIGHUP)
        sekishod_reload(d);
    log_info("ending", LOG_TEXT("signal", caught == SIGINT ? "SIGINT" : "SIGTERM"));
    sekishod_stop(d);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);

    switch (options.action) {
    case OPTIONS_RUN: return run(&options);
    case OPTIONS_CHECK: return check_config(&options);
    case OPTIONS_PRINT_CONFIG: return print_config(config_print);
    case OPTIONS_PRINT_MDOC: return print_config(config_print_mdoc);
    case OPTIONS_VERSION: puts("sekishod " SEKISHO_VERSION); return EXIT_SUCCESS;
    case OPTIONS_HELP: options_help(); return EXIT_SUCCESS;
    case OPTIONS_WRONG: return EXIT_FAILURE;
    }
    return EXIT_FAILURE;
}
