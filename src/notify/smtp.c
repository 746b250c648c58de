/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/smtp.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mail_address.h"

struct smtp {
    CURL *curl;
    char *url;
    bool (*stopping)(void *arg);
    void *arg;
    pthread_mutex_t lock; /* of the two behind it */
    int fd;               /* of the connection made last; -1: none */
    bool interrupted;
    bool greeted;      /* the server at its other end takes mail at all */
    struct span left;  /* of the message */
    struct buf answer; /* the server's lines, the last one at the end */
    char error[CURL_ERROR_SIZE];
};

/* ---- what curl calls ------------------------------------------------------------------------ */

static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct smtp *s = arg;
    size_t most = size * n < s->left.n ? size * n : s->left.n;

    if (most)
        memcpy(to, s->left.p, most);
    s->left = span_skip(s->left, most);
    return most;
}

/* The last refusal among the server's answers, of which the beginning is shown. QUIT may have been answered since. */
static size_t hear(char *line, size_t size, size_t n, void *arg)
{
    struct smtp *s = arg;
    struct span text = {line, size * n < 300 ? size * n : 300};

    if (span_starts(text, SPAN("220")))
        s->greeted = true;
    if (text.n && (text.p[0] == '4' || text.p[0] == '5'))
        buf_clear(&s->answer);
    else
        return size * n;
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    buf_add(&s->answer, text);
    return size * n;
}

static int look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct smtp *s = arg;

    return s->stopping && s->stopping(s->arg);
}

/* Where a mail is being handed over, curl looks up at times, but not behind it, when it says QUIT: the socket is known, so
 * that smtp_interrupt() can end that too. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct smtp *s = arg;

    s->greeted = false;
    pthread_mutex_lock(&s->lock);
    s->fd = s->interrupted
                ? -1
                : socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    int fd = s->fd;
    pthread_mutex_unlock(&s->lock);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    struct smtp *s = arg;

    pthread_mutex_lock(&s->lock);
    if (s->fd == fd)
        s->fd = -1;
    int result = close(fd);
    pthread_mutex_unlock(&s->lock);
    return result;
}

void smtp_interrupt(struct smtp *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->interrupted = true;
    if (s->fd >= 0)
        shutdown(s->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

/* ---- one server ----------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* With what we say that we are in EHLO: curl takes the path for it. */
static int make_url(struct smtp *s, const char *server)
{
    char name[256] = "";

    if (gethostname(name, sizeof(name) - 1) != 0 || !mail_host_ok(span_of(name)))
        snprintf(name, sizeof(name), "localhost");
    return asprintf(&s->url, "%s/%s", server, name) < 0 ? -1 : 0;
}

static bool set_up(struct smtp *s, const struct smtp_options *o)
{
    CURL *c = s->curl;
    bool ok = true;

#define SET(option, value) ok = curl_easy_setopt(c, option, value) == CURLE_OK && ok
    SET(CURLOPT_URL, s->url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)SMTP_CONNECT_S);
    SET(CURLOPT_TIMEOUT, (long)SMTP_SECONDS);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, 60L);
    SET(CURLOPT_USE_SSL,
        (long)(o->starttls == SMTP_STARTTLS_REQUIRED ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (o->ca_file[0])
        SET(CURLOPT_CAINFO, o->ca_file);
    if (o->user[0]) {
        SET(CURLOPT_USERNAME, o->user);
        SET(CURLOPT_PASSWORD, o->password);
    }
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, give);
    SET(CURLOPT_READDATA, s);
    SET(CURLOPT_HEADERFUNCTION, hear);
    SET(CURLOPT_HEADERDATA, s);
    SET(CURLOPT_WRITEFUNCTION, hear);
    SET(CURLOPT_WRITEDATA, s);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, look_up);
    SET(CURLOPT_XFERINFODATA, s);
    SET(CURLOPT_ERRORBUFFER, s->error);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, s);
    SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, s);
#undef SET
    return ok;
}

int smtp_new(struct smtp **out, const struct smtp_options *options, struct fault *f)
{
    struct smtp *s = calloc(1, sizeof(*s));

    pthread_once(&once, init);
    if (s) {
        pthread_mutex_init(&s->lock, NULL);
        s->fd = -1;
        s->stopping = options->stopping;
        s->arg = options->arg;
        s->curl = curl_easy_init();
    }
    if (!s || !s->curl || make_url(s, options->server) != 0 || !set_up(s, options)) {
        smtp_free(s);
        return fault_nomem(f);
    }
    *out = s;
    return 0;
}

void smtp_free(struct smtp *s)
{
    if (!s)
        return;
    curl_easy_cleanup(s->curl);
    pthread_mutex_destroy(&s->lock);
    free(s->url);
    buf_free(&s->answer);
    free(s);
}

/* ---- one mail ------------------------------------------------------------------------------- */

static int code_of(CURLcode result)
{
    switch (result) {
    case CURLE_OUT_OF_MEMORY: return ERR_NOMEM;
    case CURLE_OPERATION_TIMEDOUT: return ERR_TIMEOUT;
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_LOGIN_DENIED: return ERR_DENIED;
    default: return ERR_IO;
    }
}

/* What was refused after we were let in is about the mail; 530 and the like are about who we are, 421 about the server. */
static enum smtp_failure failure_of(bool greeted, CURLcode result, long code)
{
    if (!greeted)
        return SMTP_DOWN;
    if (result != CURLE_SEND_ERROR && result != CURLE_WEIRD_SERVER_REPLY &&
        result != CURLE_UPLOAD_FAILED && result != CURLE_RECV_ERROR)
        return SMTP_DOWN;
    return code >= 550 && code <= 559                  ? SMTP_REFUSED
           : code >= 400 && code <= 499 && code != 421 ? SMTP_LATER
                                                       : SMTP_DOWN;
}

int smtp_send(struct smtp *s, const char *from, const char *to, struct span message,
              enum smtp_failure *failure, struct fault *f)
{
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    CURLcode result = CURLE_OUT_OF_MEMORY;
    long code = 0;

    *failure = SMTP_DOWN;
    s->left = message;
    s->error[0] = '\0';
    buf_clear(&s->answer);
    if (recipients && curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
        curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, recipients) == CURLE_OK &&
        curl_easy_setopt(s->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)message.n) == CURLE_OK)
        result = curl_easy_perform(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(recipients);
    if (result == CURLE_OK)
        return 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &code);
    *failure = failure_of(s->greeted, result, code);
    bool answered = code >= 400 && s->answer.n;
    return fault(f, code_of(result), "%s%s%s%s",
                 s->error[0] ? ESCAPED(span_of(s->error)) : curl_easy_strerror(result),
                 answered ? " (the server said: " : "",
                 answered ? ESCAPED(buf_span(&s->answer)) : "", answered ? ")" : "");
}
