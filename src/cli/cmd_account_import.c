/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/resource.h"

#define HEAD_MAX 65536
#define TICKET_BYTES 18

/* ^C: a first one ends the import, a second one the command. */
static volatile sig_atomic_t interrupts;

static void on_interrupt(int number)
{
    interrupts++;
}

struct import {
    struct cli *cli;
    const char *file;
    int fd;
    uint64_t sent, size; /* size 0: not known */
    char head[HEAD_MAX]; /* what was read to see of what kind it is */
    size_t head_n, head_used;
    bool whole; /* all is sent: from now on the daemon has it */
    bool cancelled;
    struct buf ticket; /* path of the import while the daemon works on it */
    struct progress progress;
};

static int open_file(struct import *m, struct fault *f)
{
    struct stat st;

    m->fd = strcmp(m->file, "-") == 0 ? STDIN_FILENO : open(m->file, O_RDONLY | O_CLOEXEC);
    if (m->fd < 0)
        return fault(f, ERR_IO, "cannot read %s: %s", m->file, strerror(errno));
    if (fstat(m->fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(m->fd, 0, SEEK_CUR) == 0)
        m->size = (uint64_t)st.st_size;
    return 0;
}

static int read_some(struct import *m, char *p, size_t max, struct fault *f)
{
    for (;;) {
        ssize_t n = interrupts ? 0 : read(m->fd, p, max);

        if (interrupts)
            return fault(f, ERR_CONFLICT, "interrupted: nothing was imported");
        if (n >= 0)
            return (int)n;
        if (errno != EINTR)
            return fault(f, ERR_IO, "cannot read %s: %s", m->file, strerror(errno));
    }
}

static int read_head(struct import *m, struct fault *f)
{
    int n = 1;

    while (n > 0 && m->head_n < sizeof(m->head)) {
        n = read_some(m, m->head + m->head_n, sizeof(m->head) - m->head_n, f);
        m->head_n += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        return n;
    return m->head_n ? 0 : fault(f, ERR_SYNTAX, "%s is empty", m->file);
}

static int next_bytes(void *arg, char *p, size_t max, struct fault *f)
{
    struct import *m = arg;
    size_t left = m->head_n - m->head_used;
    int n;

    if (left) {
        n = (int)(left < max ? left : max);
        memcpy(p, m->head + m->head_used, (size_t)n);
        m->head_used += (size_t)n;
    } else {
        n = read_some(m, p, max, f);
    }
    m->sent += n > 0 ? (size_t)n : 0;
    m->whole = n == 0 || (m->size && m->sent >= m->size);
    return n;
}

/* What begins with '{' is JSON. */
static bool looks_like_json(struct span s)
{
    if (span_starts(s, SPAN("\xef\xbb\xbf")))
        s = span_skip(s, 3);
    while (s.n && strchr(" \t\r\n", s.p[0]))
        s = span_skip(s, 1);
    return s.n && s.p[0] == '{';
}

/* ---- while the daemon works ---- */

static const char *phase_words(const struct cli *cli, const char *phase)
{
    if (phase && strcmp(phase, "reading") == 0)
        return TR(cli, "reading", "読み取り中");
    if (phase && strcmp(phase, "checking") == 0)
        return TR(cli, "checking", "確認中");
    if (phase && strcmp(phase, "adding") == 0)
        return TR(cli, "adding", "追加中");
    return TR(cli, "committing", "確定中");
}

static void look(struct import *m)
{
    struct reply r = {0};

    if (m->progress.shown && remote_call(m->cli, "GET", m->ticket.p, NULL, &r, NULL) == 0) {
        const char *phase = json_string_value(json_object_get(r.json, "phase"));

        progress_show(&m->progress, phase_words(m->cli, phase), TR(m->cli, "rows", "行"),
                      phase && strcmp(phase, "reading") == 0,
                      (uint64_t)json_integer_value(json_object_get(r.json, "done")),
                      (uint64_t)json_integer_value(json_object_get(r.json, "total")));
    }
    reply_free(&r);
}

/* Once all is sent, leaving would not end the import: the daemon is asked to, and what it then answers is
 * what has happened. */
static int tick(void *arg, struct fault *f)
{
    struct import *m = arg;

    if (interrupts && !m->whole)
        return fault(f, ERR_CONFLICT, "interrupted: nothing was imported");
    if (interrupts > 1)
        return fault(f, ERR_CONFLICT,
                     "interrupted before the daemon had answered: \"sekisho audit\" tells whether "
                     "accounts were imported");
    if (interrupts && !m->cancelled)
        m->cancelled = remote_call(m->cli, "DELETE", m->ticket.p, NULL, NULL, NULL) == 0;
    if (m->whole)
        look(m);
    else
        progress_show(&m->progress, TR(m->cli, "sending", "送信中"), "", true, m->sent, m->size);
    return 0;
}

/* ---- the end of it ---- */

static int tell_faults(struct import *m, const struct reply *r, const struct fault *f)
{
    const json_t *errors = json_object_get(r->json, "errors"), *error;
    json_int_t total = json_integer_value(json_object_get(r->json, "errors_total"));
    size_t i;

    if (json_array_size(errors) == 0)
        return cli_fail(f);
    fprintf(stderr,
            TR(m->cli, "sekisho: nothing was imported; %lld of the lines are wrong:\n",
               "sekisho: 何も取り込みませんでした。%lld 件の誤りがあります:\n"),
            (long long)total);
    json_array_foreach(errors, i, error)
    {
        const char *detail = json_string_value(json_object_get(error, "detail"));
        struct fault said;

        fprintf(stderr, TR(m->cli, "line %lld: %s\n", "%lld 行目: %s\n"),
                (long long)json_integer_value(json_object_get(error, "line")),
                remote_words(span_of(detail ? detail : "?"), &said));
    }
    if (total > (json_int_t)i)
        fprintf(stderr, TR(m->cli, "and %lld more\n", "ほか %lld 件\n"),
                (long long)total - (long long)i);
    return EXIT_FAILED;
}

static int send_all(struct import *m, const char *path, const char *type)
{
    const struct remote_body body = {
        .size = m->size ? (int64_t)m->size : -1, .read = next_bytes, .tick = tick, .arg = m};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    int err = remote_stream(m->cli, "POST", path, type, &body, &r, &f);
    progress_end(&m->progress);
    if (err)
        code = tell_faults(m, &r, &f);
    else if (m->cli->json)
        show_json(r.json);
    else
        printf(TR(m->cli, "%d accounts added, %d were there already\n",
                  "%d 件のアカウントを追加しました。%d 件は登録済みです\n"),
               (int)json_integer_value(json_object_get(r.json, "added")),
               (int)json_integer_value(json_object_get(r.json, "kept")));
    if (!err && interrupts)
        cli_note("it was too late to interrupt: the accounts were imported");
    reply_free(&r);
    return code;
}

/* Nobody else shall guess it, and end our import. */
static int name_ticket(char out[2 * TICKET_BYTES + 1], struct fault *f)
{
    unsigned char bytes[TICKET_BYTES];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return fault(f, ERR_IO, "there is no source of randomness: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int import(struct import *m, const char *type, const char *switch_, const char *tenant,
                  bool keep, bool quiet)
{
    char ticket[2 * TICKET_BYTES + 1] = "";
    struct sigaction action = {.sa_handler = on_interrupt};
    struct buf path = {0};
    struct fault f;
    int err = open_file(m, &f);

    sigaction(SIGINT, &action, NULL);
    if (!err)
        err = name_ticket(ticket, &f);
    buf_puts(&path, "/v1/accounts/import");
    buf_puts(&m->ticket, path.p);
    path_part(&m->ticket, ticket);
    path_query(&path, "switch", switch_);
    path_query(&path, "tenant", tenant);
    path_query(&path, "existing", keep ? "keep" : NULL);
    path_query(&path, "ticket", ticket);
    if (!err && (path.failed || m->ticket.failed))
        err = fault_nomem(&f);
    if (!err)
        err = read_head(m, &f);
    if (!err && !type)
        type = looks_like_json((struct span){m->head, m->head_n}) ? "application/x-ndjson"
                                                                  : "text/csv";
    progress_begin(&m->progress, m->cli, quiet || m->cli->json);
    int code = err ? cli_fail(&f) : send_all(m, path.p, type);
    if (m->fd > STDIN_FILENO)
        close(m->fd);
    buf_free(&m->ticket);
    buf_free(&path);
    return code;
}

int cmd_account_import(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL, *tenant = NULL;
    bool csv = false, lines = false, keep = false, quiet = false;
    struct words rest = {0};
    static struct import m;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &tenant, .value = "TENANT"},
        {.name = "csv", .flag = &csv},
        {.name = "json-lines", .flag = &lines},
        {.name = "keep", .flag = &keep},
        {.name = "quiet", .flag = &quiet},
        {0},
    };
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, rest.n ? "one FILE at a time" : "the FILE is missing");
    else if (csv && lines)
        code = cli_usage(self, "--csv and --json-lines contradict each other");
    else {
        m = (struct import){.cli = cli, .file = rest.at[0], .fd = -1};
        code = import(&m,
                      lines ? "application/x-ndjson"
                      : csv ? "text/csv"
                            : NULL,
                      switch_, tenant, keep, quiet);
    }
    words_free(&rest);
    return code;
}
