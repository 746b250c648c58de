/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_NOTICE_TEXTS_H
#define SEKISHO_NOTIFY_NOTICE_TEXTS_H

#include "notify/mustache.h"
#include "store/notices.h"

/*
 * The texts of all notices: for each kind and language KIND.LANGUAGE.txt, whose first line is "Subject: …", then an empty
 * line and the text, and KIND.LANGUAGE.html. They are compiled in; a file of the same name in the operator's directory
 * stands in for it. docs/notices.md has what each may name.
 */
struct notice_texts;

enum notice_language { NOTICE_JA, NOTICE_EN };
#define NOTICE_LANGUAGES 2
const char *notice_language_name(enum notice_language language); /* "ja", "en" */
bool notice_language_parse(struct span word, enum notice_language *out);

struct notice_file {
    struct span name, content;
};
const struct notice_file *notice_files_builtin(size_t *n); /* data/embed.py makes it */

/* `dir` "": none. A file with a fault, or with a name of no notice, is refused: "DIR/lockout.ja.txt: line 3: …". */
int notice_texts_load(struct notice_texts **out, const char *dir, struct fault *f);
void notice_texts_free(struct notice_texts *texts);

struct notice_text {
    const struct mustache *subject, *text, *html;
};
struct notice_text notice_texts_get(const struct notice_texts *texts, enum notice_kind kind,
                                    enum notice_language language);

/* What templates of the kind may name. */
const struct mustache_name *notice_names(enum notice_kind kind);

#endif
