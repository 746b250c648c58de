/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/evidence.h"

#include "base/fault.h"
#include "base/pages.h"

int evidence_init(struct evidence_rings *r, size_t bytes)
{
    size_t slots = bytes / 2 / sizeof(struct evidence);

    *r = (struct evidence_rings){.slots = slots < 16 ? 16 : (uint32_t)slots, .next = {1, 1}};
    for (int i = 0; i < 2; i++) {
        r->at[i] = pages_new(r->slots * sizeof(struct evidence));
        if (!r->at[i]) {
            evidence_free(r);
            return ERR_NOMEM;
        }
    }
    return 0;
}

void evidence_free(struct evidence_rings *r)
{
    for (int i = 0; i < 2; i++)
        pages_free(r->at[i], r->slots * sizeof(struct evidence));
    *r = (struct evidence_rings){0};
}

void evidence_present(struct evidence_rings *r)
{
    for (int i = 0; i < 2; i++)
        pages_present(r->at[i], r->slots * sizeof(struct evidence));
}

static uint8_t keep(char to[EVIDENCE_TEXT], struct span s)
{
    size_t n = s.n < EVIDENCE_TEXT ? s.n : EVIDENCE_TEXT;

    if (n)
        memcpy(to, s.p, n);
    return (uint8_t)n;
}

/* The lowest bit of an id says which ring. */
struct evidence *evidence_add(struct evidence_rings *r, const struct attempt *a, uint32_t t)
{
    int ring = a->proof == PROOF_PROVED;
    uint64_t number = r->next[ring]++;
    struct evidence *e = &r->at[ring][number % r->slots];

    *e = (struct evidence){.id = number << 1 | (uint64_t)ring,
                           .wall_ms = a->at.wall_ms,
                           .t = t,
                           .switch_id = a->switch_id,
                           .source = a->source,
                           .witness = (uint8_t)a->witness,
                           .outcome = (uint8_t)a->outcome,
                           .proof = (uint8_t)a->proof,
                           .transport = (uint8_t)a->transport,
                           .method = (uint8_t)a->method};
    e->account_n = keep(e->account, a->account);
    e->dialled_n = keep(e->dialled, a->dialled);
    e->user_agent_n = keep(e->user_agent, a->user_agent);
    e->call_id_n = keep(e->call_id, a->call_id);
    return e;
}

const struct evidence *evidence_get(const struct evidence_rings *r, uint64_t id)
{
    const struct evidence *e = &r->at[id & 1][(id >> 1) % r->slots];

    return id && e->id == id ? e : NULL;
}

size_t evidence_walk(const struct evidence_rings *r, uint64_t last, enum evidence_chain chain,
                     uint32_t oldest, uint64_t *ids, size_t max)
{
    size_t n = 0;

    for (const struct evidence *e = evidence_get(r, last); e && e->t >= oldest && n < max;
         e = evidence_get(r, e->before[chain]))
        ids[n++] = e->id;
    return n;
}

void evidence_number_from(struct evidence_rings *r, int64_t wall_s)
{
    if (wall_s > 0)
        r->next[0] = r->next[1] = (uint64_t)(wall_s & 0x7fffffff) << 20 | 1;
}
