/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_HANDLES_H
#define SEKISHO_POLICY_HANDLES_H

#include <stdint.h>

#include "base/fault.h"

/* Small numbers for tenants' ids: 0, 1, 2 … in the order in which they were first met. A handle is
 * never another tenant's, so that accounts can keep it while levels come and go. For the writer. */
struct handles {
    struct handle {
        int64_t id;
        uint32_t handle;
    } * sorted; /* by id */
    size_t n, capacity;
};

/* Zero-initialised is empty and valid. */
int handles_get(struct handles *handles, int64_t id, uint32_t *out, struct fault *f);
void handles_clear(struct handles *handles);

#endif
