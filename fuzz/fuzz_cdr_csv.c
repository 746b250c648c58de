/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "intake/cdr_csv.h"

#define ROWS_MAX 4096

/* What must not depend on how the bytes came. */
struct seen {
    size_t n;
    uint64_t lines;
    struct {
        enum cdr_csv_found found;
        uint64_t line, bytes, cells;
    } rows[ROWS_MAX];
};

static void add(struct seen *s, enum cdr_csv_found found, struct cdr_row *row)
{
    uint64_t bytes = 0;

    if (s->n == ROWS_MAX)
        return;
    for (size_t i = 0; found == CDR_CSV_ROW && i < row->n; i++)
        bytes += cdr_row_cell(row, i).n;
    s->rows[s->n].found = found;
    s->rows[s->n].line = row->line;
    s->rows[s->n].bytes = bytes;
    s->rows[s->n++].cells = found == CDR_CSV_ROW ? row->n : 0;
}

/* In blocks of at most `step` new bytes. */
static void split(struct seen *s, const uint8_t *data, size_t size, size_t step, bool loose)
{
    static struct cdr_row row;
    struct cdr_csv csv = {.delimiter = ',', .loose = loose};
    struct fault f;
    size_t held = 0, came = 0, used;
    char *block = malloc(size ? size : 1);

    if (!block)
        abort();
    do {
        size_t more = size - came < step ? size - came : step, at = 0;
        enum cdr_csv_found found;

        memcpy(block + held, data + came, more);
        held += more;
        came += more;
        while ((found = cdr_csv_next(&csv, block + at, held - at, came == size, &row, &used, &f)) !=
               CDR_CSV_MORE) {
            PROMISE(used > 0 && used <= held - at);
            add(s, found, &row);
            at += used;
        }
        PROMISE(used <= held - at);
        at += used;
        memmove(block, block + at, held - at);
        held -= at;
        PROMISE(held <= CDR_ROW_MAX);
    } while (came < size);
    PROMISE(held == 0);
    s->lines = csv.line;
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen whole, parts;

    if (!size)
        return 0;
    memset(&whole, 0, sizeof(whole));
    memset(&parts, 0, sizeof(parts));
    split(&whole, data + 1, size - 1, SIZE_MAX, data[0] & 1);
    split(&parts, data + 1, size - 1, 1 + data[0] / 2u, data[0] & 1);
    PROMISE(memcmp(&whole, &parts, sizeof(whole)) == 0);
    return 0;
}
