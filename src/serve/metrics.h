/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_METRICS_H
#define SEKISHO_SERVE_METRICS_H

#include <stdint.h>

#include "base/buf.h"

/*
 * Prometheus' text format 0.0.4: families, each named once, with its samples behind it. Pure. Names and help are literals
 * of ours; values of labels may hold any bytes: what is no UTF-8 or cannot be seen is written as escape() does.
 */
enum metrics_type { METRICS_COUNTER, METRICS_GAUGE };

struct metrics {
    struct buf out;
    const char *name; /* of the family at hand */
};

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* `name` without "sekisho_"; of a counter it ends in "_total". */
void metrics_family(struct metrics *m, enum metrics_type type, const char *name, const char *help);

struct metrics_label {
    const char *name;
    struct span value;
};

/* A sample of the family at hand; labels of it in whatever order, but always the same ones. */
void metrics_sample(struct metrics *m, const struct metrics_label *labels, size_t n,
                    uint64_t value);
void metrics_sample_seconds(struct metrics *m, int64_t milliseconds);

/* A family of one sample without labels. */
void metrics_one(struct metrics *m, enum metrics_type type, const char *name, const char *help,
                 uint64_t value);
/* The next sample, with one label. */
void metrics_word(struct metrics *m, const char *label, const char *word, uint64_t value);

#endif
