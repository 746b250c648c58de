/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/handles.h"

#include <stdlib.h>

static int grow(struct handles *handles, struct fault *f)
{
    size_t capacity = handles->capacity ? handles->capacity * 2 : 16;
    void *p;

    if (handles->n < handles->capacity)
        return 0;
    p = reallocarray(handles->sorted, capacity, sizeof(*handles->sorted));
    if (!p)
        return fault_nomem(f);
    handles->sorted = p;
    handles->capacity = capacity;
    return 0;
}

int handles_get(struct handles *handles, int64_t id, uint32_t *out, struct fault *f)
{
    size_t low = 0, high = handles->n;
    int err;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (handles->sorted[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == handles->n || handles->sorted[low].id != id) {
        err = grow(handles, f);
        if (err)
            return err;
        memmove(&handles->sorted[low + 1], &handles->sorted[low],
                (handles->n - low) * sizeof(*handles->sorted));
        handles->sorted[low] = (struct handle){id, (uint32_t)handles->n};
        handles->n++;
    }
    *out = handles->sorted[low].handle;
    return 0;
}

void handles_clear(struct handles *handles)
{
    free(handles->sorted);
    *handles = (struct handles){0};
}
