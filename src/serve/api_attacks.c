/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_attacks.h"

#include <inttypes.h>

#include "serve/api_guard.h"
#include "serve/why.h"
#include "store/guard_records.h"

#define TOP_MAX 1000
#define WEEK_MS INT64_C(604800000)

static int query_top(struct api *api, uint32_t *top, struct fault *f)
{
    struct span text = target_query_get(&api->target.query, "top");
    uint32_t value = 0;

    if (!text.p)
        return 0;
    for (size_t i = 0; i < text.n && value <= TOP_MAX; i++)
        value = text.p[i] >= '0' && text.p[i] <= '9' ? value * 10 + (uint32_t)(text.p[i] - '0')
                                                     : TOP_MAX + 1;
    if (!value || value > TOP_MAX)
        return api_refuse_parameter(api, "top", f, "top must be 1 to %d", TOP_MAX);
    *top = value;
    return 0;
}

static int read_query(struct api *api, struct store_tx *tx, struct store_attack_query *query,
                      bool *csv, struct fault *f)
{
    struct span format = target_query_get(&api->target.query, "format");
    int64_t ignored;
    int rc = api_query_time_ms(api, "since", &query->since_ms, f);

    if (!rc)
        rc = api_query_time_ms(api, "until", &query->until_ms, f);
    if (!rc)
        rc = api_query_switch(api, tx, &ignored, f);
    if (!rc)
        rc = api_query_name(api, "switch", &query->switch_name, f);
    if (!rc)
        rc = query_top(api, &query->top, f);
    if (rc)
        return rc;
    if (format.p && !span_is(format, "json") && !span_is(format, "csv"))
        return api_refuse_parameter(api, "format", f, "format must be json or csv");
    if (query->until_ms && query->until_ms <= query->since_ms)
        return api_refuse_parameter(api, "until", f, "until must be later than since");
    *csv = span_is(format, "csv");
    return 0;
}

static double share(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0;
}

/* The kinds that there were, the most frequent first. */
static size_t kinds_of(const struct store_attack_report *r, enum attack out[ATTACKS])
{
    size_t n = 0;

    for (int i = 0; i < ATTACKS; i++) {
        size_t at = n;

        if (!r->kinds[i])
            continue;
        for (; at > 0 && r->kinds[out[at - 1]] < r->kinds[i]; at--)
            out[at] = out[at - 1];
        out[at] = (enum attack)i;
        n++;
    }
    return n;
}

/* ---- JSON ---- */

static json_t *kinds_json(const struct store_attack_report *r)
{
    enum attack kinds[ATTACKS];
    size_t n = kinds_of(r, kinds);
    json_t *items = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, json_pack("{s:s, s:o, s:I, s:f}", "attack",
                                               guard_attack_name(kinds[i]), "text",
                                               api_words(why_attack_words(kinds[i], false),
                                                         why_attack_words(kinds[i], true)),
                                               "attempts", (json_int_t)r->kinds[kinds[i]], "share",
                                               share(r->kinds[kinds[i]], r->failures)));
    return items;
}

static void set_number(json_t *json, const char *word, uint64_t n)
{
    if (n)
        json_object_set_new(json, word, json_integer((json_int_t)n));
}

static json_t *outcomes_json(const struct store_attack_report *r)
{
    json_t *json = json_object();

    for (int i = 0; i < OUTCOMES; i++)
        set_number(json, outcome_name((enum outcome)i), r->outcomes[i]);
    return json;
}

static json_t *proofs_json(const struct store_attack_report *r)
{
    json_t *json = json_object();

    for (int i = 0; i < PROOFS; i++)
        set_number(json, proof_name((enum proof)i), r->proofs[i]);
    return json;
}

static json_t *events_json(const uint64_t events[GUARD_EVENTS])
{
    json_t *json = json_object();

    for (int i = 0; i < GUARD_EVENTS; i++)
        set_number(json, guard_event_name((enum guard_event_kind)i), events[i]);
    return json;
}

static json_t *witnesses_json(const struct store_attack_report *r)
{
    json_t *items = json_array();

    for (int w = 0; w < WITNESSES; w++) {
        json_int_t all = 0, refused = 0;

        for (int i = 0; i < OUTCOMES; i++) {
            all += (json_int_t)r->seen[w][i];
            if (outcome_is_failure((enum outcome)i))
                refused += (json_int_t)r->seen[w][i];
        }
        if (all)
            json_array_append_new(items, json_pack("{s:s, s:I, s:I}", "witness",
                                                   witness_name((enum witness)w), "attempts", all,
                                                   "refused", refused));
    }
    return items;
}

static struct span key_of(const struct store_attack_top *top, char text[ADDRESS_TEXT_MAX])
{
    return top->network.family ? span_of(network_text(&top->network, text)) : top->text;
}

static json_t *tops_json(const struct store_attack_tops *tops, uint64_t failures)
{
    json_t *items = json_array();
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < tops->n; i++) {
        const struct store_attack_top *top = &tops->items[i];

        json_array_append_new(
            items,
            json_pack("{s:o, s:o, s:I, s:f, s:s, s:o, s:o}", "key", api_text(key_of(top, text)),
                      "switch", api_text_or_null(top->switch_name), "attempts",
                      (json_int_t)top->count, "share", share(top->count, failures), "attack",
                      guard_attack_name(top->attack), "first", api_time_ms(top->first_ms), "last",
                      api_time_ms(top->last_ms)));
    }
    return json_pack("{s:o, s:I}", "items", items, "different", (json_int_t)tops->different);
}

static json_t *report_json(const struct store_attack_report *r, struct span switch_name)
{
    return json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "since",
        api_time_ms(r->from_ms), "until", api_time_ms(r->until_ms), "switch",
        api_text_or_null(switch_name), "attempts", (json_int_t)r->failures, "others",
        (json_int_t)r->others, "unnamed", (json_int_t)r->unnamed, "attacks", kinds_json(r),
        "outcomes", outcomes_json(r), "proofs", proofs_json(r), "witnesses", witnesses_json(r),
        "decisions", events_json(r->decisions), "observed", events_json(r->observed), "sources",
        tops_json(&r->sources, r->failures), "networks", tops_json(&r->networks, r->failures),
        "accounts", tops_json(&r->accounts, r->failures), "user_agents",
        tops_json(&r->user_agents, r->failures));
}

/* ---- CSV ---- */

/* RFC 4180; and what strangers chose must be no formula to a spreadsheet. */
static void cell(struct buf *out, struct span text)
{
    bool formula = text.n && strchr("=+-@", text.p[0]);

    buf_putc(out, '"');
    if (formula)
        buf_putc(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, text.p[i]);
    }
    buf_puts(out, "\",");
}

static void plain(struct buf *out, struct span text)
{
    bool quoted = false;

    for (size_t i = 0; i < text.n && !quoted; i++)
        quoted = !text.p[i] || strchr(",\"=+-@ \\", text.p[i]);
    if (quoted) {
        cell(out, text);
        return;
    }
    buf_add(out, text);
    buf_putc(out, ',');
}

static void moment(struct buf *out, int64_t ms, const char *after)
{
    json_t *text = api_time_ms(ms);

    buf_puts(out, json_is_string(text) ? json_string_value(text) : "");
    buf_puts(out, after);
    json_decref(text);
}

static void number_row(struct buf *out, const char *section, const char *key, uint64_t n)
{
    if (n)
        buf_printf(out, "%s,%s,,%" PRIu64 ",,,,\r\n", section, key, n);
}

static void top_rows(struct buf *out, const char *section, const struct store_attack_tops *tops,
                     uint64_t failures)
{
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < tops->n; i++) {
        const struct store_attack_top *top = &tops->items[i];

        buf_printf(out, "%s,", section);
        plain(out, key_of(top, text));
        plain(out, top->switch_name);
        buf_printf(out, "%" PRIu64 ",%.4f,%s,", top->count, share(top->count, failures),
                   guard_attack_name(top->attack));
        moment(out, top->first_ms, ",");
        moment(out, top->last_ms, "\r\n");
    }
}

static int answer_csv(struct api *api, const struct store_attack_report *r, struct fault *f)
{
    struct buf *out = &api->out;
    enum attack kinds[ATTACKS];
    size_t n = kinds_of(r, kinds);

    buf_clear(out);
    buf_puts(out, "section,key,switch,attempts,share,attack,first,last\r\n");
    buf_printf(out, "attempts,,,%" PRIu64 ",%.4f,,", r->failures, r->failures ? 1.0 : 0.0);
    moment(out, r->from_ms, ",");
    moment(out, r->until_ms, "\r\n");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "attacks,%s,,%" PRIu64 ",%.4f,%s,,\r\n", guard_attack_name(kinds[i]),
                   r->kinds[kinds[i]], share(r->kinds[kinds[i]], r->failures),
                   guard_attack_name(kinds[i]));
    top_rows(out, "sources", &r->sources, r->failures);
    top_rows(out, "networks", &r->networks, r->failures);
    top_rows(out, "accounts", &r->accounts, r->failures);
    top_rows(out, "user_agents", &r->user_agents, r->failures);
    for (int i = 0; i < GUARD_EVENTS; i++)
        number_row(out, "decisions", guard_event_name((enum guard_event_kind)i), r->decisions[i]);
    for (int i = 0; i < GUARD_EVENTS; i++)
        number_row(out, "observed", guard_event_name((enum guard_event_kind)i), r->observed[i]);
    if (out->failed)
        return fault_nomem(f);
    api->csv = true;
    api->status = 200;
    return 0;
}

int api_attacks(struct api *api, struct store_tx *tx, struct fault *f)
{
    struct store_attack_query query = {.since_ms = api->now.wall_ms - WEEK_MS};
    struct store_attack_report report;
    bool csv = false;
    int rc = read_query(api, tx, &query, &csv, f);

    if (!rc)
        rc = store_attack_report(tx, &query, &report, f);
    if (rc)
        return rc;
    return csv ? answer_csv(api, &report, f)
               : api_answer(api, 200, report_json(&report, query.switch_name), f);
}
