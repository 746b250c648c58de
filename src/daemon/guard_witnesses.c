/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_witnesses.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "intake/pace.h"

#define SECRET_MAX 200
#define RETRY_NS INT64_C(5000000000)
#define DEFAULT_LOG "/var/log/asterisk/security"

static const struct watch_kind *const kinds[WITNESSES] = {
    [WITNESS_WIRE] = &watch_wire,
    [WITNESS_HEP] = &watch_hep,
    [WITNESS_AMI] = &watch_ami,
    [WITNESS_LOG] = &watch_log,
};

/* A witness that is wanted, open or not. */
struct slot {
    enum witness witness;
    const struct watch_kind *kind;
    struct watch_place place;
    struct ours ours; /* where the configuration says which addresses are the switch's */
    void *watch;      /* NULL: not open */
    struct pace pace;
    bool more; /* to read at once: its descriptor does not tell, since a log's is that of notices */
    int64_t again_ns;
    char what[200], why[200];
    char secret[SECRET_MAX];
    struct instant since; /* it has been closed */
};

struct witnesses {
    struct witnesses_parts parts;
    struct config_switch fallback; /* where the configuration names no switch */
    const struct config_switch *switches;
    size_t n_switches;
    bool begun;
    size_t n_slots;
    struct slot slots[WITNESSES_MAX];
};

/* ---- what is wanted ------------------------------------------------------------------------- */

static const char *secret_file(const struct config_switch *config, enum witness witness)
{
    switch (witness) {
    case WITNESS_HEP: return config->hep_key_file;
    case WITNESS_AMI: return config->ami_secret_file;
    case WITNESS_WIRE:
    case WITNESS_LOG: return "";
    }
    return "";
}

/* The first line. */
static int read_secret(const char *path, char out[SECRET_MAX], struct fault *f)
{
    struct buf text = {0};
    struct span rest, line;
    int err = path[0] ? file_read(path, 4096, &text, f) : 0;

    if (!err) {
        line = span_trim(span_cut(buf_span(&text), '\n', &rest));
        if (line.n >= SECRET_MAX || (path[0] && !line.n))
            err =
                fault(f, ERR_RANGE, "the first line of %s must be the secret, of at most %d bytes",
                      path, SECRET_MAX - 1);
        else if (line.n)
            memcpy(out, line.p, line.n);
    }
    buf_free(&text);
    return err;
}

static int add_slot(struct witnesses *w, const struct config_switch *config, enum witness witness,
                    struct fault *f)
{
    const struct watch_kind *kind = kinds[witness];
    struct slot *slot = &w->slots[w->n_slots];

    if (!kind->wanted(config))
        return 0;
    if (w->n_slots == WITNESSES_MAX)
        return fault(f, ERR_FULL, "more than %d witnesses", WITNESSES_MAX);
    slot->witness = witness;
    slot->kind = kind;
    for (size_t i = 0; i < config->addresses.n; i++)
        ours_add(&slot->ours, &config->addresses.at[i]);
    slot->place = (struct watch_place){
        .config = config,
        .ours = config->addresses.n ? &slot->ours : w->parts.machine,
        .socket = -1,
        .secret = slot->secret,
        .give = w->parts.give,
        .vouch = w->parts.vouch,
        .trunk = w->parts.trunk,
        .ends = w->parts.ends,
        .context = w->parts.context,
    };
    kind->what(config, slot->what, sizeof(slot->what));
    w->n_slots++;
    return read_secret(secret_file(config, witness), slot->secret, f);
}

/* The switch that the store was born with, as far as it can be watched without being told how. */
static void make_fallback(struct witnesses *w)
{
    static char name[] = "local", log[] = DEFAULT_LOG, none[] = "";

    w->fallback = (struct config_switch){
        .named = {.name = name},
        .wire = true,
        .wire_reports = true,
        .log = access(DEFAULT_LOG, F_OK) == 0 ? log : none,
        .hep_key_file = none,
        .ami_user = none,
        .ami_secret_file = none,
        .trunks = none,
    };
    w->switches = &w->fallback;
    w->n_switches = 1;
}

int witnesses_new(struct witnesses **out, const struct witnesses_parts *parts, struct fault *f)
{
    struct witnesses *w = calloc(1, sizeof(*w));
    int err = 0;

    if (!w)
        return fault_nomem(f);
    w->parts = *parts;
    w->switches = parts->config->switches;
    w->n_switches = parts->config->n_switches;
    if (!w->n_switches)
        make_fallback(w);
    for (size_t i = 0; i < w->n_switches && !err; i++) {
        for (int k = 0; k < WITNESSES && !err; k++)
            err = add_slot(w, &w->switches[i], (enum witness)k, f);
        if (err)
            fault_in(f, "[switch %s]", w->switches[i].named.name);
    }
    if (err) {
        witnesses_free(w);
        return err;
    }
    *out = w;
    return 0;
}

/* ---- open and shut -------------------------------------------------------------------------- */

static void shut(struct slot *slot, const char *why, struct instant now)
{
    if (slot->watch) {
        slot->kind->close(slot->watch);
        slot->watch = NULL;
        slot->pace = (struct pace){0};
        slot->more = false;
        slot->since = now;
        log_warning("witness-closed", LOG_TEXT("switch", slot->place.config->named.name),
                    LOG_TEXT("witness", witness_name(slot->witness)), LOG_TEXT("why", why));
    }
    snprintf(slot->why, sizeof(slot->why), "%s", why);
    slot->again_ns = now.boot_ns + RETRY_NS;
}

void witnesses_free(struct witnesses *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].watch)
            w->slots[i].kind->close(w->slots[i].watch);
    free(w);
}

static void open_slot(struct witnesses *w, struct slot *slot, struct instant now)
{
    struct fault f = {0};

    if (slot->kind->open(&slot->watch, &slot->place, now, &f) != 0) {
        shut(slot, f.text, now);
        log_warning("witness-fails", LOG_TEXT("switch", slot->place.config->named.name),
                    LOG_TEXT("witness", witness_name(slot->witness)), LOG_TEXT("fault", f.text));
        return;
    }
    slot->why[0] = '\0';
    if (!w->begun)
        w->parts.begins(w->parts.context);
    w->begun = true;
    /* A log begins where its file ends now, AMI connects: not only when something happens. */
    if (slot->kind->read(slot->watch, now) < 0) {
        shut(slot, "it could not be read", now);
        return;
    }
    log_info("witness", LOG_TEXT("switch", slot->place.config->named.name),
             LOG_TEXT("witness", witness_name(slot->witness)), LOG_TEXT("watches", slot->what));
}

static int64_t switch_id(const struct witnesses *w, const struct config_switch *config,
                         enum mode *mode)
{
    const struct levels_gate *gate;
    int64_t id = 0;

    snapshot_read_lock();
    gate = snapshot_switch_by_name(w->parts.snapshot, span_of(config->named.name));
    if (gate) {
        id = gate->id;
        *mode = gate->mode;
    }
    snapshot_read_unlock();
    return id;
}

/* The switch may come, go, or become another one of the same name. */
static void follow_switch(struct witnesses *w, struct slot *slot, struct instant now)
{
    enum mode mode;
    int64_t id = switch_id(w, slot->place.config, &mode);

    if (id == slot->place.switch_id)
        return;
    shut(slot, "its switch has changed in the store", now);
    slot->place.switch_id = id;
    slot->again_ns = 0;
}

void witnesses_tick(struct witnesses *w, struct instant now)
{
    for (size_t i = 0; i < w->n_slots; i++) {
        struct slot *slot = &w->slots[i];

        if (!slot->since.boot_ns)
            slot->since = now;
        follow_switch(w, slot, now);
        if (slot->watch && slot->kind->tick)
            slot->kind->tick(slot->watch, now);
        if (!slot->place.switch_id)
            snprintf(slot->why, sizeof(slot->why), "the store has no switch of this name");
        else if (!slot->watch && slot->witness != WITNESS_WIRE && now.boot_ns >= slot->again_ns)
            open_slot(w, slot, now);
    }
}

void witnesses_end_calls(struct witnesses *w, struct instant now)
{
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].watch && w->slots[i].kind->end_calls)
            w->slots[i].kind->end_calls(w->slots[i].watch, now);
}

void witnesses_endings(const struct witnesses *w, struct guard_room_endings *out)
{
    *out = (struct guard_room_endings){0};
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].watch && w->slots[i].kind->endings)
            w->slots[i].kind->endings(w->slots[i].watch, out);
}

/* ---- packet sockets ------------------------------------------------------------------------- */

static bool lacks_socket(const struct slot *slot)
{
    return slot->witness == WITNESS_WIRE && !slot->watch && slot->place.switch_id;
}

bool witnesses_want_socket(const struct witnesses *w)
{
    for (size_t i = 0; i < w->n_slots; i++)
        if (lacks_socket(&w->slots[i]))
            return true;
    return false;
}

void witnesses_socket(struct witnesses *w, int socket, struct instant now)
{
    for (size_t i = 0; i < w->n_slots; i++) {
        struct slot *slot = &w->slots[i];

        if (!lacks_socket(slot))
            continue;
        slot->place.socket = socket;
        open_slot(w, slot, now);
        slot->place.socket = -1;
        return;
    }
    close(socket);
}

void witnesses_no_socket(struct witnesses *w, const char *why)
{
    for (size_t i = 0; i < w->n_slots; i++)
        if (lacks_socket(&w->slots[i]))
            snprintf(w->slots[i].why, sizeof(w->slots[i].why), "%s", why);
}

/* ---- work ----------------------------------------------------------------------------------- */

size_t witnesses_poll(struct witnesses *w, struct pollfd *fds, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_slots && n < max; i++) {
        const struct slot *slot = &w->slots[i];

        fds[n].fd = slot->watch && !pace_rests(&slot->pace) ? slot->kind->fd(slot->watch) : -1;
        fds[n].events =
            slot->watch && slot->kind->events ? slot->kind->events(slot->watch) : POLLIN;
        fds[n++].revents = 0;
    }
    return n;
}

static int64_t due_ns(const struct slot *slot)
{
    int64_t due = slot->watch && slot->kind->due_ns ? slot->kind->due_ns(slot->watch) : INT64_MAX;

    return due < pace_ends(&slot->pace) ? due : pace_ends(&slot->pace);
}

int64_t witnesses_due_ns(const struct witnesses *w)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < w->n_slots; i++)
        if (due_ns(&w->slots[i]) < due)
            due = due_ns(&w->slots[i]);
    return due;
}

/* What a log says the wire has said before, as a rule. */
static bool wire_is_there(const struct witnesses *w, int64_t switch_id)
{
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].witness == WITNESS_WIRE && w->slots[i].watch &&
            w->slots[i].place.config->wire_reports && w->slots[i].place.switch_id == switch_id)
            return true;
    return false;
}

/* Whether it rests now. */
static bool rest(const struct witnesses *w, struct slot *slot, int64_t now_ns)
{
    bool doubled = slot->witness == WITNESS_LOG && wire_is_there(w, slot->place.switch_id);

    if (!slot->watch || !slot->kind->taken)
        return false;
    pace_read(&slot->pace, slot->kind->taken(slot->watch), slot->kind->taken_each, doubled ? 2 : 1,
              now_ns);
    return pace_rests(&slot->pace);
}

bool witnesses_work(struct witnesses *w, const struct pollfd *fds, size_t n, struct instant now)
{
    bool more = false;

    for (size_t i = 0; i < n && i < w->n_slots; i++) {
        struct slot *slot = &w->slots[i];
        int got;

        if (!slot->watch || (!fds[i].revents && !slot->more && now.boot_ns < due_ns(slot)))
            continue;
        got = slot->kind->read(slot->watch, now);
        if (got < 0)
            shut(slot, "it could not be read any more", now);
        slot->more = !rest(w, slot, now.boot_ns) && got > 0;
        more |= slot->more;
    }
    return more;
}

/* ---- what is told --------------------------------------------------------------------------- */

void witnesses_switches(struct witnesses *w, witnesses_switch_fn *each, void *context)
{
    for (size_t i = 0; i < w->n_switches; i++) {
        enum mode mode = MODE_OBSERVE;
        int64_t id = switch_id(w, &w->switches[i], &mode);

        if (id)
            each(context, id, mode, &w->switches[i]);
    }
}

static void look_at(const struct slot *slot, struct instant now, struct guard_room_witness *out)
{
    *out = (struct guard_room_witness){.switch_name = slot->place.config->named.name,
                                       .what = slot->what};
    if (slot->watch) {
        slot->kind->figures(slot->watch, now, &out->figures, &out->lost);
        return;
    }
    out->figures = (struct witness_figures){
        .witness = slot->witness, .switch_id = slot->place.switch_id, .since = slot->since};
    snprintf(out->figures.why, sizeof(out->figures.why), "%s", slot->why);
}

static bool proves(const struct guard_room_witness *w)
{
    return w->figures.connected &&
           (w->figures.witness == WITNESS_WIRE || w->figures.witness == WITNESS_HEP);
}

static bool reports(const struct guard_room_witness *w)
{
    return w->figures.witness == WITNESS_LOG || w->figures.witness == WITNESS_AMI;
}

static bool is_fresh(const struct guard_room_witness *w, struct instant now)
{
    return w->figures.last.boot_ns && now.boot_ns - w->figures.last.boot_ns < WITNESS_SILENT_NS;
}

size_t witnesses_look(struct witnesses *w, struct instant now, struct guard_room_witness *out,
                      size_t max)
{
    size_t n = w->n_slots < max ? w->n_slots : max;

    for (size_t i = 0; i < n; i++)
        look_at(&w->slots[i], now, &out[i]);
    for (size_t i = 0; i < n; i++) {
        bool paired = false, heard = false;

        for (size_t j = 0; j < n; j++) {
            bool same = out[j].figures.switch_id == out[i].figures.switch_id;

            paired |= same && (out[i].figures.only_proves ? reports(&out[j]) : proves(&out[j]));
            heard |= same && j != i && is_fresh(&out[j], now);
        }
        out[i].trouble = witness_trouble(&out[i].figures, paired, heard, now);
    }
    return n;
}
