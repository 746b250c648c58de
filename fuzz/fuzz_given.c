/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "cli/given.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a file of rules holds: rules that are rules, no two the same, or a sentence. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct given given = {.rules = NULL};
    struct fault f = {.code = 0};
    int err = given_text(&given, (struct span){(const char *)data, size}, "list", &f);

    if ((err == 0) != (f.code == 0))
        abort();
    for (size_t i = 0; i < given.n; i++) {
        if (rule_check(&given.rules[i], &f))
            abort();
        for (size_t k = 0; k < i; k++)
            if (given.rules[k].action == given.rules[i].action &&
                span_eq(given.rules[k].prefix, given.rules[i].prefix))
                abort();
    }
    given_free(&given);
    return 0;
}
