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

/* What a switch and Sekisho have agreed on for questions over SIP. */
struct levels_sip {
    struct span
        account;    /* the header field that names the account; "subdomain": of the Request-URI;
                            empty: P-Asserted-Identity */
    unsigned allow; /* 302, 404 or 503; 0: 302 */
    unsigned deny;  /* 603, 403 or 608; 0: 603 */
};

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
    struct levels_sip sip;
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
    int64_t adopt_tenant;  /* id, 0 for none */
    struct levels_sip sip; /* nothing in it is empty or 0 */
};

/* ---- what the snapshot makes of it ---- */

struct handles;
struct sites;

/* What a block is made with, and out of; borrowed. */
struct levels_workshop {
    struct ruleset_pool *rulesets;
    struct handles *handles;       /* of tenants */
    const struct levels *previous; /* the block that this one replaces, or NULL: sites are shared */
};

/* Refuses, with a sentence that names the switch or tenant: an id or name that is there twice, a
 * parent or tenant that is not there, a circle of parents or more than LEVELS_DEPTH_MAX of them, a network
 * of two switches, what site_new() and ruleset_intern() refuse. */
#define LEVELS_DEPTH_MAX 64
int levels_new(struct levels **out, const struct levels_workshop *workshop,
               const struct levels_config *config, struct fault *f);
/* When no reader can see it. NULL is fine. */
void levels_free(struct levels *levels, struct ruleset_pool *rulesets);

/* A tenant as a decision sees it. */
struct levels_view {
    int64_t id; /* 0: there is no such tenant in this block */
    const char *name;
    bool observe, stopped;
    uint32_t area;                      /* for levels_site() */
    const struct ruleset *born;         /* for accounts that are adopted here */
    const struct ruleset *const *chain; /* its own rules, then its parents' */
    size_t n_chain;
    uint32_t silent; /* for decide_rules */
};

/* What holds for all. */
struct levels_common {
    const struct ruleset *operator_rules;
    const struct ruleset *mandatory;
    const struct span *help_lines;
    size_t n_help_lines;
    struct holidays holidays;
};

const struct levels *levels_of(const struct levels_gate *gate);
const struct levels_common *levels_common(const struct levels *levels);
const struct levels_gate *levels_gate_by_name(const struct levels *levels, struct span name);
const struct levels_gate *levels_gate_by_id(const struct levels *levels, int64_t id);
const struct levels_gate *levels_gate_by_address(const struct levels *levels,
                                                 const struct address *address);
/* The networks of all switches, as gates_networks() gives them. */
size_t levels_networks(const struct levels *levels, struct network *out, size_t most);
/* By handle; NULL where there is none. */
const struct levels_view *levels_view(const struct levels *levels, uint32_t tenant);
/* The tenant that the switch gives unknown accounts to, or NULL. */
const struct levels_view *levels_adopter(const struct levels_gate *gate);
bool levels_in_reach(const struct levels_gate *gate, uint32_t tenant);
/* The switch's site with the tenant's area. */
const struct site *levels_site(const struct levels_gate *gate, const struct levels_view *view);

/* The snapshot's: the chain of blocks to be freed. */
struct levels **levels_next_retired(struct levels *levels);

#endif
