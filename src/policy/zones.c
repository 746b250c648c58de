/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/zones.h"

#include <stdlib.h>

struct zone {
    struct zone *next;
    struct tz *tz;
    size_t n;
    char name[TZ_NAME_MAX];
};

struct zones {
    zones_read_fn *read;
    void *arg;
    struct zone *first;
    size_t count;
};

int zones_new(struct zones **out, zones_read_fn *read, void *arg, struct fault *f)
{
    struct zones *zones = calloc(1, sizeof(*zones));

    if (!zones)
        return fault_nomem(f);
    zones->read = read;
    zones->arg = arg;
    *out = zones;
    return 0;
}

void zones_free(struct zones *zones)
{
    if (!zones)
        return;
    while (zones->first) {
        struct zone *zone = zones->first;

        zones->first = zone->next;
        tz_free(zone->tz);
        free(zone);
    }
    free(zones);
}

static int read_zone(struct zones *zones, struct span name, struct tz **out, struct fault *f)
{
    struct buf bytes = {0};
    int err = zones->read(zones->arg, name, &bytes, f);

    if (!err && bytes.failed)
        err = fault_nomem(f);
    if (!err)
        err = tz_new(out, buf_span(&bytes), f);
    buf_free(&bytes);
    return err;
}

int zones_find(struct zones *zones, struct span name, const struct tz **out, struct fault *f)
{
    struct zone *zone;
    int err;

    for (zone = zones->first; zone; zone = zone->next)
        if (span_eq((struct span){zone->name, zone->n}, name)) {
            *out = zone->tz;
            return 0;
        }
    if (!tz_name_valid(name))
        return fault(f, ERR_SYNTAX, "\"%s\" is no time zone; one is written \"Asia/Tokyo\"",
                     ESCAPED(name));
    if (zones->count == ZONES_MAX)
        return fault(f, ERR_FULL, "more than %d time zones are in use", ZONES_MAX);
    zone = calloc(1, sizeof(*zone));
    if (!zone)
        return fault_nomem(f);
    err = read_zone(zones, name, &zone->tz, f);
    if (err) {
        free(zone);
        fault_in(f, "time zone \"%s\"", ESCAPED(name));
        return err;
    }
    memcpy(zone->name, name.p, name.n);
    zone->n = name.n;
    zone->next = zones->first;
    zones->first = zone;
    zones->count++;
    *out = zone->tz;
    return 0;
}
