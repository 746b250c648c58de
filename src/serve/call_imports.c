/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/call_imports.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/snapshot.h"

#define NS INT64_C(1000000000)

struct call_imports {
    struct calls_room *room;
    struct snapshot *snapshot;
    struct store *store;
    const struct call_default *defaults;
    size_t n_defaults;
    struct call_import_session sessions[CALL_IMPORTS_MAX];
};

int call_imports_new(struct call_imports **out, struct calls_room *room, struct snapshot *snapshot,
                     struct store *store, const struct call_default *defaults, size_t n,
                     struct fault *f)
{
    struct call_imports *imports = calloc(1, sizeof(*imports));

    if (!imports)
        return fault_nomem(f);
    imports->room = room;
    imports->snapshot = snapshot;
    imports->store = store;
    imports->defaults = defaults;
    imports->n_defaults = n;
    *out = imports;
    return 0;
}

static void forget(struct call_import_session *s)
{
    call_import_free(s->import);
    call_terms_free(s->terms);
    *s = (struct call_import_session){.id = ""};
}

void call_imports_free(struct call_imports *imports)
{
    if (!imports)
        return;
    for (size_t i = 0; i < CALL_IMPORTS_MAX; i++)
        forget(&imports->sessions[i]);
    free(imports);
}

void call_imports_tick(struct call_imports *imports)
{
    int64_t now_ns = clock_now().boot_ns;
    bool left = false;
    struct fault f;

    for (size_t i = 0; i < CALL_IMPORTS_MAX; i++) {
        struct call_import_session *s = &imports->sessions[i];

        if (!s->import || now_ns - s->used_ns < CALL_IMPORT_IDLE_S * NS)
            continue;
        log_warning("calls-import-left", LOG_TEXT("switch", s->switch_name),
                    LOG_TEXT("file", s->name));
        forget(s);
        left = true;
    }
    if (left && calls_room_sum(imports->room, &f) != 0)
        log_error("calls-unsummed", LOG_TEXT("fault", f.text));
}

/* ---- beginning ------------------------------------------------------------------------------ */

static struct span or_else(struct span said, struct span otherwise)
{
    return said.n ? said : otherwise;
}

/* What is not said is as the configuration has it for that switch. */
static struct call_terms_text complete(const struct call_imports *imports,
                                       const struct call_import_ask *ask)
{
    struct call_terms_text text = ask->terms;

    for (size_t i = 0; i < imports->n_defaults; i++) {
        const struct call_default *d = &imports->defaults[i];

        if (!span_eq(d->switch_name, ask->switch_name))
            continue;
        /* A mapping goes with its format. */
        if (!text.format.n && !text.mapping.n) {
            text.format = d->terms.format;
            text.mapping = d->terms.mapping;
        }
        text.zone = or_else(text.zone, d->terms.zone);
        text.payer = or_else(text.payer, d->terms.payer);
    }
    if (!text.format.n && text.mapping.n)
        text.format = SPAN("mapping");
    return text;
}

static bool find_switch(const struct call_imports *imports, struct span name, int64_t *id)
{
    snapshot_read_lock();
    const struct levels_gate *gate = snapshot_switch_by_name(imports->snapshot, name);
    if (gate)
        *id = gate->id;
    snapshot_read_unlock();
    return gate != NULL;
}

static struct call_import_session *free_session(struct call_imports *imports)
{
    for (size_t i = 0; i < CALL_IMPORTS_MAX; i++)
        if (!imports->sessions[i].import)
            return &imports->sessions[i];
    return NULL;
}

static void name_session(struct call_import_session *s, const struct call_import_ask *ask)
{
    unsigned char bytes[16];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(s->id, sizeof(s->id), bytes, sizeof(bytes));
    snprintf(s->switch_name, sizeof(s->switch_name), "%.*s", SPAN_FMT(ask->switch_name));
    escape(ask->name, s->name, sizeof(s->name));
    s->used_ns = clock_now().boot_ns;
    s->file = (struct calls_file){.name = span_of(s->name)};
    if (!ask->head)
        return;
    unsigned char both[64];
    memcpy(both, ask->head, 32);
    memcpy(both + 32, s->terms->hash, 32);
    crypto_generichash(s->head, sizeof(s->head), both, sizeof(both), NULL, 0);
    s->file.head = (struct span){(const char *)s->head, sizeof(s->head)};
}

int call_imports_begin(struct call_imports *imports, const struct call_import_ask *ask,
                       struct call_import_session **out, const char **wrong, struct fault *f)
{
    struct call_import_session *s = free_session(imports);
    const struct call_terms_text text = complete(imports, ask);
    struct calls *calls = NULL;

    *wrong = "switch";
    if (!s)
        return fault(f, ERR_FULL, "%d imports are under way already; try again later",
                     CALL_IMPORTS_MAX);
    if (!find_switch(imports, ask->switch_name, &s->switch_id))
        return fault(f, ERR_MISSING, "there is no switch \"%s\"", ESCAPED(ask->switch_name));
    int err = call_terms_new(&s->terms, &text, wrong, f);
    if (!err)
        err = calls_room_file(imports->room, true, &calls, f);
    if (!err) {
        const struct call_import_options options = {
            .switch_id = s->switch_id, .format = s->terms->format, .payer = s->terms->payer};

        err = call_import_new(&s->import, calls, imports->snapshot, &options, f);
    }
    if (err) {
        forget(s);
        return err;
    }
    name_session(s, ask);
    *out = s;
    return 0;
}

struct call_import_session *call_imports_find(struct call_imports *imports, struct span id)
{
    for (size_t i = 0; i < CALL_IMPORTS_MAX; i++)
        if (imports->sessions[i].import && span_is(id, imports->sessions[i].id))
            return &imports->sessions[i];
    return NULL;
}

int call_imports_known(struct call_imports *imports, struct call_import_session *s,
                       int (*take)(void *arg, const struct calls_file *file), void *arg,
                       struct fault *f)
{
    struct calls *calls;
    int err = calls_room_file(imports->room, true, &calls, f);

    return err || !s->file.head.n ? err
                                  : calls_files(calls, s->switch_id, s->file.head, take, arg, f);
}

/* ---- pieces --------------------------------------------------------------------------------- */

struct looked_for {
    const struct call_import_given *given;
    struct calls_file *file;
    bool found;
};

static int is_place(void *arg, const struct calls_file *file)
{
    struct looked_for *for_ = arg;

    for_->found = file->bytes == for_->given->position &&
                  memcmp(file->hash, for_->given->digest, sizeof(file->hash)) == 0;
    if (!for_->found)
        return 0;
    for_->file->id = file->id;
    for_->file->rows = file->rows;
    for_->file->unread = file->unread;
    return 1;
}

static int go_on(struct call_imports *imports, struct call_import_session *s,
                 const struct call_import_given *given, struct fault *f)
{
    struct looked_for for_ = {.given = given, .file = &s->file};
    int err = call_imports_known(imports, s, is_place, &for_, f);

    if (err < 0)
        return err;
    if (!for_.found || !call_terms_resumable(s->terms))
        return fault(f, ERR_CONFLICT, "this file was not read up to byte %" PRIu64 " before",
                     given->position);
    call_import_resume(s->import, s->file.rows + 1);
    s->position = given->position;
    return 0;
}

/* The place where the file of this session stands now. */
static struct calls_file *place_of(struct call_import_session *s, const unsigned char digest[32])
{
    const struct call_import_figures figures = call_import_figures(s->import, NULL, NULL);

    if (!s->file.head.n)
        return NULL;
    s->file.bytes = s->position;
    s->file.rows = call_import_lines(s->import);
    s->file.unread = figures.bad;
    memcpy(s->file.hash, digest, sizeof(s->file.hash));
    return &s->file;
}

int call_imports_piece(struct call_imports *imports, struct call_import_session *s,
                       const struct call_import_given *given, int64_t now_ms, struct fault *f)
{
    size_t used = 0;
    int err = 0;

    s->used_ns = clock_now().boot_ns;
    if (s->position == 0 && given->position > 0)
        err = go_on(imports, s, given, f);
    if (!err && given->position != s->position)
        err =
            fault(f, ERR_CONFLICT, "what comes next is byte %" PRIu64 " of the file, not %" PRIu64,
                  s->position, given->position);
    if (!err)
        err = call_import_piece(s->import, given->bytes, given->last, place_of(s, given->digest),
                                now_ms, &used, &s->ended, f);
    if (!err)
        s->position += used;
    return err;
}

/* ---- the end -------------------------------------------------------------------------------- */

struct accounts_of {
    const struct call_imports *imports;
    int64_t switch_id;
    uint64_t n;
};

static bool is_account(void *arg, struct span name)
{
    const struct accounts_of *of = arg;
    struct snapshot_subject subject = {0};

    snapshot_read_lock();
    const struct levels_gate *gate = snapshot_switch_by_id(of->imports->snapshot, of->switch_id);
    if (gate)
        snapshot_find(of->imports->snapshot, gate, name, &subject);
    snapshot_read_unlock();
    return subject.account != 0;
}

static int count_accounts(struct store_tx *tx, void *arg, struct fault *f)
{
    struct accounts_of *of = arg;

    return store_account_count(tx, of->switch_id, &of->n, f);
}

int call_imports_count(struct call_imports *imports, int64_t switch_id, int64_t now_ms,
                       struct payers *payers, struct payers_top *top, struct fault *f)
{
    struct accounts_of of = {.imports = imports, .switch_id = switch_id};
    struct calls *calls;
    int err = store_read_wait(imports->store, count_accounts, &of, f);

    if (!err)
        err = calls_room_file(imports->room, true, &calls, f);
    if (!err)
        err = payers_count(calls, switch_id, is_account, &of, of.n, now_ms, payers, top, f);
    if (!err && payers_doubtful(payers))
        log_warning("calls-of-nobody", LOG_INT("switch", switch_id),
                    LOG_INT("calls", payers->calls), LOG_INT("stray", payers->stray_calls));
    return err;
}

int call_imports_finish(struct call_imports *imports, struct call_import_session *s,
                        const unsigned char digest[32], int64_t now_ms, struct payers *payers,
                        struct payers_top *top, struct fault *f)
{
    struct calls_added none;
    struct calls *calls;
    int err = calls_room_file(imports->room, true, &calls, f);

    s->used_ns = clock_now().boot_ns;
    if (!err && s->ended && s->file.head.n)
        err = calls_append(calls, s->switch_id, NULL, 0, place_of(s, digest), now_ms, &none, f);
    if (!err)
        err = calls_room_sum(imports->room, f);
    if (!err)
        err = call_imports_count(imports, s->switch_id, now_ms, payers, top, f);
    if (!err)
        forget(s);
    return err;
}
