/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_LEVELS_H
#define SEKISHO_POLICY_LEVELS_H

#include "base/address.h"
#include "numbering/site.h"
#include "policy/decide.h"

/*
 * Everything above the accounts: the operator, the tenants and the switches, as one immutable block
 * that the snapshot replaces whole. This header has what goes into a block (plain structs; spans are
 * copied) and what readers may see of it.
 */
struct levels;

enum mode { MODE_INHERIT, MODE_ENFORCE, MODE_OBSERVE }; /* INHERIT: tenants only */
enum unknown_policy { UNKNOWN_BORN, UNKNOWN_DENY };

struct levels_rules {
    const struct rule *rules;
    size_t n;
};

struct levels_tenant {
    int64_t id; /* > 0 */
    struct span name;
    int64_t parent; /* id of a tenant in the same block, 0 for none */
    enum mode mode; /* the nearest that does not inherit counts; at the top INHERIT is ENFORCE */
    bool stopped;   /* and so are all below */
    struct levels_rules rules;
    struct levels_rules born; /* the preset's rules: what an account that is adopted here has */
    struct span area;         /* overrides the switch's; empty: the parent's, else the switch's */
};

struct levels_switch {
    int64_t id; /* > 0 */
    struct span name;
    const struct network *networks; /* whoever asks from there is this switch */
    size_t n_networks;
    struct site_config site;
    enum number_form form;
    enum mode mode; /* OBSERVE here is for all tenants */
    enum unknown_policy unknown;
    int64_t adopt_tenant;   /* id; 0: none, then an unknown account is denied */
    const int64_t *tenants; /* in reach, each with those below it; n_tenants 0: all */
    size_t n_tenants;
};

struct levels_config {
    const struct tables *tables; /* borrowed until a block with other tables has been published and
                                    reclaimed */
    const struct levels_switch *switches;
    size_t n_switches;
    const struct levels_tenant *tenants;
    size_t n_tenants;
    struct levels_rules operator_rules; /* the mandatory among them, too */
    bool stopped;                       /* `sekisho stop` for all */
    const struct span *help_lines;      /* the operator's, canonical dialled form */
    size_t n_help_lines;
    struct holidays holidays; /* the operator's own */
};

/* A switch as readers see it; lives until the read lock is given back. */
struct levels_gate {
    int64_t id;
    const char *name;
    const struct site *site; /* with the switch's own area */
    enum number_form form;
    enum mode mode;
    enum unknown_policy unknown;
    int64_t adopt_tenant; /* id, 0 for none */
};

#endif
