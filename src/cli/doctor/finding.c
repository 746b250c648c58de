/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/finding.h"

#include <stdlib.h>

static bool same(const struct finding *a, const struct finding *b)
{
    return strcmp(a->id, b->id) == 0 && a->at.line == b->at.line && !a->at.file == !b->at.file &&
           (!a->at.file || strcmp(a->at.file, b->at.file) == 0) && strcmp(a->what, b->what) == 0;
}

void finding_add(struct findings *f, const struct finding *finding)
{
    for (size_t i = 0; i < f->n; i++)
        if (same(&f->all[i], finding))
            return;
    ARENA_ADD(f->arena, f->all, f->n) = *finding;
}

static int compare(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    int order = strcmp(x->at.file ? x->at.file : "", y->at.file ? y->at.file : "");
    if (order)
        return order;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    order = strcmp(x->id, y->id);
    return order ? order : strcmp(x->what, y->what);
}

void findings_sort(struct findings *f)
{
    if (f->n)
        qsort(f->all, f->n, sizeof(*f->all), compare);
}

bool findings_serious(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->all[i].severity == SERIOUS)
            return true;
    return false;
}

const char *place_text(struct arena *a, struct place at)
{
    if (!at.file)
        return "configuration";
    return at.line ? arena_format(a, "%s:%u", at.file, at.line) : at.file;
}
