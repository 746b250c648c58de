/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_PAGE_H
#define SEKISHO_STORE_PAGE_H

#include "store/tx.h"

/*
 * One page of a list. A list is sorted by one column, an id or a name, and the cursor to the next page
 * is what stands there in the last row of this one. The caller sets what its rows are, begins the
 * page, starts a query for the `rows` rows behind `id` or `name`, and reads it.
 */
struct page {
    /* Set by the caller. */
    size_t size; /* of an item */
    int key;     /* the column that sorts the list */
    /* Makes the present row an item, zeroed before, in the job's memory. */
    int (*read)(struct store_tx *tx, struct query *q, void *item, struct fault *f);
    /* Set by page_begin_*(). */
    int64_t rows;     /* to ask for: one more than fit, to learn whether there is another page */
    int64_t id;       /* where the page before it ended, */
    struct span name; /* borrowed from the cursor */
    /* Set by page_read(); the job's memory. */
    void *items;
    size_t n;
    struct span next; /* empty on the last page */
};

/* A list by id; without a cursor it begins behind `start`. ERR_RANGE: too long a page. ERR_SYNTAX: the
 * cursor is no id. */
int page_begin_id(struct page *p, const struct store_page *at, int64_t start, struct fault *f);
/* The same for a list by name_check()'s names, from the first one on. */
int page_begin_name(struct page *p, const struct store_page *at, struct fault *f);
/* Ends the query, whatever happens. */
int page_read(struct page *p, struct store_tx *tx, struct query *q, struct fault *f);

#endif
