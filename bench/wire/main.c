/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a packet to the guard: see README.md beside this file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_wire.h"

int main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "";

    if (strcmp(part, "path") == 0) {
        path_run();
    } else if (strcmp(part, "memory") == 0) {
        memory_run();
    } else if (strcmp(part, "flood") == 0) {
        flood_run(argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 0);
    } else {
        fprintf(stderr, "Usage: bench_wire path | memory | flood [RING_MIB]\n");
        return 2;
    }
    return 0;
}
