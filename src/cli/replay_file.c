/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/replay_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/zoneinfo.h"
#include "cli/progress.h"
#include "intake/cdr_call.h"
#include "intake/cdr_stream.h"
#include "policy/tz.h"

#define PAYER "accountcode, endpoint, src"
#define BAD_TOLD 10
#define STEP 65536 /* records between two looks at the clock */

/* ---- who called ----------------------------------------------------------------------------- */

#define NAME_MAX_BYTES 64

struct replay_callers {
    struct name {
        uint8_t n;
        char text[NAME_MAX_BYTES];
    } * names;
    size_t n, cap;
    uint32_t *slots; /* number of a name; 0: free */
    size_t size;     /* a power of two */
    unsigned char key[crypto_shorthash_KEYBYTES];
};

struct replay_callers *replay_callers_new(void)
{
    struct replay_callers *c = calloc(1, sizeof(*c));

    if (c)
        randombytes_buf(c->key, sizeof(c->key));
    return c;
}

void replay_callers_free(struct replay_callers *c)
{
    if (!c)
        return;
    free(c->names);
    free(c->slots);
    free(c);
}

bool replay_callers_name(void *arg, uint32_t caller, struct replay_name *out)
{
    const struct replay_callers *c = arg;

    if (caller == 0 || caller > c->n)
        return false;
    *out = (struct replay_name){{c->names[caller - 1].text, c->names[caller - 1].n}, {NULL, 0}};
    return true;
}

static uint32_t *slot(const struct replay_callers *c, struct span name)
{
    unsigned char hash[crypto_shorthash_BYTES];
    size_t at = 0;

    crypto_shorthash(hash, (const unsigned char *)name.p, name.n, c->key);
    memcpy(&at, hash, sizeof(at));
    for (at &= c->size - 1;; at = (at + 1) & (c->size - 1)) {
        uint32_t i = c->slots[at];

        if (!i || span_eq((struct span){c->names[i - 1].text, c->names[i - 1].n}, name))
            return &c->slots[at];
    }
}

static int grow(struct replay_callers *c, struct fault *f)
{
    size_t cap = c->cap ? 2 * c->cap : 1024;
    struct name *names = reallocarray(c->names, cap, sizeof(*names));
    uint32_t *slots = calloc(2 * cap, sizeof(*slots));

    if (names)
        c->names = names;
    if (!names || !slots) {
        free(slots);
        return fault_nomem(f);
    }
    free(c->slots);
    c->slots = slots;
    c->cap = cap;
    c->size = 2 * cap;
    for (size_t i = 0; i < c->n; i++)
        *slot(c, (struct span){c->names[i].text, c->names[i].n}) = (uint32_t)i + 1;
    return 0;
}

/* As accounts have it: in lower case. 0: it can name none. */
static int number_of(struct replay_callers *c, struct span payer, uint32_t *out, struct fault *f)
{
    struct name name = {.n = (uint8_t)payer.n};
    int err = c->n == c->cap ? grow(c, f) : 0;

    if (err)
        return err;
    for (size_t i = 0; i < payer.n; i++)
        name.text[i] = (char)tolower((unsigned char)payer.p[i]);
    uint32_t *at = slot(c, (struct span){name.text, name.n});
    if (!*at) {
        c->names[c->n++] = name;
        *at = (uint32_t)c->n;
    }
    *out = *at;
    return 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct run {
    const struct replay_files *files;
    struct replay *replay;
    const struct site *site;
    const struct decide_rules *rules;
    struct replay_callers *callers;
    struct cdr_options options;
    struct cdr_payer_rule payer;
    struct cdr_mapping *mapping;
    struct tz *tz;
    struct progress progress;
    struct replay_read read;
};

static int read_mapping(struct run *run, struct fault *f)
{
    struct buf text = {0};
    int err = file_read(run->files->mapping, CDR_MAPPING_BYTES_MAX, &text, f);

    if (!err && cdr_mapping_new(&run->mapping, buf_span(&text), f))
        err = fault_in(f, "%s", run->files->mapping);
    run->options.mapping = run->mapping;
    buf_free(&text);
    return err;
}

static int read_zone(struct run *run, struct fault *f)
{
    struct span name = span_of(run->files->zone);
    struct buf tzif = {0};
    int err = tz_name_valid(name) ? 0
                                  : fault(f, ERR_SYNTAX,
                                          "--zone \"%s\" is no time zone: Asia/Tokyo "
                                          "and UTC are",
                                          ESCAPED(name));

    if (!err)
        err = zoneinfo_read(NULL, name, &tzif, f);
    if (!err)
        err = tz_new(&run->tz, buf_span(&tzif), f);
    run->options.tz = run->tz;
    buf_free(&tzif);
    return err;
}

static int begin(struct run *run, struct fault *f)
{
    const struct replay_files *o = run->files;
    int err = 0;

    randombytes_buf(run->options.key, sizeof(run->options.key));
    if (o->format && !cdr_format_named(span_of(o->format), &run->options.format))
        return fault(f, ERR_SYNTAX,
                     "--format \"%s\" is not asterisk, freeswitch, kamailio or mapping",
                     ESCAPED(span_of(o->format)));
    if ((run->options.format == CDR_FORMAT_MAPPING) != (o->mapping != NULL))
        return fault(f, ERR_SYNTAX, "--format mapping and --mapping FILE go together");
    if (!o->zone)
        return fault(f, ERR_SYNTAX,
                     "--zone is missing: whose clocks do the records show? "
                     "Asia/Tokyo, or UTC");
    err = read_zone(run, f);
    if (!err && o->mapping)
        err = read_mapping(run, f);
    if (!err && cdr_payer_rule_parse(&run->payer, span_of(o->payer ? o->payer : PAYER), f))
        err = fault_in(f, "--payer");
    return err;
}

static void tell_bad(struct run *run, const char *path, uint64_t line, const char *why)
{
    if (run->read.bad++ < BAD_TOLD)
        cli_note("%s line %" PRIu64 ": %s", path, line, why);
}

static int judge(struct run *run, const char *path, uint64_t line, const struct cdr *c,
                 struct fault *f)
{
    struct span number = cdr_call_number(c, run->site), payer = cdr_payer(c, &run->payer, NULL);
    const char *why = cdr_call_objection(c, number);
    struct call call = {.start_ms = c->start_ms, .dialled = number, .end = cdr_call_end(c)};

    if (c->near_half)
        return 0;
    if (why) {
        tell_bad(run, path, line, why);
        return 0;
    }
    if (call.start_ms < run->files->from_ms || call.start_ms >= run->files->before_ms)
        return 0;
    if (!payer.n || payer.n > NAME_MAX_BYTES) {
        run->read.unowned++;
        return 0;
    }
    call.seconds = call.end == CALL_ANSWERED ? c->billed_s : 0;
    int err = number_of(run->callers, payer, &call.caller, f);
    if (!err)
        err = replay_add(run->replay, &call, run->site, run->rules, f);
    if (err == ERR_NOMEM)
        fault_nomem(f);
    run->read.records++;
    return err;
}

static void show(struct run *run, const struct cdr_stream *s)
{
    uint64_t done = 0, all = 0;

    cdr_file_progress(cdr_stream_file(s), &done, &all);
    progress_show(&run->progress, TR(run->progress.cli, "replaying", "再生中"), "", true, done,
                  all);
}

static int one_file(struct run *run, const char *path, struct fault *f)
{
    struct cdr_stream *s = NULL;
    struct cdr c;
    int err = cdr_stream_open(&s, path, &run->options, false, f);

    for (uint64_t n = 0; !err; n++) {
        enum cdr_next next = cdr_stream_next(s, &c, f);
        uint64_t line = cdr_reader_line(cdr_stream_reader(s));

        if (n % STEP == 0)
            show(run, s);
        if (next == CDR_NEXT_END)
            break;
        switch (next) {
        case CDR_NEXT_RECORD: err = judge(run, path, line, &c, f); break;
        case CDR_NEXT_BAD: tell_bad(run, path, line, f->text); break;
        case CDR_NEXT_ERROR: err = f->code ? f->code : ERR_IO; break;
        case CDR_NEXT_END: break;
        }
    }
    if (s)
        run->read.doubtful += cdr_reader_figures(cdr_stream_reader(s)).doubtful;
    cdr_stream_close(s);
    return err;
}

int replay_files_run(const struct cli *cli, const struct replay_files *files, struct replay *replay,
                     const struct site *site, const struct decide_rules *rules,
                     struct replay_callers *callers, struct replay_read *out, struct fault *f)
{
    struct run run = {
        .files = files, .replay = replay, .site = site, .rules = rules, .callers = callers};
    int err = begin(&run, f);

    progress_begin(&run.progress, cli, false);
    for (size_t i = 0; !err && i < files->files.n; i++)
        err = one_file(&run, files->files.at[i], f);
    progress_end(&run.progress);
    cdr_mapping_free(run.mapping);
    tz_free(run.tz);
    *out = run.read;
    return err;
}
