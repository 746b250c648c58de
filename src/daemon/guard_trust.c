/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_trust.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/guard_trunks.h"

#define MACHINE_NS INT64_C(10000000000)        /* how often its addresses are looked at */
#define FOUND_NS (INT64_C(86400) * 1000000000) /* a trunk stays after its last REGISTER */
#define FOUND_MAX 128

struct trust {
    struct trunks *trunks;
    struct ours machine;
    int64_t machine_ns;
    bool changed;
    size_t n_file, n_operator, n_found, n_list;
    struct network file[EXEMPT_MAX], operator[EXEMPT_MAX];
    struct {
        struct network network;
        int64_t seen_ns;
    } found[FOUND_MAX];
    uint64_t generation; /* of the trunks that were looked up */
    struct guard_room_exempt list[EXEMPT_MAX];
};

static struct network host(const struct address *address)
{
    struct network network = {.family = address->family, .bits = address->family == 4 ? 32 : 128};

    memcpy(network.ip, address->ip, sizeof(network.ip));
    return network;
}

static bool same(const struct network *a, const struct network *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* ---- this machine --------------------------------------------------------------------------- */

static void look_at_machine(struct trust *t)
{
    static const struct network loopback[] = {{4, 8, {127}}, {6, 128, {[15] = 1}}};
    struct ours now = {.n = 2, .networks = {loopback[0], loopback[1]}};
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct address address = one->ifa_addr ? address_of(one->ifa_addr) : (struct address){0};
        struct network network = host(&address);

        if (address.family && !address_is_loopback(&address) && !ours_add(&now, &network))
            log_warning("machine-addresses",
                        LOG_TEXT("message", "there are more than are looked at; name those of "
                                            "the switch in [switch NAME] addresses"));
    }
    freeifaddrs(all);
    if (now.n == t->machine.n &&
        memcmp(now.networks, t->machine.networks, now.n * sizeof(now.networks[0])) == 0)
        return;
    t->machine = now;
    t->changed = true;
}

const struct ours *trust_machine(const struct trust *t)
{
    return &t->machine;
}

/* ---- what is told --------------------------------------------------------------------------- */

int trust_new(struct trust **out, const struct config *config, struct fault *f)
{
    struct trust *t = calloc(1, sizeof(*t));
    int err = t ? trunks_new(&t->trunks, f) : fault_nomem(f);

    for (size_t i = 0; i < config->n_switches && !err; i++) {
        err = trunks_add(t->trunks, span_of(config->switches[i].trunks), f);
        if (err)
            fault_in(f, "[switch %s] trunks", config->switches[i].named.name);
    }
    if (err) {
        trust_free(t);
        return err;
    }
    look_at_machine(t);
    *out = t;
    return 0;
}

void trust_free(struct trust *t)
{
    if (!t)
        return;
    trunks_free(t->trunks);
    free(t);
}

int trust_start(struct trust *t, struct fault *f)
{
    return trunks_start(t->trunks, f);
}

void trust_file(struct trust *t, const struct network *network)
{
    for (size_t i = 0; i < t->n_file; i++)
        if (same(&t->file[i], network))
            return;
    if (t->n_file == EXEMPT_MAX)
        return;
    t->file[t->n_file++] = *network;
    t->changed = true;
}

int trust_operator(struct trust *t, const struct network *networks, size_t n, struct fault *f)
{
    if (n > EXEMPT_MAX)
        return fault(f, ERR_FULL, "more than %d never-ban networks", EXEMPT_MAX);
    if (n)
        memcpy(t->operator, networks, n * sizeof(*networks));
    t->n_operator = n;
    t->changed = true;
    return 0;
}

/* The one that has been silent for longest gives way. */
void trust_trunk(struct trust *t, const struct address *trunk, struct instant now)
{
    struct network network = host(trunk);
    size_t oldest = 0;
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < t->n_found; i++) {
        if (same(&t->found[i].network, &network)) {
            t->found[i].seen_ns = now.boot_ns;
            return;
        }
        if (t->found[i].seen_ns < t->found[oldest].seen_ns)
            oldest = i;
    }
    if (t->n_found < FOUND_MAX)
        oldest = t->n_found++;
    t->found[oldest].network = network;
    t->found[oldest].seen_ns = now.boot_ns;
    t->changed = true;
    log_info("trunk-found", LOG_TEXT("address", network_text(&network, text)));
}

/* ---- the list ------------------------------------------------------------------------------- */

static void add(struct trust *t, const struct network *network, enum guard_exempt_from from,
                const char *name)
{
    struct guard_room_exempt *to = &t->list[t->n_list];

    for (size_t i = 0; i < t->n_list; i++)
        if (same(&t->list[i].network, network))
            return;
    if (t->n_list == EXEMPT_MAX) {
        log_error("exempt-full", LOG_INT("most", EXEMPT_MAX));
        return;
    }
    *to = (struct guard_room_exempt){.network = *network, .from = from};
    snprintf(to->name, sizeof(to->name), "%s", name);
    t->n_list++;
}

/* What people decided goes first: it must not fall out of a full list. */
static void make_list(struct trust *t)
{
    struct trunk trunks[TRUNKS_MAX];
    size_t n = trunks_get(t->trunks, trunks, TRUNKS_MAX, &t->generation);

    t->n_list = 0;
    for (size_t i = 0; i < t->n_operator; i++)
        add(t, &t->operator[i], GUARD_EXEMPT_OPERATOR, "");
    for (size_t i = 0; i < t->machine.n; i++)
        add(t, &t->machine.networks[i], GUARD_EXEMPT_MACHINE, "");
    for (size_t i = 0; i < t->n_file; i++)
        add(t, &t->file[i], GUARD_EXEMPT_FILE, "");
    for (size_t i = 0; i < n; i++) {
        struct network network = host(&trunks[i].address);

        add(t, &network, GUARD_EXEMPT_TRUNK, trunks[i].name);
    }
    for (size_t i = 0; i < t->n_found; i++)
        add(t, &t->found[i].network, GUARD_EXEMPT_TRUNK, "");
}

static void tell(const struct trust *t, struct guard *guard, struct instant now, enum exempt why)
{
    struct network networks[EXEMPT_MAX];
    size_t n = 0;
    struct fault f;

    for (size_t i = 0; i < t->n_list; i++)
        if ((t->list[i].from == GUARD_EXEMPT_TRUNK) == (why == EXEMPT_TRUNK))
            networks[n++] = t->list[i].network;
    if (guard_set_exempt(guard, now, why, networks, n, &f) != 0)
        log_error("exempt-refused", LOG_TEXT("fault", f.text));
}

static void forget_found(struct trust *t, struct instant now)
{
    for (size_t i = 0; i < t->n_found;) {
        if (now.boot_ns - t->found[i].seen_ns > FOUND_NS) {
            t->found[i] = t->found[--t->n_found];
            t->changed = true;
        } else {
            i++;
        }
    }
}

void trust_tick(struct trust *t, struct guard *guard, struct instant now)
{
    uint64_t generation;

    if (now.boot_ns >= t->machine_ns) {
        look_at_machine(t);
        forget_found(t, now);
        t->machine_ns = now.boot_ns + MACHINE_NS;
    }
    trunks_get(t->trunks, NULL, 0, &generation);
    if (!t->changed && generation == t->generation)
        return;
    t->changed = false;
    make_list(t);
    /* Of the two, first the one that grows: together they have room for one full list. */
    tell(t, guard, now, EXEMPT_NEVER_BAN);
    tell(t, guard, now, EXEMPT_TRUNK);
}

const struct guard_room_exempt *trust_list(const struct trust *t, size_t *n)
{
    *n = t->n_list;
    return t->list;
}
