/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_LOG_H
#define SEKISHO_BASE_LOG_H

#include <stdint.h>

#include "base/fault.h"

/*
 * Structured lines on standard error: a time, a level, the event's name, and fields. Any thread may
 * write. Values are untrusted: they are escaped, whatever they hold they cannot end their field or
 * the line. Not for the pure folders.
 *
 *   log_warning("switch-unknown", LOG_TEXT("address", text), LOG_INT("port", 4573));
 *   time=2026-11-03T04:05:06.789Z level=warning event=switch-unknown address=192.0.2.7 port=4573
 *
 * One event writes at most LOG_BURST lines in LOG_WINDOW_S seconds; what is held back is counted, and
 * the next line of that event carries `suppressed=N`. Errors are held back too, but each event by
 * itself, so that a flood of one never hides another.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_format {
    LOG_FORMAT_AUTO, /* logfmt; without time and with <priority> where standard error is the journal */
    LOG_FORMAT_LOGFMT,
    LOG_FORMAT_JSON,
};

/* The words of the configuration: "error" … "debug"; "auto", "logfmt", "json". False for another. */
const char *log_level_name(enum log_level level);
const char *log_format_name(enum log_format format);
bool log_level_from(const char *word, enum log_level *out);
bool log_format_from(const char *word, enum log_format *out);

#define LOG_BURST 20
#define LOG_WINDOW_S 10

struct log_field {
    const char *key;  /* [a-z_] */
    struct span text; /* used when p != NULL */
    int64_t number;
};

#define LOG_SPAN(k, s) ((struct log_field){.key = (k), .text = log_span(s)})
#define LOG_TEXT(k, s) ((struct log_field){.key = (k), .text = log_span(span_of(s))})
#define LOG_INT(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

#define LOG_WRITE(level, event, ...)                                                               \
    log_write((level), (event), (const struct log_field[]){{.key = NULL}, ##__VA_ARGS__},          \
              sizeof((const struct log_field[]){{.key = NULL}, ##__VA_ARGS__}) /                   \
                  sizeof(struct log_field))
#define log_error(event, ...) LOG_WRITE(LOG_LEVEL_ERROR, event, ##__VA_ARGS__)
#define log_warning(event, ...) LOG_WRITE(LOG_LEVEL_WARNING, event, ##__VA_ARGS__)
#define log_info(event, ...) LOG_WRITE(LOG_LEVEL_INFO, event, ##__VA_ARGS__)
#define log_debug(event, ...) LOG_WRITE(LOG_LEVEL_DEBUG, event, ##__VA_ARGS__)

/* May be called again (reload). Before the first call: level info, format auto, written at once. */
void log_configure(enum log_level level, enum log_format format);

/* From now on lines go through a bounded queue to a thread of their own, so that nobody waits for
 * standard error; where the queue is full they are dropped and counted. log_stop() writes what is
 * queued and returns to writing at once. */
int log_start(struct fault *f);
void log_stop(void);

/* `event` must be a literal ([a-z-]); fields whose key is NULL are skipped. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);

/* The line without its newline, as log_write() would write it: for the tests. */
struct buf;
void log_format_line(struct buf *out, enum log_format format, int64_t wall_ms, enum log_level level,
                     const char *event, uint64_t suppressed, const struct log_field *fields,
                     size_t n);

/* Lines dropped because the queue was full, since the start. */
uint64_t log_dropped(void);

static inline struct span log_span(struct span s)
{
    return s.p ? s : (struct span){"", 0};
}

#endif
