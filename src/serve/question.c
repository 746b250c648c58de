/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/question.h"

#include <stdio.h>

#include "serve/flat.h"

/* The texts first. */
enum { GATE, ACCOUNT, NUMBER, REMOTE, TEXTS, DRY_RUN = TEXTS, FIELDS };

static const char *const names[FIELDS] = {"switch", "account", "number", "remote", "dry_run"};

/* The fields of a question, to be read into `q`. */
struct table {
    struct field fields[FIELDS];
};

static struct table table_of(struct question *q)
{
    return (struct table){{
        [GATE] = {.name = names[GATE], .kind = FIELD_NAME, .out = &q->gate},
        [ACCOUNT] = {.name = names[ACCOUNT],
                     .kind = FIELD_BYTES,
                     .out = &q->account,
                     .required = true,
                     .max = QUESTION_ACCOUNT_MAX},
        [NUMBER] = {.name = names[NUMBER],
                    .kind = FIELD_BYTES,
                    .out = &q->number,
                    .required = true,
                    .max = QUESTION_NUMBER_MAX},
        [REMOTE] = {.name = names[REMOTE],
                    .kind = FIELD_BYTES,
                    .out = &q->remote,
                    .max = QUESTION_REMOTE_MAX},
        [DRY_RUN] = {.name = names[DRY_RUN], .kind = FIELD_BOOL, .out = &q->dry_run},
    }};
}

bool question_plain(struct span body, struct question *out)
{
    struct question q = {0};
    struct table table = table_of(&q);
    struct span values[TEXTS];

    if (!flat_read(body, names, TEXTS, values) || !values[ACCOUNT].p || !values[NUMBER].p)
        return false;
    for (size_t i = 0; i < TEXTS; i++)
        if (values[i].p && reader_text(&table.fields[i], values[i], NULL))
            return false;
    *out = q;
    return true;
}

int question_tree(struct reader *r, json_t *json, struct question *out, struct fault *f)
{
    struct question q = {0};
    struct table table = table_of(&q);
    int rc = reader_fields(r, "", json, table.fields, FIELDS, f);

    if (!rc)
        *out = q;
    return rc;
}

static int refuse(char parameter[64], const char *name, struct fault *f, const char *why)
{
    snprintf(parameter, 64, "%s", name);
    return fault(f, ERR_RANGE, "%s%s", name, why);
}

/* One pair of a form. */
static int take(struct table *table, const struct target_pair *pair, char parameter[64],
                struct fault *f)
{
    size_t i = 0;

    while (i < FIELDS && !span_is(pair->key, names[i]))
        i++;
    if (i == FIELDS) {
        snprintf(parameter, 64, "%s", ESCAPED(pair->key));
        return fault(
            f, ERR_RANGE,
            "there is no field \"%s\" here; allowed are switch, account, number, remote, dry_run",
            ESCAPED(pair->key));
    }
    struct field *field = &table->fields[i];
    if (i == DRY_RUN) {
        bool *dry_run = field->out;

        if (!span_is(pair->value, "true") && !span_is(pair->value, "false"))
            return refuse(parameter, "dry_run", f, " must be true or false");
        *dry_run = span_is(pair->value, "true");
        return 0;
    }
    const struct span *text = field->out;
    if (text->p)
        return refuse(parameter, field->name, f, " stands twice");
    int rc = reader_text(field, pair->value, f);
    if (rc)
        snprintf(parameter, 64, "%s", field->name);
    return rc;
}

int question_form(const struct target_query *form, struct question *out, char parameter[64],
                  struct fault *f)
{
    struct question q = {0};
    struct table table = table_of(&q);
    int rc = 0;

    for (size_t i = 0; !rc && i < form->n; i++)
        rc = take(&table, &form->pairs[i], parameter, f);
    if (!rc && !q.account.p)
        rc = refuse(parameter, "account", f, " is missing");
    if (!rc && !q.number.p)
        rc = refuse(parameter, "number", f, " is missing");
    if (!rc)
        *out = q;
    return rc;
}
