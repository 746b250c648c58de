/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_QUESTION_H
#define SEKISHO_SERVE_QUESTION_H

#include "serve/reader.h"
#include "serve/target.h"

/* What POST /v1/authorize is asked. Spans borrow from the body, or from the tree of JSON values. */

#define QUESTION_ACCOUNT_MAX 256 /* bytes */
#define QUESTION_NUMBER_MAX 4096
#define QUESTION_REMOTE_MAX 64

struct question {
    struct span gate; /* the switch; p == NULL where it is not named */
    struct span account;
    struct span number;
    struct span remote;
    bool dry_run;
};

/*
 * Reads the object as nearly every switch writes it: strings without escapes, no dry_run. False for everything
 * else, right or wrong: question_tree() says what it is, and understands the same of what this takes.
 */
bool question_plain(struct span body, struct question *out);

/* Of any JSON object; refuses as reader_fields(). */
int question_tree(struct reader *r, json_t *json, struct question *out, struct fault *f);

/* Of a form, whose pairs were decoded. ERR_RANGE with `f` and the name of what was wrong in `parameter`, which
 * may be anything that was sent, escaped. */
int question_form(const struct target_query *form, struct question *out, char parameter[64],
                  struct fault *f);

#endif
