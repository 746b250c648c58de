/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/asterisk_log.h"

#include <stdlib.h>

#include "intake/security_line.h"
#include "intake/tail.h"

#define BUDGET (1 << 20)

struct asterisk_log {
    struct tail *tail;
    struct security_reader reader;
    struct witness_figures figures;
    bool foreign; /* the file at hand holds other channels */
    /* For the call that reads. */
    struct instant now;
    attempt_fn *tell;
    void *arg;
};

int asterisk_log_open(struct asterisk_log **out, const char *path, int64_t switch_id,
                      struct instant now, struct fault *f)
{
    struct asterisk_log *log = calloc(1, sizeof(*log));
    int err;

    if (!log)
        return fault_nomem(f);
    log->figures.witness = WITNESS_LOG;
    log->figures.switch_id = switch_id;
    log->figures.since = now;
    err = tail_open(&log->tail, path, f);
    if (err)
        asterisk_log_close(log);
    else
        *out = log;
    return err;
}

void asterisk_log_close(struct asterisk_log *log)
{
    if (!log)
        return;
    tail_close(log->tail);
    security_reader_free(&log->reader);
    free(log);
}

int asterisk_log_fd(const struct asterisk_log *log)
{
    return tail_fd(log->tail);
}

const struct witness_figures *asterisk_log_figures(const struct asterisk_log *log)
{
    return &log->figures;
}

static void understood(struct asterisk_log *log)
{
    log->figures.understood++;
    log->figures.last = log->now;
}

static void tell(struct asterisk_log *log, struct attempt *attempt)
{
    attempt->at = log->now;
    attempt->switch_id = log->figures.switch_id;
    attempt->witness = WITNESS_LOG;
    understood(log);
    log->figures.attempts++;
    log->figures.without_source += attempt->source.family == 0;
    log->tell(log->arg, attempt);
}

static void on_line(void *arg, struct span line)
{
    struct asterisk_log *log = arg;
    uint64_t lost = log->reader.lost;
    struct attempt attempt;
    enum security_reading reading = security_line_read(&log->reader, line, &attempt);

    log->figures.seen++;
    log->figures.dropped += log->reader.lost - lost;
    if (log->foreign && (reading == SECURITY_ATTEMPT || reading == SECURITY_NOTHING))
        reading = SECURITY_DROPPED;
    switch (reading) {
    case SECURITY_ATTEMPT: tell(log, &attempt); break;
    case SECURITY_NOTHING: understood(log); break;
    case SECURITY_DROPPED: log->figures.dropped++; break;
    case SECURITY_NOT_UNDERSTOOD: log->figures.not_understood++; break;
    case SECURITY_FOREIGN:
        log->foreign = true;
        log->figures.foreign++;
        break;
    case SECURITY_HELD:
    case SECURITY_NOT_EVENT: break;
    }
}

static void on_gap(void *arg, enum tail_gap why)
{
    struct asterisk_log *log = arg;

    security_line_gap(&log->reader);
    switch (why) {
    case TAIL_OTHER_FILE:
        log->foreign = false;
        log->figures.foreign = 0;
        log->figures.restarts++;
        break;
    case TAIL_TRUNCATED: log->figures.restarts++; break;
    case TAIL_LONG_LINE: log->figures.dropped++; break;
    }
}

bool asterisk_log_read(struct asterisk_log *log, struct instant now, attempt_fn *fn, void *arg)
{
    const struct tail_sink sink = {on_line, on_gap, log};
    struct tail_figures tail;
    bool more;

    log->now = now;
    log->tell = fn;
    log->arg = arg;
    more = tail_read(log->tail, BUDGET, &sink);
    tail = tail_figures(log->tail);
    if (tail.open && !tail.error)
        witness_connected(&log->figures, now);
    else
        witness_disconnected(&log->figures, strerror(tail.error), now);
    return more;
}
