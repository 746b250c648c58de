/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_WITNESS_H
#define SEKISHO_INTAKE_WITNESS_H

#include "base/buf.h"
#include "guard/attempt.h"

/*
 * What a witness says about itself, and what is wrong with it. Pure: every intake keeps one of these, and
 * status, /healthz and the alarms are made of them. Counts never go back.
 */
struct witness_figures {
    enum witness witness;
    int64_t switch_id;
    bool connected;             /* its file is open, its connection stands, its socket listens */
    bool only_proves;           /* what it sees counts where log or AMI report it, and else not */
    struct instant since;       /* of `connected`, as it is now */
    uint64_t seen;              /* lines, messages, packets */
    uint64_t understood;        /* of those: attempts, and what is known to be none */
    uint64_t attempts;          /* handed to the guard */
    uint64_t without_source;    /* of those: the address could not be told */
    uint64_t not_understood;    /* meant for us, and not understood */
    uint64_t dropped;           /* split or forged, or too near to one that was; no room */
    uint64_t foreign;           /* of a log: lines of other channels, which can be forged */
    uint64_t shared;            /* challenges whose nonce others may have too: exchange.h */
    struct instant shared_last; /* the last of them; boot_ns 0: never */
    uint64_t restarts;          /* connections lost, files exchanged */
    struct instant last;        /* when something was last understood; boot_ns 0: never */
    char why[160];              /* why it is not connected, "" where nothing is known; printable */
};

/* From worst to least. The first that holds is told. */
enum witness_trouble {
    WITNESS_WELL,
    WITNESS_NOT_CONNECTED,
    WITNESS_PROVES_NOTHING,      /* only proves, and nobody reports: nothing is counted */
    WITNESS_FORGEABLE,           /* other channels in the same log: nothing in it is believed */
    WITNESS_UNDERSTANDS_NOTHING, /* sees, and has understood nothing */
    WITNESS_UNDERSTANDS_LITTLE,  /* less than half of what should be for it */
    WITNESS_SILENT,
    WITNESS_NONCES_SHARED, /* the switch gives one nonce to several: over UDP it proves no address */
    WITNESS_WEAK, /* its word proves no address over UDP, and no wire or HEP stands beside it */
};

#define WITNESS_SILENT_NS (INT64_C(900) * 1000000000)  /* nothing understood for so long */
#define WITNESS_PATIENCE_NS (INT64_C(60) * 1000000000) /* to connect, before it is told */
#define WITNESS_SHARED_MIN 5 /* of these within … of the last, before it is told */
#define WITNESS_SHARED_NS (INT64_C(86400) * 1000000000)
#define WITNESS_NOT_UNDERSTOOD_MIN 20 /* of these, before little is said to be understood */

/* `paired`: wire or HEP watch the same switch; of one that only proves, log or AMI do. `others_heard`: another witness of the switch has
 * understood something within the last WITNESS_SILENT_NS: what would be silence on a quiet switch is none then. */
enum witness_trouble witness_trouble(const struct witness_figures *figures, bool paired,
                                     bool others_heard, struct instant now);

/* "silent", "weak" and so on, for JSON and metrics. */
const char *witness_trouble_name(enum witness_trouble trouble);

/* What it means and what to do about it, a sentence without its full stop, in English or Japanese. */
void witness_trouble_say(struct buf *out, const struct witness_figures *figures,
                         enum witness_trouble trouble, bool japanese);

/* Both set `since` only where `connected` changes. `why` is escaped and cut. */
void witness_connected(struct witness_figures *figures, struct instant now);
void witness_disconnected(struct witness_figures *figures, const char *why, struct instant now);

#endif
