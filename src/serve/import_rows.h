/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_IMPORT_ROWS_H
#define SEKISHO_SERVE_IMPORT_ROWS_H

#include "serve/lines.h"
#include "store/bulk.h"

/* From the lines of an import to the rows of a bulk. Needs nothing but memory. */

struct import_options {
    bool csv;
    bool locks;                      /* the caller may lock accounts */
    struct span switch_name, tenant; /* of lines that name none; may be empty */
};

/* Reads all of the body, which is overwritten. What is wrong with lines is noted in the bulk; a header that
 * is none, and what bulk_add() says, is returned. */
int import_rows(struct bulk *b, char *text, size_t n, const struct import_options *options,
                struct fault *f);

#endif
