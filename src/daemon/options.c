/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPT_CHECK = 256, OPT_PRINT, OPT_STATE_DIR, OPT_USER, OPT_VERSION, OPT_HELP };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"print-config", optional_argument, NULL, OPT_PRINT},
    {"state-dir", required_argument, NULL, OPT_STATE_DIR},
    {"user", required_argument, NULL, OPT_USER},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

void options_help(void)
{
    puts("Usage: sekishod [-c FILE] [--state-dir DIR] [--user USER]\n"
         "       sekishod [-c FILE] --check-config\n"
         "       sekishod --print-config | --version | --help\n"
         "\n"
         "  -c, --config FILE  read FILE instead of " OPTIONS_DEFAULT_CONFIG "\n"
         "  --check-config     tell all that is wrong in it, and what is doubtful; start nothing\n"
         "  --print-config     write the default configuration, every key explained\n"
         "  --state-dir DIR    keep the store in DIR, whatever the configuration says\n"
         "  --user USER        become USER when started by root, the same\n"
         "\n"
         "SIGHUP reads the configuration and the number tables again; a wrong one is refused\n"
         "and the old one stands. SIGTERM and SIGINT end cleanly.");
}

static void take(struct options *o, int option)
{
    switch (option) {
    case 'c': o->config = optarg; break;
    case OPT_CHECK: o->action = OPTIONS_CHECK; break;
    case OPT_PRINT:
        o->action = !optarg                       ? OPTIONS_PRINT_CONFIG
                    : strcmp(optarg, "mdoc") == 0 ? OPTIONS_PRINT_MDOC
                                                  : OPTIONS_WRONG;
        if (o->action == OPTIONS_WRONG)
            fprintf(stderr, "sekishod: --print-config=%s is unknown; allowed is mdoc\n", optarg);
        break;
    case OPT_STATE_DIR: o->state_dir = optarg; break;
    case OPT_USER: o->user = optarg; break;
    case OPT_VERSION: o->action = OPTIONS_VERSION; break;
    case OPT_HELP: o->action = OPTIONS_HELP; break;
    default: o->action = OPTIONS_WRONG; break; /* getopt has said why */
    }
}

struct options options_parse(int argc, char **argv)
{
    struct options o = {.action = OPTIONS_RUN};
    int option;

    while (o.action != OPTIONS_WRONG &&
           (option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1)
        take(&o, option);
    if (o.action != OPTIONS_WRONG && optind < argc) {
        fprintf(stderr, "sekishod: \"%s\" is not an option; see sekishod --help\n", argv[optind]);
        o.action = OPTIONS_WRONG;
    }
    if (o.state_dir && o.state_dir[0] != '/') {
        fprintf(stderr, "sekishod: --state-dir must be an absolute path\n");
        o.action = OPTIONS_WRONG;
    }
    return o;
}
