/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho cdr import: files of call records, piece by piece. The daemon remembers how far each was read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/resource.h"
#include "intake/cdr_file.h"
#include "intake/cdr_mapping.h"

#define PIECE ((size_t)4 << 20)
#define HEAD 4096       /* bytes by which files are known again */
#define FAULTS_SHOWN 20 /* of all files; --rejects has all */

static volatile sig_atomic_t interrupts;

static void on_interrupt(int number)
{
    interrupts++;
}

struct options {
    const char *switch_, *format, *zone, *payer, *mapping, *rejects;
    bool quiet;
    struct words rest;
};

struct import {
    struct cli *cli;
    const struct options *o;
    struct buf mapping; /* its text */
    FILE *rejects;
    uint64_t faults; /* told */
    /* of the file at hand */
    const char *path;
    struct cdr_file *file;
    crypto_generichash_state hash; /* of all that the daemon has taken */
    uint64_t position;
    char *piece; /* PIECE bytes */
    size_t n;
    bool last; /* nothing comes behind the piece */
    bool resumable;
    struct buf at; /* path of the import */
    struct progress progress;
    json_t *result; /* of the last answer */
    json_t *all;    /* results of all files, with --json */
};

/* ---- the file ------------------------------------------------------------------------------- */

static int open_file(struct import *m, struct fault *f)
{
    const char *path = strcmp(m->path, "-") == 0 ? "/dev/stdin" : m->path;

    cdr_file_close(m->file);
    m->file = NULL;
    crypto_generichash_init(&m->hash, NULL, 0, CDR_FILE_DIGEST);
    m->position = 0;
    m->n = 0;
    m->last = false;
    return cdr_file_open(&m->file, path, f);
}

static void digest_hex(const struct import *m, char out[2 * CDR_FILE_DIGEST + 1])
{
    crypto_generichash_state state = m->hash;
    unsigned char digest[CDR_FILE_DIGEST];

    crypto_generichash_final(&state, digest, sizeof(digest));
    sodium_bin2hex(out, 2 * CDR_FILE_DIGEST + 1, digest, sizeof(digest));
}

static void take(struct import *m, const char *p, size_t n)
{
    crypto_generichash_update(&m->hash, (const unsigned char *)p, n);
    m->position += n;
}

/* The first bytes, which stay where they are; empty where there are fewer. */
static int head_hex(struct import *m, char out[2 * CDR_FILE_DIGEST + 1], struct fault *f)
{
    unsigned char digest[CDR_FILE_DIGEST];
    struct span window;
    bool end;
    int err = cdr_file_fill(m->file, &window, &end, f);

    out[0] = '\0';
    if (err || window.n < HEAD)
        return err;
    crypto_generichash(digest, sizeof(digest), (const unsigned char *)window.p, HEAD, NULL, 0);
    sodium_bin2hex(out, 2 * CDR_FILE_DIGEST + 1, digest, sizeof(digest));
    return 0;
}

static int interrupted(struct fault *f)
{
    return fault(f, ERR_CONFLICT,
                 "interrupted: what was read is kept, and the same command goes on from there");
}

static void show(struct import *m)
{
    uint64_t done, all;

    cdr_file_progress(m->file, &done, &all);
    progress_show(&m->progress, TR(m->cli, "importing", "取り込み中"), "", true, done, all);
}

/* On to a place where it was read to. 1: it is this content; 0: it is another, and the file stands somewhere else. */
static int skip_to(struct import *m, uint64_t position, const char *digest, struct fault *f)
{
    char mine[2 * CDR_FILE_DIGEST + 1];

    while (m->position < position) {
        struct span window;
        bool end;
        int err = interrupts ? interrupted(f) : cdr_file_fill(m->file, &window, &end, f);

        if (err)
            return err;
        size_t n = position - m->position < window.n ? (size_t)(position - m->position) : window.n;
        take(m, window.p, n);
        cdr_file_take(m->file, n);
        show(m);
        if (end && m->position < position)
            return 0;
    }
    digest_hex(m, mine);
    return strcmp(mine, digest) == 0;
}

/* Behind the place nothing stands any more? */
static int at_end(struct import *m, bool *out, struct fault *f)
{
    struct span window;
    bool end;
    int err = cdr_file_fill(m->file, &window, &end, f);

    if (!err)
        *out = end && window.n == 0;
    return err;
}

/* Looks where the daemon has read to before, the furthest first. */
static int find_place(struct import *m, const json_t *known, struct fault *f)
{
    const json_t *place;
    size_t i;

    if (json_array_size(known) == 0 || strcmp(m->path, "-") == 0)
        return 0;
    json_array_foreach(known, i, place)
    {
        uint64_t position = (uint64_t)json_integer_value(json_object_get(place, "position"));
        const char *digest = json_string_value(json_object_get(place, "digest"));
        bool whole = false;
        int found = digest ? skip_to(m, position, digest, f) : 0;

        if (found < 0)
            return found;
        if (found == 1 && !m->resumable) {
            int err = at_end(m, &whole, f);
            if (err)
                return err;
        }
        if (found == 1 && (m->resumable || whole))
            return 0;
        int err = open_file(m, f);
        if (err)
            return err;
    }
    return 0;
}

/* ---- to the daemon -------------------------------------------------------------------------- */

static int begin(struct import *m, struct fault *f)
{
    const struct options *o = m->o;
    char head[2 * CDR_FILE_DIGEST + 1];
    int err = head_hex(m, head, f);
    struct reply r = {0};

    if (err)
        return err;
    json_t *body = json_pack("{s:s, s:s}", "switch", o->switch_, "name", m->path);
    body_text(body, "format", o->format, false);
    body_text(body, "zone", o->zone, false);
    body_text(body, "payer", o->payer, false);
    body_text(body, "mapping", m->mapping.n ? m->mapping.p : NULL, false);
    body_text(body, "head", head[0] ? head : NULL, false);
    err = remote_call(m->cli, "POST", "/v1/calls/imports", body, &r, f);
    json_decref(body);
    if (!err) {
        const char *id = json_string_value(json_object_get(r.json, "id"));

        buf_clear(&m->at);
        buf_puts(&m->at, "/v1/calls/imports");
        path_part(&m->at, id ? id : "");
        m->resumable = json_is_true(json_object_get(r.json, "resumable"));
        err = find_place(m, json_object_get(r.json, "known"), f);
    }
    reply_free(&r);
    return err;
}

static int fill_piece(struct import *m, struct fault *f)
{
    while (!m->last && m->n < PIECE) {
        struct span window;
        bool end;
        int err = cdr_file_fill(m->file, &window, &end, f);

        if (err)
            return err;
        size_t n = window.n < PIECE - m->n ? window.n : PIECE - m->n;
        memcpy(m->piece + m->n, window.p, n);
        cdr_file_take(m->file, n);
        m->n += n;
        m->last = end && n == window.n;
        show(m);
    }
    return 0;
}

static void tell_faults(struct import *m, const json_t *errors)
{
    const json_t *error;
    size_t i;

    json_array_foreach(errors, i, error)
    {
        const char *detail = json_string_value(json_object_get(error, "detail"));
        long long line = json_integer_value(json_object_get(error, "line"));
        struct fault said;

        if (m->rejects)
            fprintf(m->rejects, "%s:%lld: %s\n", m->path, line, detail ? detail : "?");
        if (m->faults++ >= FAULTS_SHOWN)
            continue;
        progress_end(&m->progress);
        fprintf(stderr, "%s:%lld: %s\n", m->path, line,
                remote_words(span_of(detail ? detail : "?"), &said));
        if (m->faults == FAULTS_SHOWN && !m->rejects)
            cli_note("further rows that cannot be read are only counted; --rejects FILE has all");
    }
}

/* Sends the piece, and keeps what was not taken for the next one. */
static int send_piece(struct import *m, bool *ended, struct fault *f)
{
    char digest[2 * CDR_FILE_DIGEST + 1], number[24];
    struct buf path = {0};
    struct reply r = {0};
    int err;

    digest_hex(m, digest);
    snprintf(number, sizeof(number), "%" PRIu64, m->position);
    buf_add(&path, buf_span(&m->at));
    path_query(&path, "position", number);
    path_query(&path, "digest", digest);
    path_query(&path, "last", m->last ? "true" : "false");
    err = path.failed ? fault_nomem(f)
                      : remote_send(m->cli, "PUT", path.p, "text/csv",
                                    (struct span){m->piece, m->n}, &r, f);
    buf_free(&path);
    if (err)
        return err;
    uint64_t next = (uint64_t)json_integer_value(json_object_get(r.json, "position"));
    size_t used = next > m->position && next - m->position <= m->n ? next - m->position : 0;
    tell_faults(m, json_object_get(r.json, "errors"));
    *ended = json_is_true(json_object_get(r.json, "ended"));
    take(m, m->piece, used);
    m->n -= used;
    memmove(m->piece, m->piece + used, m->n);
    json_decref(m->result);
    m->result = json_incref(r.json);
    reply_free(&r);
    if (!used && !*ended && !m->last && m->n == PIECE)
        return fault(f, ERR_SYNTAX, "%s has a row of more than %zu bytes behind byte %" PRIu64,
                     m->path, PIECE, m->position);
    return 0;
}

static int next_body(void *arg, char *p, size_t max, struct fault *f)
{
    struct span *left = arg;
    size_t n = left->n < max ? left->n : max;

    memcpy(p, left->p, n);
    *left = span_skip(*left, n);
    return (int)n;
}

static int no_tick(void *arg, struct fault *f)
{
    return 0;
}

/* Takes as long as bringing all calls into the history does. */
static int finish(struct import *m, struct fault *f)
{
    char digest[2 * CDR_FILE_DIGEST + 1], text[128];
    struct buf path = {0};
    struct reply r = {0};

    digest_hex(m, digest);
    int n = snprintf(text, sizeof(text), "{\"digest\":\"%s\"}", digest);
    struct span left = {text, (size_t)n};
    const struct remote_body body = {.size = n, .read = next_body, .tick = no_tick, .arg = &left};
    buf_add(&path, buf_span(&m->at));
    path_part(&path, "finish");
    progress_show(&m->progress, TR(m->cli, "bringing it into the history", "履歴に反映中"), "",
                  true, 0, 0);
    int err = path.failed ? fault_nomem(f)
                          : remote_stream(m->cli, "POST", path.p, "application/json", &body, &r, f);
    buf_free(&path);
    if (!err) {
        json_decref(m->result);
        m->result = json_incref(r.json);
    }
    reply_free(&r);
    return err;
}

/* ---- what came of it ------------------------------------------------------------------------ */

static long long figure(const json_t *of, const char *key)
{
    return json_integer_value(json_object_get(of, key));
}

static void tell_strays(const struct import *m, const json_t *payers)
{
    long long strays = figure(payers, "stray_calls"), calls = figure(payers, "calls");
    const json_t *stray;
    size_t i;

    if (!strays)
        return;
    fprintf(stderr,
            TR(m->cli,
               "sekisho: %lld of %lld calls on record are of %lld names that no account has:\n",
               "sekisho: 記録された %2$lld 件のうち %1$lld 件は、アカウントのない %3$lld "
               "個の名前の通話です:\n"),
            strays, calls, figure(payers, "stray_callers"));
    json_array_foreach(json_object_get(payers, "strays"), i, stray)
    {
        const char *name = json_string_value(json_object_get(stray, "name"));
        struct fault said;

        fprintf(stderr, TR(m->cli, "    %s  %lld calls\n", "    %s  %lld 件\n"),
                remote_words(span_of(name ? name : "?"), &said), figure(stray, "calls"));
    }
    fprintf(stderr,
            TR(m->cli, "sekisho: %lld of %lld accounts have no call on record\n",
               "sekisho: %2$lld 件のアカウントのうち %1$lld 件には通話の記録がありません\n"),
            figure(payers, "silent"), figure(payers, "accounts"));
    if (json_is_true(json_object_get(payers, "doubtful")))
        fputs(
            TR(m->cli,
               "sekisho: WARNING: the rule of who pays does not fit these records. A sweep on them "
               "would restrict accounts that do call abroad. Look at --payer, and at the account "
               "codes that the switch writes.\n",
               "sekisho: 警告: "
               "課金先の決め方がこの記録に合っていません。このまま一括制限を行うと、国際通話をして"
               "いるアカウント"
               "まで制限されます。--payer "
               "と、交換機が書き出すアカウントコードを確認してください。\n"),
            stderr);
}

static void tell(struct import *m)
{
    const json_t *r = m->result;

    progress_end(&m->progress);
    if (m->cli->json) {
        json_t *one = json_copy(m->result);

        json_object_del(one, "errors");
        json_object_set_new(one, "file", json_string(m->path));
        json_array_append_new(m->all, one);
        return;
    }
    printf(TR(m->cli, "%s: %lld calls added, %lld were there already, %lld rows cannot be read\n",
              "%s: 通話 %lld 件を追加しました。%lld 件は登録済み、%lld 行は読み取れません\n"),
           m->path, figure(r, "added"), figure(r, "known"), figure(r, "bad"));
    if (figure(r, "unowned"))
        printf(TR(m->cli, "%lld calls name nobody who pays, and are left out\n",
                  "%lld 件には課金先の名前がなく、取り込みませんでした\n"),
               figure(r, "unowned"));
    if (figure(r, "doubtful"))
        printf(TR(m->cli, "%lld times do not fit the ids of their calls: is the zone right?\n",
                  "%lld 件の時刻が通話の ID と合いません。タイムゾーンは正しいですか?\n"),
               figure(r, "doubtful"));
    fflush(stdout);
    tell_strays(m, json_object_get(r, "payers"));
}

static int import_file(struct import *m, struct fault *f)
{
    bool ended = false;
    int err = open_file(m, f);

    if (!err)
        err = begin(m, f);
    while (!err && !ended) {
        err = interrupts ? interrupted(f) : fill_piece(m, f);
        if (!err)
            err = send_piece(m, &ended, f);
    }
    if (!err)
        err = finish(m, f);
    progress_end(&m->progress);
    if (!err)
        tell(m);
    return err;
}

/* ---- the command ---------------------------------------------------------------------------- */

static int read_mapping(struct import *m, struct fault *f)
{
    char bytes[CDR_MAPPING_BYTES_MAX + 1];
    int fd = open(m->o->mapping, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
    int why = errno;

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return fault(f, ERR_IO, "cannot read %s: %s", m->o->mapping, strerror(why));
    if (n > CDR_MAPPING_BYTES_MAX)
        return fault(f, ERR_RANGE, "%s has more than %d bytes", m->o->mapping,
                     CDR_MAPPING_BYTES_MAX);
    buf_add(&m->mapping, (struct span){bytes, (size_t)n});
    return m->mapping.failed ? fault_nomem(f) : 0;
}

static int prepare(struct import *m, struct fault *f)
{
    int err = m->o->mapping ? read_mapping(m, f) : 0;

    m->piece = malloc(PIECE);
    m->all = json_array();
    if (!err && (!m->piece || sodium_init() < 0))
        err = fault_nomem(f);
    if (!err && m->o->rejects) {
        m->rejects = fopen(m->o->rejects, "we");
        if (!m->rejects)
            err = fault(f, ERR_IO, "cannot write %s: %s", m->o->rejects, strerror(errno));
    }
    return err;
}

static int import_all(struct cli *cli, const struct options *o)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    static struct import m;
    struct fault f = {0};

    m = (struct import){.cli = cli, .o = o};
    sigaction(SIGINT, &action, NULL);
    progress_begin(&m.progress, cli, o->quiet || cli->json);
    int err = prepare(&m, &f);
    for (size_t i = 0; !err && i < o->rest.n; i++) {
        m.path = o->rest.at[i];
        err = import_file(&m, &f);
        if (err)
            fault_in(&f, "%s", m.path);
    }
    if (cli->json && json_array_size(m.all))
        show_json(m.all);
    if (m.rejects && fclose(m.rejects) != 0 && !err)
        err = fault(&f, ERR_IO, "cannot write %s: %s", o->rejects, strerror(errno));
    int code = err ? cli_fail(&f) : EXIT_DONE;
    cdr_file_close(m.file);
    json_decref(m.result);
    json_decref(m.all);
    buf_free(&m.mapping);
    buf_free(&m.at);
    free(m.piece);
    return code;
}

static int run_import(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct options o = {.quiet = false};
    const struct option options[] = {
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "format", .text = &o.format, .value = "FORMAT"},
        {.name = "zone", .text = &o.zone, .value = "ZONE"},
        {.name = "payer", .text = &o.payer, .value = "NAMES"},
        {.name = "mapping", .text = &o.mapping, .value = "FILE"},
        {.name = "rejects", .text = &o.rejects, .value = "FILE"},
        {.name = "quiet", .flag = &o.quiet},
        {0},
    };
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 1, &o.rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (!o.rest.n)
        code = cli_usage(self, "the FILE is missing");
    else if (!o.switch_)
        code = cli_usage(self, "--switch is missing: whose records are they?");
    else
        code = import_all(cli, &o);
    words_free(&o.rest);
    return code;
}

const struct command cdr_commands[] = {
    {.name = "import",
     .brief = "Reads files of call records",
     .usage = "cdr import FILE… --switch SWITCH [--format FORMAT] [--zone ZONE] [--payer NAMES] "
              "[--mapping FILE] [--rejects FILE] [--quiet]",
     .help =
         "Plain or gzip; - is standard input. What was read before is not read again, and no call "
         "is\n"
         "taken twice. Neither the format nor the zone is guessed.\n"
         "  --format FORMAT      asterisk (Master.csv), freeswitch, kamailio (acc with a header),\n"
         "                       mapping\n"
         "  --zone ZONE          whose clocks the records show: Asia/Tokyo, UTC\n"
         "  --payer NAMES        which account pays, the first that is not empty:\n"
         "                       \"accountcode, endpoint, src\" without it\n"
         "  --mapping FILE       what the columns of any other CSV are\n"
         "  --rejects FILE       all rows that cannot be read, with file, line and reason\n",
     .run = run_import},
    {0},
};
