/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/page.h"

#include <inttypes.h>

#include "store/names.h"

static int begin(struct page *p, const struct store_page *at, struct fault *f)
{
    if (at->limit > STORE_PAGE_MAX)
        return fault(f, ERR_RANGE, "a page has at most %d rows, not %" PRIu32, STORE_PAGE_MAX,
                     at->limit);
    p->rows = (int64_t)(at->limit ? at->limit : STORE_PAGE_DEFAULT) + 1;
    return 0;
}

static int no_cursor(struct span cursor, struct fault *f)
{
    return fault(f, ERR_SYNTAX, "\"%s\" is no cursor of this list", ESCAPED(cursor));
}

int page_begin_id(struct page *p, const struct store_page *at, int64_t start, struct fault *f)
{
    int err = begin(p, at, f);

    p->id = start;
    if (!err && at->cursor.n && !id_parse(at->cursor, &p->id))
        err = no_cursor(at->cursor, f);
    return err;
}

int page_begin_name(struct page *p, const struct store_page *at, struct fault *f)
{
    int err = begin(p, at, f);

    p->name = at->cursor;
    if (!err && at->cursor.n && name_check(at->cursor, "row", NULL) != 0)
        err = no_cursor(at->cursor, f);
    return err;
}

int page_read(struct page *p, struct store_tx *tx, struct query *q, struct fault *f)
{
    const size_t limit = (size_t)p->rows - 1;
    char *items = arena_alloc(&tx->arena, limit * p->size);
    struct span last = {0};
    size_t n = 0;
    bool ok = true;
    int err = items ? 0 : fault_nomem(f);

    while (!err && n < limit && (err = query_row(q, f)) == 1) {
        err = p->read(tx, q, items + n * p->size, f);
        n++;
    }
    if (!err && n == limit) {
        last = query_copy(q, p->key, &tx->arena, &ok);
        err = ok ? query_row(q, f) : fault_nomem(f);
    }
    query_end(q);
    if (err < 0)
        return err;
    p->items = items;
    p->n = n;
    p->next = err == 1 ? last : (struct span){0};
    return 0;
}
