/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/first_words.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static void say_listeners(const struct first_words *words)
{
    char text[ADDRESS_TEXT_MAX];

    printf("sekishod %s, state in %s\n", SEKISHO_VERSION, words->state_dir);
    for (size_t i = 0; i < words->n_fastagi; i++)
        printf("  FastAGI      %s\n", address_text(&words->fastagi[i], text));
    for (size_t i = 0; i < words->n_sip; i++)
        printf("  SIP          %s\n", address_text(&words->sip[i], text));
    for (size_t i = 0; i < words->n_http; i++)
        printf("  HTTP API     http://%s\n", address_text(&words->http[i], text));
    if (words->socket[0])
        printf("  Unix socket  %s\n", words->socket);
}

static void log_listeners(const struct first_words *words)
{
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < words->n_fastagi; i++)
        log_info("listening", LOG_TEXT("interface", "fastagi"),
                 LOG_TEXT("address", address_text(&words->fastagi[i], text)));
    for (size_t i = 0; i < words->n_sip; i++)
        log_info("listening", LOG_TEXT("interface", "sip"),
                 LOG_TEXT("address", address_text(&words->sip[i], text)));
    for (size_t i = 0; i < words->n_http; i++)
        log_info("listening", LOG_TEXT("interface", "http"),
                 LOG_TEXT("address", address_text(&words->http[i], text)));
    if (words->socket[0])
        log_info("listening", LOG_TEXT("interface", "socket"), LOG_TEXT("path", words->socket));
}

/* A secret has no place in a log that is kept. */
static void keep_token(const struct first_words *words)
{
    struct buf path = {0};

    buf_printf(&path, "%s/operator-token", words->state_dir);
    int fd = path.failed ? -1 : open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0 && dprintf(fd, "%s\n", words->first->secret) > 0 && fsync(fd) == 0)
        log_info("first-token", LOG_TEXT("file", path.p));
    else
        log_warning("first-token", LOG_TEXT("message", "could not be kept; make another one with "
                                                       "sekisho token add on this machine"));
    if (fd >= 0)
        close(fd);
    buf_free(&path);
}

static bool in_journal(void)
{
    return getenv("JOURNAL_STREAM") && !isatty(STDOUT_FILENO);
}

/* Whether what is said here stays. Behind a pipe somebody reads it. */
static bool is_kept(void)
{
    struct stat st;

    return in_journal() || (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode));
}

static void say_first_account(const struct first_words *words, bool kept)
{
    if (words->socket[0])
        printf("  An account   SEKISHO_SOCKET=%s sekisho account add 1001\n", words->socket);
    if (!words->first->seeded)
        return;
    if (kept)
        printf("  First start: the operator's token is in %s/operator-token\n", words->state_dir);
    else
        printf("  First start: the operator's token, which is never shown again:\n"
               "    %s\n",
               words->first->secret);
}

void first_words_say(const struct first_words *words)
{
    bool kept = is_kept();

    log_listeners(words);
    if (kept && words->first->seeded)
        keep_token(words);
    if (in_journal())
        return;
    say_listeners(words);
    say_first_account(words, kept);
    fflush(stdout);
}
