/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/notice_texts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

#define SUBJECT "Subject: "
#define FACT(x)                                                                                    \
    {                                                                                              \
#x, MUSTACHE_FACT                                                                          \
    }
#define LIST(x)                                                                                    \
    {                                                                                              \
#x, MUSTACHE_LIST                                                                          \
    }
#define ITEM(x)                                                                                    \
    {                                                                                              \
#x, MUSTACHE_ITEM                                                                          \
    }
/* Of every kind. */
#define ALWAYS {"link", MUSTACHE_LINK}, FACT(tenant), FACT(operator), FACT(contact), FACT(when)
#define ACCOUNTS                                                                                   \
    FACT(count), FACT(more), LIST(accounts), ITEM(name), {"switch", MUSTACHE_ITEM}, ITEM(tenant_of)
#define DIGEST FACT(change), FACT(batch), FACT(attached), FACT(cut)

static const struct mustache_name
    announced[] = {ALWAYS,       ACCOUNTS,        DIGEST,      FACT(day),
                   FACT(prefix), FACT(objection), FACT(since), {0}},
    applied[] = {ALWAYS, ACCOUNTS, DIGEST, FACT(prefix), FACT(since), {0}},
    undone[] = {ALWAYS, ACCOUNTS, DIGEST, {0}},
    loosened[] = {ALWAYS,         FACT(count),    FACT(more), LIST(changes), ITEM(target),
                  ITEM(prefix),   ITEM(until),    ITEM(by),   ITEM(change),  ITEM(removed),
                  ITEM(narrowed), ITEM(excepted), {0}},
    locked[] = {ALWAYS,         ACCOUNTS, ITEM(source), ITEM(until), ITEM(international),
                FACT(observed), {0}},
    ended[] = {ALWAYS, ACCOUNTS, {0}}, test[] = {ALWAYS, FACT(by), {0}};

const struct mustache_name *notice_names(enum notice_kind kind)
{
    switch (kind) {
    case NOTICE_SWEEP_ANNOUNCED: return announced;
    case NOTICE_SWEEP_APPLIED: return applied;
    case NOTICE_SWEEP_UNDONE: return undone;
    case NOTICE_RULE_LOOSENED: return loosened;
    case NOTICE_LOCKOUT:
    case NOTICE_TAKEOVER: return locked;
    case NOTICE_LOCK_ENDED: return ended;
    case NOTICE_TEST: return test;
    }
    return test;
}

struct parts {
    struct mustache *subject, *text, *html;
};

struct notice_texts {
    struct parts parts[NOTICE_KINDS][NOTICE_LANGUAGES];
};

static const char *const languages[] = {[NOTICE_JA] = "ja", [NOTICE_EN] = "en"};

const char *notice_language_name(enum notice_language language)
{
    return languages[language];
}

bool notice_language_parse(struct span word, enum notice_language *out)
{
    int i = span_among(word, languages, NOTICE_LANGUAGES);

    if (i >= 0)
        *out = (enum notice_language)i;
    return i >= 0;
}

/* ---- one file ------------------------------------------------------------------------------- */

static int take_html(struct parts *to, const struct mustache_name *names, struct span content,
                     struct fault *f)
{
    struct mustache *html = NULL;
    int err = mustache_parse(&html, content, MUSTACHE_HTML, names, 1, f);

    if (err)
        return err;
    mustache_free(to->html);
    to->html = html;
    return 0;
}

static struct span without_cr(struct span line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static int take_text(struct parts *to, const struct mustache_name *names, struct span content,
                     struct fault *f)
{
    struct mustache *subject = NULL, *text = NULL;
    struct span body, second, first = without_cr(span_cut(content, '\n', &body));

    second = without_cr(span_cut(body, '\n', &body));
    if (!span_starts(first, SPAN(SUBJECT)) || second.n)
        return fault(f, ERR_SYNTAX,
                     "line 1: a text begins with a line \"" SUBJECT "…\" and an empty line");
    int err =
        mustache_parse(&subject, span_skip(first, strlen(SUBJECT)), MUSTACHE_LINE, names, 1, f);
    if (!err)
        err = mustache_parse(&text, body, MUSTACHE_TEXT, names, 3, f);
    if (err) {
        mustache_free(subject);
        return err;
    }
    mustache_free(to->subject);
    mustache_free(to->text);
    to->subject = subject;
    to->text = text;
    return 0;
}

/* KIND.LANGUAGE.txt or .html. */
static int take(struct notice_texts *texts, struct span name, struct span content, struct fault *f)
{
    struct span rest, type, kind_word = span_cut(name, '.', &rest);
    struct span language_word = span_cut(rest, '.', &type);
    enum notice_kind kind;
    enum notice_language language;

    if (!notice_kind_parse(kind_word, &kind) || !notice_language_parse(language_word, &language) ||
        (!span_is(type, "txt") && !span_is(type, "html")))
        return fault(f, ERR_RANGE,
                     "this is the name of no notice: sweep-announced, sweep-applied, sweep-undone, "
                     "rule-loosened, lockout, takeover, lock-ended or test, then .ja or .en, then "
                     ".txt or .html");
    struct parts *to = &texts->parts[kind][language];
    return span_is(type, "txt") ? take_text(to, notice_names(kind), content, f)
                                : take_html(to, notice_names(kind), content, f);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static int take_builtin(struct notice_texts *texts, struct fault *f)
{
    size_t n = 0;
    const struct notice_file *files = notice_files_builtin(&n);
    int err = 0;

    for (size_t i = 0; !err && i < n; i++) {
        err = take(texts, files[i].name, files[i].content, f);
        if (err)
            err = fault_in(f, "%.*s", SPAN_FMT(files[i].name));
    }
    return err;
}

static int take_file(struct notice_texts *texts, const char *dir, const char *name, struct fault *f)
{
    struct buf path = {0}, content = {0};
    int err;

    buf_printf(&path, "%s/%s", dir, name);
    if (path.failed) {
        buf_free(&path);
        return fault_nomem(f);
    }
    err = file_read(path.p, MUSTACHE_BYTES_MAX, &content, f);
    if (!err) {
        err = take(texts, span_of(name), buf_span(&content), f);
        if (err)
            fault_in(f, "%s", path.p);
    }
    buf_free(&content);
    buf_free(&path);
    return err;
}

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);

    return n > m && strcmp(name + n - m, with) == 0;
}

static int take_dir(struct notice_texts *texts, const char *path, struct fault *f)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int err = 0;

    if (!dir)
        return fault(f, ERR_IO, "%s cannot be read: %m", path);
    while (!err && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' &&
            (ends(entry->d_name, ".txt") || ends(entry->d_name, ".html")))
            err = take_file(texts, path, entry->d_name, f);
    closedir(dir);
    return err;
}

int notice_texts_load(struct notice_texts **out, const char *dir, struct fault *f)
{
    struct notice_texts *texts = calloc(1, sizeof(*texts));
    int err = texts ? take_builtin(texts, f) : fault_nomem(f);

    if (!err && dir[0])
        err = take_dir(texts, dir, f);
    if (err) {
        notice_texts_free(texts);
        return err;
    }
    *out = texts;
    return 0;
}

void notice_texts_free(struct notice_texts *texts)
{
    if (!texts)
        return;
    for (size_t i = 0; i < NOTICE_KINDS; i++)
        for (size_t j = 0; j < NOTICE_LANGUAGES; j++) {
            mustache_free(texts->parts[i][j].subject);
            mustache_free(texts->parts[i][j].text);
            mustache_free(texts->parts[i][j].html);
        }
    free(texts);
}

struct notice_text notice_texts_get(const struct notice_texts *texts, enum notice_kind kind,
                                    enum notice_language language)
{
    const struct parts *p = &texts->parts[kind][language];

    return (struct notice_text){p->subject, p->text, p->html};
}
