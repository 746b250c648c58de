/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/change.h"

static const struct change_kind settings_kind = {
    "settings",
    "SELECT 'settings', 'settings', NULL, NULL, change FROM settings WHERE id = ?1",
    "SELECT json_object('refusal_days', refusal_days, 'refusals_max', refusals_max,"
    " 'refusals_per_account', refusals_per_account, 'adopted_max', adopted_max,"
    " 'attempt_days', attempt_days, 'attempts_max', attempts_max, 'decision_days', decision_days,"
    " 'decisions_max', decisions_max, 'decisions_per_subject', decisions_per_subject)"
    " FROM settings WHERE id = ?1",
};

int store_settings_get(struct store_tx *tx, struct store_settings *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db,
                          "SELECT change, refusal_days, refusals_max, refusals_per_account,"
                          " adopted_max, attempt_days, attempts_max, decision_days, decisions_max,"
                          " decisions_per_subject FROM settings",
                          NULL, 0, f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        *out = (struct store_settings){
            .change = query_int(&q, 0),
            .refusal_days = (uint32_t)query_int(&q, 1),
            .refusals_max = (uint32_t)query_int(&q, 2),
            .refusals_per_account = (uint32_t)query_int(&q, 3),
            .adopted_max = (uint32_t)query_int(&q, 4),
            .attempt_days = (uint32_t)query_int(&q, 5),
            .attempts_max = (uint32_t)query_int(&q, 6),
            .decision_days = (uint32_t)query_int(&q, 7),
            .decisions_max = (uint32_t)query_int(&q, 8),
            .decisions_per_subject = (uint32_t)query_int(&q, 9),
        };
        err = 0;
    } else if (err == 0) {
        err = fault(f, ERR_CORRUPT, "%s has lost its settings", db_path(tx->db));
    }
    query_end(&q);
    return err;
}

static int in_range(const char *what, uint32_t value, uint32_t low, uint32_t high, struct fault *f)
{
    if (value >= low && value <= high)
        return 0;
    return fault(f, ERR_RANGE, "%s is %u; it must be %u to %u", what, value, low, high);
}

static int check(const struct store_settings *s, struct fault *f)
{
    int err = in_range("refusal_days", s->refusal_days, 1, 3650, f);

    if (!err)
        err = in_range("refusals_max", s->refusals_max, 1000, 100000000, f);
    if (!err)
        err = in_range("refusals_per_account", s->refusals_per_account, 10, s->refusals_max, f);
    if (!err)
        err = in_range("adopted_max", s->adopted_max, 0, 10000000, f);
    if (!err)
        err = in_range("attempt_days", s->attempt_days, 1, 3650, f);
    if (!err)
        err = in_range("attempts_max", s->attempts_max, 1000, 10000000, f);
    if (!err)
        err = in_range("decision_days", s->decision_days, 1, 3650, f);
    if (!err)
        err = in_range("decisions_max", s->decisions_max, 1000, 10000000, f);
    if (!err)
        err = in_range("decisions_per_subject", s->decisions_per_subject, 10, 100000, f);
    return err;
}

int store_settings_update(struct store_tx *tx, const struct store_by *by,
                          const struct store_settings *s, struct fault *f)
{
    struct change c;
    int err = change_begin(&c, tx, by, &settings_kind, "settings.update", 0, f);

    if (!err)
        err = check(s, f);
    if (!err)
        err = db_run(tx->db,
                     "UPDATE settings SET refusal_days = ?1, refusals_max = ?2,"
                     " refusals_per_account = ?3, adopted_max = ?4, change = ?5,"
                     " attempt_days = ?6, attempts_max = ?7, decision_days = ?8,"
                     " decisions_max = ?9, decisions_per_subject = ?10",
                     DB_VALUES(INT(s->refusal_days), INT(s->refusals_max),
                               INT(s->refusals_per_account), INT(s->adopted_max), INT(c.number),
                               INT(s->attempt_days), INT(s->attempts_max), INT(s->decision_days),
                               INT(s->decisions_max), INT(s->decisions_per_subject)),
                     f);
    return change_end(&c, err, f);
}
