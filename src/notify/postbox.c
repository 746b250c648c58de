/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/postbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "notify/mail.h"

struct postbox {
    struct notice_texts *texts;
    char *from, *from_name, *reply_to, *operator_, *console_url;
    enum notice_language language;
};

int postbox_new(struct postbox **out, const struct postbox_options *o, struct fault *f)
{
    struct postbox *box = calloc(1, sizeof(*box));
    int err = 0;

    if (!box)
        return fault_nomem(f);
    box->from = strdup(o->from);
    box->from_name = strdup(o->from_name);
    box->reply_to = strdup(o->reply_to);
    box->operator_ = strdup(o->operator_);
    box->console_url = strdup(o->console_url);
    if (!box->from || !box->from_name || !box->reply_to || !box->operator_ || !box->console_url)
        err = fault_nomem(f);
    notice_language_parse(span_of(o->language), &box->language);
    if (!err)
        err = notice_texts_load(&box->texts, o->templates, f);
    if (err) {
        postbox_free(box);
        return err;
    }
    *out = box;
    return 0;
}

void postbox_free(struct postbox *box)
{
    if (!box)
        return;
    notice_texts_free(box->texts);
    free(box->from);
    free(box->from_name);
    free(box->reply_to);
    free(box->operator_);
    free(box->console_url);
    free(box);
}

void letter_free(struct letter *letter)
{
    buf_free(&letter->subject);
    buf_free(&letter->text);
    buf_free(&letter->html);
    buf_free(&letter->message);
}

/* ---- facts ---------------------------------------------------------------------------------- */

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days_en[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
static const char *const days_ja[] = {"日", "月", "火", "水", "木", "金", "土"};

/* A moment, in the machine's time zone, which is named. */
static json_t *moment(int64_t ms, enum notice_language language)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    if (!localtime_r(&s, &tm))
        return json_null();
    if (language == NOTICE_JA)
        return json_sprintf("%d年%d月%d日 %d:%02d (%s)", tm.tm_year + 1900, tm.tm_mon + 1,
                            tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_zone);
    return json_sprintf("%d %s %d, %02d:%02d %s", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
                        tm.tm_hour, tm.tm_min, tm.tm_zone);
}

/* The day of a moment there. */
static json_t *day_of(int64_t ms, enum notice_language language)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    if (!localtime_r(&s, &tm))
        return json_null();
    if (language == NOTICE_JA)
        return json_sprintf("%d年%d月%d日", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    return json_sprintf("%d %s %d", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900);
}

/* "2026-12-01"; NULL where it is no such day. */
static json_t *calendar_day(const char *text, enum notice_language language)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);

    tm.tm_hour = 12;
    if (!end || *end || timegm(&tm) == -1)
        return NULL;
    if (language == NOTICE_JA)
        return json_sprintf("%d年%d月%d日（%s）", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                            days_ja[tm.tm_wday]);
    return json_sprintf("%s, %d %s %d", days_en[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                        tm.tm_year + 1900);
}

/* Times are integers in the facts (milliseconds since 1970), and words in a letter. */
static void say_times(json_t *object, enum notice_language language)
{
    static const char *const moments[] = {"when", "until"};
    static const char *const days[] = {"day", "objection", "since"};
    const json_t *since = json_object_get(object, "since");

    for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
        const json_t *at = json_object_get(object, moments[i]);

        if (json_is_integer(at) && json_integer_value(at))
            json_object_set_new(object, moments[i], moment(json_integer_value(at), language));
    }
    if (json_is_integer(since) && json_integer_value(since))
        json_object_set_new(object, "since", day_of(json_integer_value(since), language));
    for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
        const json_t *day = json_object_get(object, days[i]);
        json_t *words = json_is_string(day) ? calendar_day(json_string_value(day), language) : NULL;

        if (words)
            json_object_set_new(object, days[i], words);
    }
}

static json_t *text_of(struct span s)
{
    json_t *text = json_stringn(s.p ? s.p : "", s.n);

    return text ? text : json_string("");
}

/* What is of no use in the letter: whose account it is, where it is the reader's own. */
static void name_owner(json_t *item, struct span reader)
{
    const json_t *tenant = json_object_get(item, "tenant");

    if (json_is_string(tenant) && !span_is(reader, json_string_value(tenant)))
        json_object_set_new(item, "tenant_of", json_string(json_string_value(tenant)));
}

/* The list that came with the facts. */
static void finish_list(json_t *facts, const char *key, struct span reader,
                        enum notice_language language)
{
    json_t *list = json_object_get(facts, key), *item;
    json_int_t count = json_integer_value(json_object_get(facts, "count"));
    json_int_t listed;
    size_t i;

    if (!json_is_array(list))
        return;
    while (json_array_size(list) > LETTER_ACCOUNTS)
        json_array_remove(list, json_array_size(list) - 1);
    json_array_foreach(list, i, item)
    {
        say_times(item, language);
        name_owner(item, reader);
    }
    listed = (json_int_t)json_array_size(list);
    if (count < listed)
        json_object_set_new(facts, "count", json_integer(count = listed));
    json_object_set_new(facts, "more", json_integer(count - listed));
}

/* ---- the accounts of a batch ---------------------------------------------------------------- */

struct listing {
    json_t *accounts;
    struct buf csv;
    struct span reader;
    uint64_t count;
};

static void csv_text(struct buf *out, struct span text, const char *end)
{
    /* What a spreadsheet would take for a formula is a text behind an apostrophe. */
    bool formula = text.n && strchr("=+-@", text.p[0]);

    buf_puts(out, formula ? "\"'" : "\"");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, text.p[i]);
    }
    buf_puts(out, "\"");
    buf_puts(out, end);
}

static int list_account(void *arg, const struct notice_account *a)
{
    struct listing *l = arg;

    l->count++;
    if (l->count <= LETTER_CSV_ROWS) {
        csv_text(&l->csv, a->name, ",");
        csv_text(&l->csv, a->switch_name, ",");
        csv_text(&l->csv, a->tenant, "\r\n");
    }
    if (l->count > LETTER_ACCOUNTS)
        return 0;
    json_t *item = json_pack("{s:o, s:o, s:o}", "name", text_of(a->name), "switch",
                             text_of(a->switch_name), "tenant", text_of(a->tenant));
    if (item)
        name_owner(item, l->reader);
    return json_array_append_new(l->accounts, item) != 0 || l->csv.failed ? ERR_NOMEM : 0;
}

static int list_batch(struct store_tx *tx, const struct store_notice *notice, json_t *facts,
                      struct buf *csv, struct fault *f)
{
    struct listing l = {.accounts = json_array(), .reader = notice->tenant_name};
    int err;

    buf_puts(&l.csv, "\xef\xbb\xbf"
                     "account,switch,tenant\r\n");
    err = store_notice_accounts(tx, notice, list_account, &l, f);
    if (err == ERR_NOMEM)
        err = fault_nomem(f);
    bool attached = l.count > LETTER_ACCOUNTS;
    if (!err &&
        (json_object_set(facts, "accounts", l.accounts) != 0 ||
         json_object_set_new(facts, "count", json_integer((json_int_t)l.count)) != 0 ||
         json_object_set_new(facts, "attached", json_boolean(attached)) != 0 ||
         json_object_set_new(facts, "cut",
                             json_integer(l.count > LETTER_CSV_ROWS ? LETTER_CSV_ROWS : 0)) != 0))
        err = fault_nomem(f);
    if (!err)
        json_object_set_new(
            facts, "more",
            json_integer((json_int_t)l.count - (json_int_t)json_array_size(l.accounts)));
    json_decref(l.accounts);
    if (!err && attached)
        *csv = l.csv;
    else
        buf_free(&l.csv);
    return err;
}

/* ---- the letter ----------------------------------------------------------------------------- */

static json_t *facts_of(const struct postbox *box, const struct store_notice *n,
                        enum notice_language language, struct fault *f)
{
    json_t *facts = json_loadb(n->facts.p, n->facts.n, JSON_REJECT_DUPLICATES, NULL);
    struct span title = n->tenant_title.n ? n->tenant_title : n->tenant_name;

    if (!json_is_object(facts)) {
        json_decref(facts);
        fault(f, ERR_CORRUPT, "what notice %" PRId64 " tells is no JSON object", n->id);
        return NULL;
    }
    say_times(facts, language);
    finish_list(facts, "accounts", n->tenant_name, language);
    finish_list(facts, "changes", n->tenant_name, language);
    json_object_set_new(facts, "tenant", text_of(title));
    json_object_set_new(facts, "operator", json_boolean(n->tenant == 0));
    json_object_set_new(facts, "contact",
                        json_string(box->reply_to[0] ? box->reply_to : box->from));
    json_object_set_new(facts, "link", json_string(box->console_url));
    json_object_set_new(facts, "change", json_integer(n->change));
    json_object_set_new(facts, "batch", json_integer(n->batch));
    if (!json_object_get(facts, "when"))
        json_object_set_new(facts, "when", moment(n->at_ms, language));
    return facts;
}

static void build(const struct postbox *box, const struct store_notice *n,
                  enum notice_language language, const struct buf *csv, int64_t now_ms,
                  struct letter *out)
{
    struct span domain;
    char id[400];

    span_cut(span_of(box->from), '@', &domain);
    snprintf(id, sizeof(id), "sekisho.%.*s.%" PRId64 "@%.*s", SPAN_FMT(n->token), n->id,
             SPAN_FMT(domain));
    const struct mail mail = {
        .from = span_of(box->from),
        .from_name = span_of(box->from_name),
        .to = span_of(out->to),
        .reply_to = span_of(box->reply_to),
        .subject = buf_span(&out->subject),
        .message_id = span_of(id),
        .boundary = n->token,
        .language = span_of(notice_language_name(language)),
        .date_s = now_ms / 1000,
        .text = buf_span(&out->text),
        .html = buf_span(&out->html),
        .csv = csv->p ? buf_span(csv) : (struct span){NULL, 0},
        .csv_name = SPAN("accounts.csv"),
    };

    mail_build(&mail, &out->message);
}

/* Renders into `out`, which is freed where that fails. */
static int write_letter(const struct postbox *box, struct store_tx *tx,
                        const struct store_notice *n, enum notice_language language, int64_t now_ms,
                        struct letter *out, struct fault *f)
{
    const struct notice_text text = notice_texts_get(box->texts, n->kind, language);
    json_t *facts = facts_of(box, n, language, f);
    struct buf csv = {0};
    int err = facts ? 0 : ERR_CORRUPT;

    if (!err && n->batch && tx)
        err = list_batch(tx, n, facts, &csv, f);
    if (!err) {
        mustache_render(text.subject, facts, &out->subject);
        mustache_render(text.text, facts, &out->text);
        mustache_render(text.html, facts, &out->html);
        build(box, n, language, &csv, now_ms, out);
        if (out->subject.failed || out->text.failed || out->html.failed || out->message.failed)
            err = fault_nomem(f);
    }
    buf_free(&csv);
    json_decref(facts);
    if (err)
        letter_free(out);
    return err;
}

int postbox_letter(const struct postbox *box, struct store_tx *tx, const struct store_notice *n,
                   int64_t now_ms, struct letter *out, struct fault *f)
{
    struct letter letter = {0};
    enum notice_language language = box->language;
    struct span to = n->recipient.n ? n->recipient : span_of(box->operator_);

    if (!to.n)
        return fault(f, ERR_MISSING,
                     "it is for the operator, whose address is not known: [mail] operator");
    notice_language_parse(n->language, &language);
    snprintf(letter.to, sizeof(letter.to), "%.*s", SPAN_FMT(to));
    int err = write_letter(box, tx, n, language, now_ms, &letter, f);
    if (!err)
        *out = letter;
    return err;
}

/* ---- what it looks like --------------------------------------------------------------------- */

#define SAMPLE_ACCOUNTS                                                                            \
    "\"count\":3,\"accounts\":[{\"name\":\"1001\",\"switch\":\"local\",\"tenant\":\"example\","    \
    "\"when\":1795489201000,\"until\":1795492801000,\"source\":\"192.0.2.77\"},{\"name\":"         \
    "\"1002\",\"switch\":\"local\",\"tenant\":\"example\",\"when\":1795489211000,\"until\":"       \
    "1795492811000,\"source\":\"2001:db8::77\",\"international\":true},{\"name\":\"trunk-osaka\"," \
    "\"switch\":\"local\",\"tenant\":\"example-osaka\",\"when\":1795489221000,"                    \
    "\"source\":\"198.51.100.7\"}]"
#define SAMPLE_TERMS "\"prefix\":\"010\",\"since\":1761274800000"

static const char *sample(enum notice_kind kind)
{
    switch (kind) {
    case NOTICE_SWEEP_ANNOUNCED:
        return "{" SAMPLE_TERMS
               ",\"day\":\"2026-12-14\",\"objection\":\"2026-12-11\"," SAMPLE_ACCOUNTS "}";
    case NOTICE_SWEEP_APPLIED: return "{" SAMPLE_TERMS "," SAMPLE_ACCOUNTS "}";
    case NOTICE_RULE_LOOSENED:
        return "{\"count\":2,\"changes\":[{\"target\":\"1001@local\",\"prefix\":\"010\","
               "\"removed\":true,\"by\":\"token:7 tenant:example\",\"when\":1795489201000,"
               "\"change\":4711},{\"target\":\"tenant:example\",\"prefix\":\"01081\",\"excepted\":"
               "true,\"until\":1795575600000,\"by\":\"uid:0\",\"when\":1795489211000,\"change\":"
               "4712}]}";
    case NOTICE_SWEEP_UNDONE:
    case NOTICE_LOCKOUT:
    case NOTICE_TAKEOVER:
    case NOTICE_LOCK_ENDED: return "{" SAMPLE_ACCOUNTS "}";
    case NOTICE_TEST: break;
    }
    return "{\"by\":\"uid:0\"}";
}

int postbox_preview(const struct postbox *box, enum notice_kind kind, enum notice_language language,
                    int64_t now_ms, struct letter *out, struct fault *f)
{
    const struct store_notice n = {
        .id = 1,
        .token = SPAN("0123456789abcdef01234567"),
        .kind = kind,
        .change = 4711,
        .batch = 4711,
        .tenant = 1,
        .tenant_name = SPAN("example"),
        .tenant_title = language == NOTICE_JA ? SPAN("株式会社エグザンプル") : SPAN("Example Ltd."),
        .facts = span_of(sample(kind)),
        .at_ms = now_ms,
    };
    struct letter letter = {.to = "somebody@example.jp"};
    int err = write_letter(box, NULL, &n, language, now_ms, &letter, f);

    if (!err)
        *out = letter;
    return err;
}
