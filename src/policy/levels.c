/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/levels.h"

#include <stdlib.h>

#include "policy/gates.h"
#include "policy/handles.h"
#include "policy/sites.h"

/* Memory that lives as long as the block. */
struct chunk {
    struct chunk *next;
    max_align_t bytes[];
};

struct gate {
    struct levels_gate shown; /* first: a gate is found again by its address */
    const struct levels *levels;
    const struct site **by_area; /* [0] is the switch's own */
    const uint8_t *reach;        /* a bit for each tenant's handle; NULL: all */
    const struct levels_view *adopter;
};

struct levels {
    struct levels *next_retired;
    struct chunk *chunks;
    struct sites *sites;
    struct gates *networks;
    const struct ruleset **sets; /* every reference that the block holds */
    size_t n_sets;
    struct levels_common common;
    struct levels_view *views; /* by handle */
    size_t n_views;
    struct gate *gates; /* by name */
    size_t n_gates;
};

/* What is known of a tenant while a block is made. */
struct tenant {
    const struct levels_tenant *config;
    const struct ruleset *rules;
    struct tenant *parent;
    uint32_t handle;
    bool listed; /* of the switch at hand */
};

struct making {
    struct levels *levels;
    const struct levels_workshop *workshop;
    const struct levels_config *config;
    struct tenant *tenants; /* by id */
    size_t n_tenants;
    struct span *areas; /* each once; number 0 is none */
    uint32_t n_areas;
};

static void *take(struct levels *levels, size_t n, size_t size)
{
    struct chunk *chunk;

    if (size > 0 && n > (SIZE_MAX - sizeof(*chunk)) / size)
        return NULL;
    chunk = calloc(1, sizeof(*chunk) + n * size);
    if (!chunk)
        return NULL;
    chunk->next = levels->chunks;
    levels->chunks = chunk;
    return chunk->bytes;
}

static char *take_text(struct levels *levels, struct span text)
{
    char *p = take(levels, text.n + 1, 1);

    if (p && text.n)
        memcpy(p, text.p, text.n);
    return p;
}

void levels_free(struct levels *levels, struct ruleset_pool *rulesets)
{
    if (!levels)
        return;
    for (size_t i = 0; i < levels->n_sets; i++)
        ruleset_unref(rulesets, levels->sets[i]);
    while (levels->chunks) {
        struct chunk *chunk = levels->chunks;

        levels->chunks = chunk->next;
        free(chunk);
    }
    sites_free(levels->sites);
    gates_free(levels->networks);
    free(levels);
}

/* ---- tenants ---- */

static int compare_tenants(const void *a, const void *b)
{
    int64_t x = ((const struct tenant *)a)->config->id, y = ((const struct tenant *)b)->config->id;

    return (x > y) - (x < y);
}

static struct tenant *tenant_by_id(const struct making *m, int64_t id)
{
    const struct levels_tenant config = {.id = id};
    const struct tenant wanted = {.config = &config};

    return m->n_tenants
               ? bsearch(&wanted, m->tenants, m->n_tenants, sizeof(wanted), compare_tenants)
               : NULL;
}

static int index_tenants(struct making *m, struct fault *f)
{
    const struct levels_config *config = m->config;

    for (size_t i = 0; i < config->n_tenants; i++) {
        const struct levels_tenant *t = &config->tenants[i];
        int err;

        if (t->id <= 0)
            return fault(f, ERR_RANGE, "tenant \"%s\" has no id", ESCAPED(t->name));
        m->tenants[i].config = t;
        err = handles_get(m->workshop->handles, t->id, &m->tenants[i].handle, f);
        if (err)
            return err;
    }
    qsort(m->tenants, config->n_tenants, sizeof(*m->tenants), compare_tenants);
    m->n_tenants = config->n_tenants;
    for (size_t i = 1; i < m->n_tenants; i++)
        if (m->tenants[i].config->id == m->tenants[i - 1].config->id)
            return fault(f, ERR_EXISTS, "tenant id %lld is there twice",
                         (long long)m->tenants[i].config->id);
    return 0;
}

static int link_parents(struct making *m, struct fault *f)
{
    for (size_t i = 0; i < m->n_tenants; i++) {
        struct tenant *t = &m->tenants[i];

        if (t->config->parent == 0)
            continue;
        t->parent = tenant_by_id(m, t->config->parent);
        if (!t->parent)
            return fault(f, ERR_MISSING, "the parent of tenant \"%s\" does not exist",
                         ESCAPED(t->config->name));
    }
    for (size_t i = 0; i < m->n_tenants; i++) {
        int depth = 0;

        for (const struct tenant *t = &m->tenants[i]; t; t = t->parent)
            if (++depth > LEVELS_DEPTH_MAX)
                return fault(f, ERR_RANGE,
                             "tenant \"%s\" has more than %d tenants above it, or lies in a circle",
                             ESCAPED(m->tenants[i].config->name), LEVELS_DEPTH_MAX);
    }
    return 0;
}

static int intern(struct making *m, struct levels_rules rules, const struct ruleset **out,
                  struct fault *f)
{
    int err = ruleset_intern(m->workshop->rulesets, rules.rules, rules.n, out, f);

    if (!err && *out)
        m->levels->sets[m->levels->n_sets++] = *out;
    return err;
}

static uint32_t area_number(struct making *m, struct span area)
{
    if (area.n == 0)
        return 0;
    for (uint32_t i = 1; i <= m->n_areas; i++)
        if (span_eq(m->areas[i], area))
            return i;
    m->areas[++m->n_areas] = area;
    return m->n_areas;
}

/* When the operator's rules are there: what a tenant inherits, and the chain of rules from itself outward. */
static int make_view(struct making *m, const struct tenant *tenant, struct fault *f)
{
    struct levels_view *view = &m->levels->views[tenant->handle];
    const struct ruleset **chain;
    enum mode mode = MODE_INHERIT;
    struct span area = {0};

    view->stopped = m->config->stopped;
    for (const struct tenant *t = tenant; t; t = t->parent) {
        view->n_chain += t->rules != NULL;
        view->stopped |= t->config->stopped;
        if (mode == MODE_INHERIT)
            mode = t->config->mode;
        if (area.n == 0)
            area = t->config->area;
    }
    view->observe = mode == MODE_OBSERVE;
    view->area = area_number(m, area);
    view->name = take_text(m->levels, tenant->config->name);
    view->silent = ~(ruleset_signs(m->levels->common.operator_rules) |
                     ruleset_signs(m->levels->common.mandatory));
    chain = take(m->levels, view->n_chain, sizeof(*chain));
    if (!view->name || !chain)
        return fault_nomem(f);
    view->chain = chain;
    for (const struct tenant *t = tenant; t; t = t->parent)
        if (t->rules) {
            *chain++ = t->rules;
            view->silent &= ~ruleset_signs(t->rules);
        }
    view->id = tenant->config->id;
    return 0;
}

static int make_tenants(struct making *m, struct fault *f)
{
    int err = index_tenants(m, f);

    if (!err)
        err = link_parents(m, f);
    if (err)
        return err;
    m->levels->n_views = m->workshop->handles->n;
    m->levels->views = take(m->levels, m->levels->n_views, sizeof(struct levels_view));
    if (!m->levels->views)
        return fault_nomem(f);
    for (size_t i = 0; i < m->n_tenants; i++) {
        struct tenant *t = &m->tenants[i];

        err = intern(m, t->config->rules, &t->rules, f);
        if (!err)
            err = intern(m, t->config->born, &m->levels->views[t->handle].born, f);
        if (err) {
            fault_in(f, "tenant \"%s\"", ESCAPED(t->config->name));
            return err;
        }
    }
    for (size_t i = 0; !err && i < m->n_tenants; i++)
        err = make_view(m, &m->tenants[i], f);
    return err;
}

/* ---- the operator ---- */

static int split_rules(struct making *m, struct rule *part, bool mandatory,
                       const struct ruleset **out, struct fault *f)
{
    struct levels_rules all = m->config->operator_rules;
    size_t n = 0;

    for (size_t i = 0; i < all.n; i++)
        if (all.rules[i].mandatory == mandatory)
            part[n++] = all.rules[i];
    return intern(m, (struct levels_rules){part, n}, out, f);
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int make_common(struct making *m, struct fault *f)
{
    const struct levels_config *config = m->config;
    struct levels_common *common = &m->levels->common;
    struct rule *part = calloc(config->operator_rules.n + 1, sizeof(*part));
    struct span *help = take(m->levels, config->n_help_lines, sizeof(*help));
    int64_t *days = take(m->levels, config->holidays.n, sizeof(*days));
    int err = part && help && days ? 0 : fault_nomem(f);

    if (!err)
        err = split_rules(m, part, false, &common->operator_rules, f);
    if (!err)
        err = split_rules(m, part, true, &common->mandatory, f);
    free(part);
    if (err)
        return err;
    for (size_t i = 0; i < config->n_help_lines; i++) {
        help[i] =
            (struct span){take_text(m->levels, config->help_lines[i]), config->help_lines[i].n};
        if (!help[i].p)
            return fault_nomem(f);
    }
    common->help_lines = help;
    common->n_help_lines = config->n_help_lines;
    if (config->holidays.n)
        memcpy(days, config->holidays.days, config->holidays.n * sizeof(*days));
    qsort(days, config->holidays.n, sizeof(*days), compare_days);
    common->holidays = (struct holidays){days, config->holidays.n};
    return 0;
}

/* ---- switches ---- */

static bool reaches(const struct gate *gate, uint32_t tenant)
{
    return !gate->reach || gate->reach[tenant / 8] >> tenant % 8 & 1;
}

static int make_reach(struct making *m, const struct levels_switch *s, struct gate *gate,
                      struct fault *f)
{
    uint8_t *reach;

    if (s->n_tenants == 0)
        return 0;
    reach = take(m->levels, m->levels->n_views / 8 + 1, 1);
    if (!reach)
        return fault_nomem(f);
    gate->reach = reach;
    for (size_t i = 0; i < m->n_tenants; i++)
        m->tenants[i].listed = false;
    for (size_t i = 0; i < s->n_tenants; i++) {
        struct tenant *t = tenant_by_id(m, s->tenants[i]);

        if (!t)
            return fault(f, ERR_MISSING, "a tenant in its reach does not exist");
        t->listed = true;
    }
    for (size_t i = 0; i < m->n_tenants; i++)
        for (const struct tenant *t = &m->tenants[i]; t; t = t->parent)
            if (t->listed)
                reach[m->tenants[i].handle / 8] |= (uint8_t)(1 << m->tenants[i].handle % 8);
    return 0;
}

/* The site of one area. A tenant's area that the switch's dial plan refuses must not take the whole
 * block down: then local numbers have no area there and are denied. */
static int make_site(struct making *m, const struct levels_switch *s, uint32_t area,
                     const struct site **out, struct fault *f)
{
    struct site_config config = s->site;
    int err;

    if (area > 0)
        config.area = m->areas[area];
    err = sites_get(m->levels->sites, &config, out, f);
    if (err && err != ERR_NOMEM && area > 0) {
        config.area = (struct span){0};
        err = sites_get(m->levels->sites, &config, out, f);
    }
    return err;
}

static int make_sites(struct making *m, const struct levels_switch *s, struct gate *gate,
                      struct fault *f)
{
    int err;

    gate->by_area = take(m->levels, m->n_areas + 1, sizeof(const struct site *));
    if (!gate->by_area)
        return fault_nomem(f);
    err = make_site(m, s, 0, &gate->by_area[0], f);
    gate->shown.site = gate->by_area[0];
    for (size_t i = 0; !err && i < m->n_tenants; i++) {
        uint32_t area = m->levels->views[m->tenants[i].handle].area;

        if (reaches(gate, m->tenants[i].handle) && !gate->by_area[area])
            err = make_site(m, s, area, &gate->by_area[area], f);
    }
    return err;
}

static bool make_sip(struct making *m, const struct levels_sip *config, struct levels_sip *out)
{
    struct span account = config->account.n ? config->account : SPAN("P-Asserted-Identity");

    *out = (struct levels_sip){
        .account = {take_text(m->levels, account), account.n},
        .allow = config->allow ? config->allow : 302,
        .deny = config->deny ? config->deny : 603,
    };
    return out->account.p != NULL;
}

static int make_gate(struct making *m, const struct levels_switch *s, struct gate *gate,
                     struct fault *f)
{
    const struct tenant *adopter = tenant_by_id(m, s->adopt_tenant);
    const char *name = take_text(m->levels, s->name);
    int err;

    if (!name)
        return fault_nomem(f);
    if (s->id <= 0)
        return fault(f, ERR_RANGE, "it has no id");
    if (s->adopt_tenant != 0 && !adopter)
        return fault(f, ERR_MISSING, "the tenant that adopts its accounts does not exist");
    gate->levels = m->levels;
    gate->shown = (struct levels_gate){
        .id = s->id,
        .name = name,
        .form = s->form,
        .mode = s->mode,
        .unknown = s->unknown,
        .adopt_tenant = s->adopt_tenant,
    };
    if (!make_sip(m, &s->sip, &gate->shown.sip))
        return fault_nomem(f);
    err = make_reach(m, s, gate, f);
    if (!err)
        err = make_sites(m, s, gate, f);
    if (!err && adopter && s->unknown == UNKNOWN_BORN && reaches(gate, adopter->handle))
        gate->adopter = &m->levels->views[adopter->handle];
    return err;
}

static int compare_gates(const void *a, const void *b)
{
    return strcmp(((const struct gate *)a)->shown.name, ((const struct gate *)b)->shown.name);
}

static int make_networks(struct making *m, struct fault *f)
{
    const struct levels_config *config = m->config;
    size_t n = 0, clash = 0, with = 0;
    struct gates_entry *entries;
    int err;

    for (size_t i = 0; i < config->n_switches; i++)
        n += config->switches[i].n_networks;
    entries = calloc(n + 1, sizeof(*entries));
    if (!entries)
        return fault_nomem(f);
    n = 0;
    for (size_t i = 0; i < config->n_switches; i++) {
        const struct levels_switch *s = &config->switches[i];
        size_t gate = (size_t)((const struct gate *)levels_gate_by_name(m->levels, s->name) -
                               m->levels->gates);

        for (size_t k = 0; k < s->n_networks; k++)
            entries[n++] = (struct gates_entry){s->networks[k], gate};
    }
    err = gates_new(&m->levels->networks, entries, n, &clash, &with, f);
    free(entries);
    if (err == ERR_EXISTS)
        fault_in(f, "switches \"%s\" and \"%s\"",
                 ESCAPED(span_of(m->levels->gates[clash].shown.name)),
                 ESCAPED(span_of(m->levels->gates[with].shown.name)));
    return err;
}

static int make_gates(struct making *m, struct fault *f)
{
    const struct levels_config *config = m->config;
    struct levels *levels = m->levels;
    const struct sites *previous = m->workshop->previous ? m->workshop->previous->sites : NULL;
    int err = sites_new(&levels->sites, config->tables, previous, f);

    if (err)
        return err;
    levels->gates = take(levels, config->n_switches, sizeof(*levels->gates));
    if (!levels->gates)
        return fault_nomem(f);
    for (size_t i = 0; i < config->n_switches; i++) {
        err = make_gate(m, &config->switches[i], &levels->gates[i], f);
        if (err) {
            fault_in(f, "switch \"%s\"", ESCAPED(config->switches[i].name));
            return err;
        }
    }
    levels->n_gates = config->n_switches;
    qsort(levels->gates, levels->n_gates, sizeof(*levels->gates), compare_gates);
    for (size_t i = 1; i < levels->n_gates; i++)
        if (compare_gates(&levels->gates[i - 1], &levels->gates[i]) == 0)
            return fault(f, ERR_EXISTS, "switch \"%s\" is there twice",
                         ESCAPED(span_of(levels->gates[i].shown.name)));
    return make_networks(m, f);
}

int levels_new(struct levels **out, const struct levels_workshop *workshop,
               const struct levels_config *config, struct fault *f)
{
    struct levels *levels = calloc(1, sizeof(*levels));
    struct making m = {.levels = levels, .workshop = workshop, .config = config};
    int err = 0;

    if (!levels)
        return fault_nomem(f);
    m.tenants = calloc(config->n_tenants + 1, sizeof(*m.tenants));
    m.areas = calloc(config->n_tenants + 1, sizeof(*m.areas));
    /* Two sets a tenant and two of the operator at most. */
    levels->sets = take(levels, 2 * config->n_tenants + 2, sizeof(*levels->sets));
    if (!m.tenants || !m.areas || !levels->sets)
        err = fault_nomem(f);
    if (!err)
        err = make_common(&m, f);
    if (!err)
        err = make_tenants(&m, f);
    if (!err)
        err = make_gates(&m, f);
    free(m.tenants);
    free(m.areas);
    if (err) {
        levels_free(levels, workshop->rulesets);
        return err;
    }
    *out = levels;
    return 0;
}

/* ---- for readers ---- */

static const struct gate *gate_of(const struct levels_gate *gate)
{
    return (const struct gate *)gate;
}

const struct levels *levels_of(const struct levels_gate *gate)
{
    return gate_of(gate)->levels;
}

const struct levels_common *levels_common(const struct levels *levels)
{
    return &levels->common;
}

const struct levels_gate *levels_gate_by_name(const struct levels *levels, struct span name)
{
    size_t low = 0, high = levels->n_gates;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct span other = span_of(levels->gates[middle].shown.name);
        int order = memcmp(other.p, name.n ? name.p : "", other.n < name.n ? other.n : name.n);

        if (order == 0 && other.n == name.n)
            return &levels->gates[middle].shown;
        if (order < 0 || (order == 0 && other.n < name.n))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct levels_gate *levels_gate_by_id(const struct levels *levels, int64_t id)
{
    for (size_t i = 0; i < levels->n_gates; i++) {
        if (levels->gates[i].shown.id == id)
            return &levels->gates[i].shown;
    }
    return NULL;
}

const struct levels_gate *levels_gate_by_address(const struct levels *levels,
                                                 const struct address *address)
{
    size_t gate;

    return gates_find(levels->networks, address, &gate) ? &levels->gates[gate].shown : NULL;
}

size_t levels_networks(const struct levels *levels, struct network *out, size_t most)
{
    return gates_networks(levels->networks, out, most);
}

const struct levels_view *levels_view(const struct levels *levels, uint32_t tenant)
{
    return tenant < levels->n_views && levels->views[tenant].id ? &levels->views[tenant] : NULL;
}

const struct levels_view *levels_adopter(const struct levels_gate *gate)
{
    return gate_of(gate)->adopter;
}

bool levels_in_reach(const struct levels_gate *gate, uint32_t tenant)
{
    const struct gate *g = gate_of(gate);

    return tenant < g->levels->n_views && reaches(g, tenant);
}

const struct site *levels_site(const struct levels_gate *gate, const struct levels_view *view)
{
    const struct site *site = gate_of(gate)->by_area[view->area];

    return site ? site : gate->site;
}

struct levels **levels_next_retired(struct levels *levels)
{
    return &levels->next_retired;
}
