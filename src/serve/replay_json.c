/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/replay_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ledger/mask.h"

#define TIME_SIZE 32

static const char *time_text(int64_t ms, char out[TIME_SIZE])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    if (!gmtime_r(&s, &tm) || !strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
        out[0] = '\0';
    return out;
}

static json_t *text_or_null(struct span text)
{
    return text.n ? json_stringn(text.p, text.n) : json_null();
}

/* ---- one call ------------------------------------------------------------------------------- */

/* What of a call depends on whether its number is masked. */
struct shown {
    struct buf dialled, e164;
};

static void show_number(const struct replay_case *c, bool masked, struct shown *out)
{
    char text[4 * CALL_DIALLED_MAX + 16];
    struct buf dialled = {0};

    mask_number_if(masked, c->call->dialled, &dialled);
    buf_puts(&out->dialled, escape(buf_span(&dialled), text, sizeof(text)));
    mask_number_if(masked, span_of(c->number->e164), &out->e164);
    out->dialled.failed |= dialled.failed;
    buf_free(&dialled);
}

static void hide_number(struct shown *shown)
{
    buf_free(&shown->dialled);
    buf_free(&shown->e164);
}

/* Spreadsheets take what begins so for a formula; that is what a thief may dial. */
static void csv_cell(struct buf *out, struct span text)
{
    buf_putc(out, '"');
    if (text.n && memchr("=+-@", text.p[0], 4))
        buf_putc(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, text.p[i]);
    }
    buf_puts(out, "\",");
}

static void csv_line(const struct replay_tale *tale, const struct replay_case *c,
                     const struct replay_name *name, const struct shown *shown)
{
    const struct call *call = c->call;
    struct buf *out = tale->csv;
    char text[MONEY_TEXT], when[TIME_SIZE];

    buf_printf(out, "%s,", time_text(call->start_ms, when));
    csv_cell(out, name->gate);
    csv_cell(out, name->account);
    csv_cell(out, buf_span(&shown->dialled));
    /* Without its plus: digits alone are nothing that could be calculated. */
    buf_add(out, span_skip(buf_span(&shown->e164), 1));
    buf_printf(out, ",%s,%s,%s,%" PRIu32 ",%s,%s,%s,",
               c->number->country ? c->number->country->iso : "",
               number_class_name(c->number->class), call_end_name(call->end), call->seconds,
               replay_fate_name(c->fate), verdict_reason_name(c->verdict->reason),
               c->verdict->rule_prefix);
    if (c->rate && call->end == CALL_ANSWERED)
        buf_printf(out, "%s,%s",
                   money_plain(c->price, rates_currency(tale->rates, c->rate->currency), text),
                   rates_currency(tale->rates, c->rate->currency));
    else
        buf_putc(out, ',');
    buf_putc(out, '\n');
}

static json_t *money_json(const struct rates *rates, size_t currency, money amount)
{
    char plain[MONEY_TEXT], text[MONEY_TEXT];
    const char *code = rates_currency(rates, currency);

    return json_pack("{s:s, s:s, s:s}", "currency", code, "amount",
                     money_plain(amount, code, plain), "text", money_text(amount, code, text));
}

static json_t *case_json(const struct replay_tale *tale, const struct replay_case *c,
                         const struct replay_name *name, const struct shown *shown)
{
    const struct country *country = c->number->country;
    char when[TIME_SIZE];

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:I, s:s, s:s, s:o, s:o}", "at",
                     time_text(c->call->start_ms, when), "switch", text_or_null(name->gate),
                     "account", text_or_null(name->account), "dialled",
                     text_or_null(buf_span(&shown->dialled)), "e164",
                     text_or_null(buf_span(&shown->e164)), "country",
                     text_or_null(span_of(country ? country->iso : "")), "class",
                     number_class_name(c->number->class), "outcome", call_end_name(c->call->end),
                     "seconds", (json_int_t)c->call->seconds, "fate", replay_fate_name(c->fate),
                     "reason", verdict_reason_name(c->verdict->reason), "rule",
                     text_or_null(span_of(c->verdict->rule_prefix)), "price",
                     c->rate && c->call->end == CALL_ANSWERED
                         ? money_json(tale->rates, c->rate->currency, c->price)
                         : json_null());
}

int replay_json_take(void *arg, const struct replay_case *c)
{
    struct replay_tale *tale = arg;
    bool sample = json_array_size(tale->samples) < tale->samples_max;
    struct replay_name name = {{NULL, 0}, {NULL, 0}};
    struct shown shown = {{0}, {0}};
    int err = 0;

    if (!tale->csv && !sample)
        return 0;
    tale->name(tale->arg, c->call->caller, &name);
    show_number(c, tale->masked, &shown);
    if (tale->csv)
        csv_line(tale, c, &name, &shown);
    if (sample && !tale->samples)
        tale->samples = json_array();
    if (sample && json_array_append_new(tale->samples, case_json(tale, c, &name, &shown)))
        err = ERR_NOMEM;
    if ((tale->csv && tale->csv->failed) || shown.dialled.failed || shown.e164.failed)
        err = ERR_NOMEM;
    hide_number(&shown);
    return err;
}

/* ---- sums ----------------------------------------------------------------------------------- */

static json_t *monies(const struct replay_tale *tale, const struct replay_line *line)
{
    json_t *out = json_array();

    for (size_t i = 0; tale->rates && i < rates_currencies(tale->rates); i++)
        if (line->paid[i])
            json_array_append_new(out, money_json(tale->rates, i, line->paid[i]));
    return out;
}

static json_t *line_json(const struct replay_tale *tale, const struct replay_line *line)
{
    char first[TIME_SIZE], last[TIME_SIZE];

    return json_pack("{s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o}", "calls", (json_int_t)line->calls,
                     "answered", (json_int_t)line->answered, "seconds", (json_int_t)line->seconds,
                     "saved", monies(tale, line), "unpriced", (json_int_t)line->unpriced,
                     "unpriced_seconds", (json_int_t)line->unpriced_seconds, "first",
                     line->calls ? json_string(time_text(line->first_ms, first)) : json_null(),
                     "last",
                     line->calls ? json_string(time_text(line->last_ms, last)) : json_null());
}

static json_t *account_json(const struct replay_tale *tale, const struct replay_line *line)
{
    struct replay_name name = {{NULL, 0}, {NULL, 0}};
    json_t *out = line_json(tale, line);

    tale->name(tale->arg, line->caller, &name);
    json_object_set_new(out, "account", text_or_null(name.account));
    json_object_set_new(out, "switch", text_or_null(name.gate));
    json_object_set_new(out, "every_week", json_boolean(line->regular));
    return out;
}

static json_t *country_json(const struct replay_tale *tale, const struct replay_line *line)
{
    json_t *out = line_json(tale, line);

    json_object_set_new(out, "country", text_or_null(span_of(line->country)));
    return out;
}

static void say_money(const struct replay_tale *tale, const struct replay_line *all,
                      struct buf *out, const char *first, const char *last, const char *none)
{
    char text[MONEY_TEXT];
    size_t n = 0;

    for (size_t i = 0; tale->rates && i < rates_currencies(tale->rates); i++)
        if (all->paid[i])
            buf_printf(out, "%s%s", n++ ? " + " : first,
                       money_text(all->paid[i], rates_currency(tale->rates, i), text));
    buf_puts(out, n ? last : none);
}

/* "would have refused 31 calls, saved ¥2,410,000, touched 2 accounts that call abroad every week" */
static json_t *sentences(const struct replay_tale *tale, const struct replay_line *all,
                         size_t accounts, size_t regular)
{
    uint64_t minutes = (all->seconds + 59) / 60;
    struct buf en = {0}, ja = {0};
    json_t *out;

    if (all->calls == 0) {
        return json_pack("{s:s, s:s}", "en", "would have refused no call", "ja",
                         "拒否される通話はありませんでした");
    }
    buf_printf(
        &en, "would have refused %" PRIu64 " %s (%" PRIu64 " answered, %" PRIu64 " %s) of %zu %s",
        all->calls, all->calls == 1 ? "call" : "calls", all->answered, minutes,
        minutes == 1 ? "minute" : "minutes", accounts, accounts == 1 ? "account" : "accounts");
    say_money(tale, all, &en, ", saved ", "", "");
    buf_printf(&en, ", touched %zu %s abroad every week", regular,
               regular == 1 ? "account that calls" : "accounts that call");
    buf_printf(&ja,
               "%zu アカウントの %" PRIu64 " 通話（うち応答 %" PRIu64 "、%" PRIu64 " 分）を拒否",
               accounts, all->calls, all->answered, minutes);
    say_money(tale, all, &ja, "し、", "を防いでいました", "していました");
    buf_printf(&ja, "。毎週国際電話をかけるアカウントへの影響は %zu 件", regular);
    if (all->unpriced) {
        buf_printf(&en, "; %" PRIu64 " answered calls have no price", all->unpriced);
        buf_printf(&ja, "。%" PRIu64 " 通話は料金表にありません", all->unpriced);
    }
    out = en.failed || ja.failed ? NULL : json_pack("{s:s, s:s}", "en", en.p, "ja", ja.p);
    buf_free(&en);
    buf_free(&ja);
    return out;
}

static json_t *fates_json(const struct replay_totals *totals)
{
    json_t *out = json_object();

    for (enum replay_fate i = 0; i < REPLAY_FATES; i++)
        json_object_set_new(out, replay_fate_name(i), json_integer((json_int_t)totals->calls[i]));
    return out;
}

static json_t *unpriced_json(const struct replay *replay)
{
    const char(*begins)[REPLAY_UNPRICED_DIGITS + 1];
    size_t n = replay_unpriced(replay, &begins);
    json_t *out = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_string(begins[i]));
    return out;
}

struct lines {
    struct replay_line *all, *accounts, *countries;
    size_t n_all, n_accounts, n_countries;
};

static json_t *listed(const struct replay_tale *tale, const struct replay_line *lines, size_t n,
                      json_t *(*item)(const struct replay_tale *, const struct replay_line *))
{
    json_t *out = json_array();

    for (size_t i = 0; i < n && i < tale->top; i++)
        json_array_append_new(out, item(tale, &lines[i]));
    return out;
}

static json_t *tell(const struct replay *replay, struct replay_tale *tale, const struct lines *l)
{
    struct replay_totals totals = replay_totals(replay);
    bool any = totals.first_ms <= totals.last_ms;
    char first[TIME_SIZE], last[TIME_SIZE];
    json_t *samples = tale->samples ? tale->samples : json_array();
    size_t regular = 0;

    tale->samples = NULL;
    for (size_t i = 0; i < l->n_accounts; i++)
        regular += l->accounts[i].regular;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:o, s:o, s:o}", "text",
                     sentences(tale, l->all, l->n_accounts, regular), "first",
                     any ? json_string(time_text(totals.first_ms, first)) : json_null(), "last",
                     any ? json_string(time_text(totals.last_ms, last)) : json_null(), "calls",
                     fates_json(&totals), "refused", line_json(tale, l->all), "accounts_refused",
                     (json_int_t)l->n_accounts, "accounts_every_week", (json_int_t)regular,
                     "accounts", listed(tale, l->accounts, l->n_accounts, account_json),
                     "countries_refused", (json_int_t)l->n_countries, "countries",
                     listed(tale, l->countries, l->n_countries, country_json), "unpriced",
                     unpriced_json(replay), "samples", samples);
}

int replay_json(struct replay *replay, struct replay_tale *tale, json_t **out, struct fault *f)
{
    struct lines l = {.all = NULL};
    int err = replay_lines(replay, REPLAY_BY_ALL, &l.all, &l.n_all, f);

    if (!err)
        err = replay_lines(replay, REPLAY_BY_CALLER, &l.accounts, &l.n_accounts, f);
    if (!err)
        err = replay_lines(replay, REPLAY_BY_COUNTRY, &l.countries, &l.n_countries, f);
    if (!err) {
        json_t *told = tell(replay, tale, &l);
        if (told)
            *out = told;
        else
            err = fault_nomem(f);
    }
    free(l.all);
    free(l.accounts);
    free(l.countries);
    return err;
}
