/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "bench_guard.h"

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "lines") == 0)
        return lines_run(argv[2]);
    if (argc == 4 && strcmp(argv[1], "bans") == 0)
        return bans_run(argv[2], argv[3]);
    fputs("usage: bench_guard lines FILE | bans ENFORCER NEVER_BAN_FILE\n", stderr);
    return 2;
}
