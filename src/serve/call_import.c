/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/call_import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "intake/cdr_call.h"
#include "numbering/numbering.h"
#include "policy/snapshot.h"
#include "store/store.h"

/* Calls that are added at once at most. */
#define BATCH ((size_t)1 << 16)

struct call_import {
    struct calls *calls;
    struct snapshot *snapshot;
    struct call_import_options options;
    struct cdr_reader *reader;
    struct call_import_figures figures; /* but what the reader counts */
    struct call_import_fault faults[CALL_IMPORT_FAULTS];
    size_t n_faults;
    bool broken;
    size_t n; /* in the batch */
    struct call batch[BATCH];
    char dialled[BATCH][CALL_DIALLED_MAX];
};

int call_import_new(struct call_import **out, struct calls *calls, struct snapshot *snapshot,
                    const struct call_import_options *options, struct fault *f)
{
    struct call_import *import = malloc(sizeof(*import));
    int err = import ? 0 : fault_nomem(f);

    if (err)
        return err;
    /* Not the batch, which is large and need not be touched. */
    import->calls = calls;
    import->snapshot = snapshot;
    import->options = *options;
    import->figures = (struct call_import_figures){0};
    import->n_faults = import->n = 0;
    import->broken = false;
    err = cdr_reader_new(&import->reader, &options->format, f);
    if (err)
        free(import);
    else
        *out = import;
    return err;
}

void call_import_free(struct call_import *import)
{
    if (!import)
        return;
    cdr_reader_free(import->reader);
    free(import);
}

void call_import_resume(struct call_import *import, uint64_t line)
{
    cdr_reader_resume(import->reader, line);
}

int call_import_header(struct call_import *import, struct span beginning, struct fault *f)
{
    return cdr_reader_header(import->reader, beginning.p, beginning.n, f);
}

uint64_t call_import_lines(const struct call_import *import)
{
    return cdr_reader_next_line(import->reader) - 1;
}

/* ---- what a call is ------------------------------------------------------------------------- */

/* False: there is no such switch any more. */
static bool understand(struct snapshot *snapshot, int64_t switch_id, struct span dialled,
                       struct number *out, char country[4])
{
    snapshot_read_lock();
    const struct levels_gate *gate = snapshot_switch_by_id(snapshot, switch_id);
    if (gate) {
        numbering_parse(gate->site, dialled, out);
        memset(country, 0, 4);
        if (out->country)
            memcpy(country, out->country->iso, 3);
    }
    snapshot_read_unlock();
    return gate != NULL;
}

static bool goes_abroad(const struct number *number)
{
    switch (number->target) {
    case CLASS_INTERNATIONAL: return true;
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_UNKNOWN: return number->abroad;
    case CLASS_EMERGENCY:
    case CLASS_INTERNAL:
    case CLASS_NATIONAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_FORWARDING:
    case CLASS_MALFORMED: return false;
    }
    return false;
}

struct history_place call_place(void *arg, int64_t switch_id, const struct call *call)
{
    static _Thread_local char country[4];
    struct number number;

    if (!understand(arg, switch_id, call->dialled, &number, country))
        return (struct history_place){.doubted = true};
    /* What today's tables do not know, an unassigned code or a length that was right once, was still dialled to go abroad. */
    return (struct history_place){.country = span_of(country), .abroad = goes_abroad(&number)};
}

/* By the numbering that the switch has now; what was dialled, where it is gone. */
static struct span number_of(const struct call_import *import, const struct cdr *c)
{
    struct span number = c->dialled;

    snapshot_read_lock();
    const struct levels_gate *gate =
        snapshot_switch_by_id(import->snapshot, import->options.switch_id);
    if (gate)
        number = cdr_call_number(c, gate->site);
    snapshot_read_unlock();
    return number;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void note_bad(struct call_import *import, uint64_t line, const char *why)
{
    import->figures.bad++;
    struct call_import_fault *fault = &import->faults[import->n_faults++];
    fault->line = line;
    snprintf(fault->text, sizeof(fault->text), "%.199s", why);
}

/* 1: there is a caller. 0: the record names none. */
static int caller_of(struct call_import *import, const struct cdr *c, uint32_t *out,
                     struct fault *f)
{
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    struct span payer = cdr_payer(c, &import->options.payer, NULL);

    if (!payer.n || !store_account_name(payer, name)) {
        import->figures.unowned++;
        return 0;
    }
    int err = calls_caller(import->calls, import->options.switch_id, span_of(name), out, f);
    return err ? err : 1;
}

static void span_time(struct call_import_figures *figures, int64_t ms)
{
    if (!figures->first_ms || ms < figures->first_ms)
        figures->first_ms = ms;
    if (ms > figures->last_ms)
        figures->last_ms = ms;
}

static int add_record(struct call_import *import, const struct cdr *c, struct fault *f)
{
    struct call *call = &import->batch[import->n];
    char *dialled = import->dialled[import->n];
    struct span number = number_of(import, c);
    uint8_t identity[CDR_IDENTITY_SIZE];

    if (c->near_half)
        return 0;
    const char *why = cdr_call_objection(c, number);

    if (why) {
        note_bad(import, cdr_reader_line(import->reader), why);
        return 0;
    }
    *call = (struct call){.start_ms = c->start_ms, .end = cdr_call_end(c)};
    call->seconds = call->end == CALL_ANSWERED ? c->billed_s : 0;
    int found = caller_of(import, c, &call->caller, f);
    if (found != 1)
        return found;
    if (number.n)
        memcpy(dialled, number.p, number.n);
    call->dialled = (struct span){dialled, number.n};
    cdr_identity(c, identity);
    memcpy(&call->key, identity, sizeof(call->key)); /* a hash, and the same by whichever export */
    span_time(&import->figures, c->start_ms);
    import->n++;
    return 0;
}

static int append(struct call_import *import, struct calls_file *file, int64_t now_ms,
                  struct fault *f)
{
    struct calls_added added;
    int err = calls_append(import->calls, import->options.switch_id, import->batch, import->n, file,
                           now_ms, &added, f);

    if (err)
        return err;
    import->figures.added += added.added;
    import->figures.known += added.known;
    return 0;
}

/* What one row is. 1: one may go on; 0: no whole row is left. */
static int step(struct call_import *import, struct span piece, bool last, size_t *used,
                struct fault *f)
{
    struct cdr record;
    struct fault why = {0};
    size_t taken = 0;
    enum cdr_step found =
        cdr_reader_next(import->reader, piece.p, piece.n, last, &taken, &record, &why);
    int err = 0;

    *used += taken;
    switch (found) {
    case CDR_STEP_MORE: return 0;
    case CDR_STEP_BAD: note_bad(import, cdr_reader_line(import->reader), why.text); return 1;
    case CDR_STEP_FORMAT: return fault(f, ERR_MISSING, "%s", why.text);
    case CDR_STEP_RECORD: err = add_record(import, &record, f); break;
    }
    return err ? err : 1;
}

/* Kamailio's acc has a row for the answer of a call and one for its end. What is open in between is in memory alone: to
 * go on in the midst of the file would lose it. */
static bool may_resume(const struct call_import *import, bool ended)
{
    return ended || import->options.format.format != CDR_FORMAT_KAMAILIO;
}

static int read_rows(struct call_import *import, struct span piece, bool last, size_t *at,
                     struct fault *f)
{
    int more = 1;

    while (more == 1 && import->n < BATCH && import->n_faults < CALL_IMPORT_FAULTS)
        more = step(import, span_skip(piece, *at), last, at, f);
    return more;
}

int call_import_piece(struct call_import *import, struct span piece, bool last,
                      struct calls_file *file, int64_t now_ms, size_t *used, bool *ended,
                      struct fault *f)
{
    const struct call_import_figures before = import->figures;
    size_t at = 0;

    if (import->broken)
        return fault(f, ERR_CONFLICT, "this import was broken off: begin it again");
    import->n = import->n_faults = 0;
    cdr_reader_mark(import->reader);
    int more = read_rows(import, piece, last, &at, f);
    bool all = last && more == 0;
    int err = more < 0 ? more : append(import, may_resume(import, all) ? file : NULL, now_ms, f);
    if (err) {
        calls_undo(import->calls);
        import->figures = before;
        import->n_faults = 0;
        import->broken = !cdr_reader_back(import->reader);
        return err;
    }
    *used = at;
    if (ended)
        *ended = all;
    return 0;
}

struct call_import_figures call_import_figures(const struct call_import *import,
                                               const struct call_import_fault **faults, size_t *n)
{
    struct call_import_figures out = import->figures;
    struct cdr_figures read = cdr_reader_figures(import->reader);

    out.passed = read.passed;
    out.doubtful = read.doubtful;
    if (faults) {
        *faults = import->faults;
        *n = import->n_faults;
    }
    return out;
}
