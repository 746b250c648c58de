/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define VALUE_MAX 1024
#define EVENTS_MAX 128
#define QUEUE_BYTES_MAX (256 * 1024)

/* How often one event was written in the current window. */
struct event_rate {
    const char *event;
    int64_t window; /* wall seconds at which the window began */
    unsigned written;
    uint64_t suppressed;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    enum log_level level;
    enum log_format format;
    bool journal;
    bool running;
    pthread_t thread;
    struct buf queue;
    uint64_t dropped, dropped_told;
    struct event_rate rates[EVENTS_MAX];
    size_t n_rates;
} log_state = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .level = LOG_LEVEL_INFO,
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char *const format_names[] = {"auto", "logfmt", "json"};
static const char level_priorities[] = {'3', '4', '6', '7'}; /* of syslog(3) */

static bool find_word(const char *const *words, size_t n, const char *word, size_t *at)
{
    for (*at = 0; *at < n; (*at)++)
        if (strcmp(words[*at], word) == 0)
            return true;
    return false;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

const char *log_format_name(enum log_format format)
{
    return format_names[format];
}

bool log_level_from(const char *word, enum log_level *out)
{
    size_t at;
    bool found = find_word(level_names, sizeof(level_names) / sizeof(*level_names), word, &at);

    if (found)
        *out = (enum log_level)at;
    return found;
}

bool log_format_from(const char *word, enum log_format *out)
{
    size_t at;
    bool found = find_word(format_names, sizeof(format_names) / sizeof(*format_names), word, &at);

    if (found)
        *out = (enum log_format)at;
    return found;
}

static void put_time(struct buf *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "%s.%03dZ", text, (int)(wall_ms % 1000));
}

static void put_logfmt_value(struct buf *out, struct span text)
{
    char value[VALUE_MAX];

    escape(text, value, sizeof(value));
    bool bare = value[0] != '\0' && !strpbrk(value, " =\"\\");

    buf_printf(out, bare ? "%s" : "\"%s\"", value);
}

static void put_json_text(struct buf *out, struct span text)
{
    char value[VALUE_MAX];

    escape(text, value, sizeof(value));
    buf_putc(out, '"');
    for (const char *c = value; *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *c);
    }
    buf_putc(out, '"');
}

static void format_json(struct buf *out, int64_t wall_ms, enum log_level level, const char *event,
                        uint64_t suppressed, const struct log_field *fields, size_t n)
{
    buf_puts(out, "{\"time\":\"");
    put_time(out, wall_ms);
    buf_printf(out, "\",\"level\":\"%s\",\"event\":\"%s\"", level_names[level], event);
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].key)
            continue;
        buf_printf(out, ",\"%s\":", fields[i].key);
        if (fields[i].text.p)
            put_json_text(out, fields[i].text);
        else
            buf_printf(out, "%" PRId64, fields[i].number);
    }
    if (suppressed)
        buf_printf(out, ",\"suppressed\":%" PRIu64, suppressed);
    buf_putc(out, '}');
}

static void format_logfmt(struct buf *out, int64_t wall_ms, bool journal, enum log_level level,
                          const char *event, uint64_t suppressed, const struct log_field *fields,
                          size_t n)
{
    if (journal) {
        buf_printf(out, "<%c>", level_priorities[level]);
    } else {
        buf_puts(out, "time=");
        put_time(out, wall_ms);
        buf_putc(out, ' ');
    }
    buf_printf(out, "level=%s event=%s", level_names[level], event);
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].key)
            continue;
        buf_printf(out, " %s=", fields[i].key);
        if (fields[i].text.p)
            put_logfmt_value(out, fields[i].text);
        else
            buf_printf(out, "%" PRId64, fields[i].number);
    }
    if (suppressed)
        buf_printf(out, " suppressed=%" PRIu64, suppressed);
}

void log_format_line(struct buf *out, enum log_format format, int64_t wall_ms, enum log_level level,
                     const char *event, uint64_t suppressed, const struct log_field *fields,
                     size_t n)
{
    if (format == LOG_FORMAT_JSON)
        format_json(out, wall_ms, level, event, suppressed, fields, n);
    else
        format_logfmt(out, wall_ms, format == LOG_FORMAT_AUTO && log_state.journal, level, event,
                      suppressed, fields, n);
}

/* Standard error is the journal when it is the very socket that systemd names. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char want[64];

    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(want, sizeof(want), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, want) == 0;
}

void log_configure(enum log_level level, enum log_format format)
{
    pthread_mutex_lock(&log_state.lock);
    log_state.level = level;
    log_state.format = format;
    log_state.journal = stderr_is_journal();
    pthread_mutex_unlock(&log_state.lock);
}

static void write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(STDERR_FILENO, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* nobody listens: there is no one to tell */
        p += done;
        n -= (size_t)done;
    }
}

static struct event_rate *rate_of(const char *event)
{
    for (size_t i = 0; i < log_state.n_rates; i++)
        if (strcmp(log_state.rates[i].event, event) == 0)
            return &log_state.rates[i];
    /* Events are literals of this program; should there be too many, the last ones share a slot. */
    if (log_state.n_rates == EVENTS_MAX)
        return &log_state.rates[EVENTS_MAX - 1];
    log_state.rates[log_state.n_rates].event = event;
    return &log_state.rates[log_state.n_rates++];
}

/* False when the event has used up its window; else takes what was held back since. */
static bool rate_allows(const char *event, int64_t now, uint64_t *suppressed)
{
    struct event_rate *rate = rate_of(event);

    if (now - rate->window >= LOG_WINDOW_S || now < rate->window) {
        rate->window = now;
        rate->written = 0;
    }
    if (rate->written >= LOG_BURST) {
        rate->suppressed++;
        return false;
    }
    rate->written++;
    *suppressed = rate->suppressed;
    rate->suppressed = 0;
    return true;
}

static void enqueue(const struct buf *line)
{
    if (log_state.queue.n + line->n > QUEUE_BYTES_MAX) {
        log_state.dropped++;
        return;
    }
    buf_add(&log_state.queue, buf_span(line));
    if (log_state.queue.failed) {
        log_state.dropped++;
        buf_clear(&log_state.queue);
    }
    pthread_cond_signal(&log_state.more);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    struct buf line = {0};
    struct timespec now;
    uint64_t suppressed = 0;

    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&log_state.lock);
    if (level <= log_state.level && rate_allows(event, now.tv_sec, &suppressed)) {
        log_format_line(&line, log_state.format, now.tv_sec * 1000LL + now.tv_nsec / 1000000, level,
                        event, suppressed, fields, n);
        buf_putc(&line, '\n');
        if (line.failed)
            log_state.dropped++;
        else if (log_state.running)
            enqueue(&line);
        else
            write_all(line.p, line.n);
    }
    pthread_mutex_unlock(&log_state.lock);
    buf_free(&line);
}

/* Writes what is queued, with the lock given up meanwhile. */
static void drain(struct buf *mine)
{
    struct buf full = log_state.queue;

    log_state.queue = *mine;
    uint64_t dropped = log_state.dropped - log_state.dropped_told;

    log_state.dropped_told = log_state.dropped;
    pthread_mutex_unlock(&log_state.lock);
    write_all(full.p, full.n);
    buf_clear(&full);
    *mine = full;
    if (dropped)
        log_warning("log-dropped", LOG_INT("lines", dropped));
    pthread_mutex_lock(&log_state.lock);
}

static void *log_thread(void *arg)
{
    struct buf mine = {0};

    pthread_mutex_lock(&log_state.lock);
    while (log_state.running || log_state.queue.n) {
        if (log_state.queue.n)
            drain(&mine);
        else
            pthread_cond_wait(&log_state.more, &log_state.lock);
    }
    pthread_mutex_unlock(&log_state.lock);
    buf_free(&mine);
    return NULL;
}

int log_start(struct fault *f)
{
    log_state.running = true;
    if (pthread_create(&log_state.thread, NULL, log_thread, NULL) != 0) {
        log_state.running = false;
        return fault(f, ERR_IO, "cannot start the log thread: %m");
    }
    return 0;
}

void log_stop(void)
{
    pthread_mutex_lock(&log_state.lock);
    bool was = log_state.running;

    log_state.running = false;
    pthread_cond_signal(&log_state.more);
    pthread_mutex_unlock(&log_state.lock);
    if (was)
        pthread_join(log_state.thread, NULL);
    buf_free(&log_state.queue);
    log_state.queue = (struct buf){0};
}

uint64_t log_dropped(void)
{
    pthread_mutex_lock(&log_state.lock);
    uint64_t dropped = log_state.dropped;

    pthread_mutex_unlock(&log_state.lock);
    return dropped;
}
