/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plausible Master.csv of any length, to standard output: cdr_generate ROWS [SEED [ACCOUNTS]] */
#include <stdio.h>
#include <stdlib.h>

#include "plausible.h"

int main(int argc, char **argv)
{
    uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    struct plausible p;
    struct buf b = {0};

    if (rows == 0) {
        fprintf(stderr, "Usage: cdr_generate ROWS [SEED [ACCOUNTS]]\n");
        return 2;
    }
    plausible_begin(&p, argc > 2 ? strtoull(argv[2], NULL, 10) : 1,
                    argc > 3 ? strtoull(argv[3], NULL, 10) : 100000);
    for (uint64_t i = 0; i < rows; i++) {
        plausible_line(&p, &b);
        if (b.n < 65536 && i + 1 < rows)
            continue;
        if (b.failed || fwrite(b.p, 1, b.n, stdout) != b.n) {
            perror("cdr_generate");
            return 1;
        }
        buf_clear(&b);
    }
    buf_free(&b);
    return 0;
}
