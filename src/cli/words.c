/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/words.h"

#include <stdlib.h>

int words_add(struct words *w, const char *word, struct fault *f)
{
    const char **grown = realloc(w->at, (w->n + 1) * sizeof(*grown));

    if (!grown)
        return fault_nomem(f);
    w->at = grown;
    w->at[w->n++] = word;
    return 0;
}

void words_free(struct words *w)
{
    free(w->at);
    *w = (struct words){0};
}
