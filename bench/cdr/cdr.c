/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast records of calls are read, and in how much memory: cdr DIRECTORY ROWS ZONE */
#include <stdio.h>
#include <sys/resource.h>
#include <zlib.h>

#include "base/zoneinfo.h"
#include "intake/cdr_stream.h"
#include "measure.h"
#include "plausible.h"

#define BLOCK_ROWS 20000
#define ROUNDS 15

static struct buf block; /* as much as stays in the caches, as a window does */
static struct tz *tz;

static void fail(const char *what)
{
    fprintf(stderr, "cdr: %s\n", what);
    exit(1);
}

static void split(void *arg)
{
    static struct cdr_row row;
    struct cdr_csv csv = {.delimiter = ','};
    size_t at = 0, used, rows = 0;
    struct fault f;

    while (cdr_csv_next(&csv, block.p + at, block.n - at, true, &row, &used, &f) == CDR_CSV_ROW) {
        at += used;
        rows++;
    }
    if (rows != BLOCK_ROWS)
        fail("rows are not split");
    measure_keep(row.n);
}

static void read_rows(void *arg)
{
    struct cdr_options options = {.format = CDR_FORMAT_ASTERISK, .tz = tz};
    bool identity = arg != NULL;
    uint8_t id[CDR_IDENTITY_SIZE];
    struct cdr_reader *r;
    struct fault f;
    struct cdr c;
    size_t at = 0, used, rows = 0;

    if (cdr_reader_new(&r, &options, &f))
        fail(f.text);
    while (cdr_reader_next(r, block.p + at, block.n - at, true, &used, &c, &f) == CDR_STEP_RECORD) {
        at += used;
        rows++;
        if (identity)
            cdr_identity(&c, id);
    }
    if (rows != BLOCK_ROWS)
        fail("rows are not read");
    cdr_reader_free(r);
}

static void print(const char *what, double ns)
{
    printf("%-44s %10.0f rows per CPU second %8.0f ns a row\n", what, 1e9 / ns, ns);
}

static void in_memory(const char *what, void (*run)(void *), void *arg)
{
    print(what, measure(ROUNDS, BLOCK_ROWS, run, arg).least);
}

static void write_file(const char *path, uint64_t rows, bool packed)
{
    struct plausible p;
    struct buf b = {0};
    /* "wT" is without compression. */
    gzFile out = gzopen(path, packed ? "wb1" : "wbT");

    plausible_begin(&p, 1, 100000);
    for (uint64_t i = 0; out && i < rows; i++) {
        plausible_line(&p, &b);
        if (b.n < 65536 && i + 1 < rows)
            continue;
        if (gzwrite(out, b.p, (unsigned)b.n) != (int)b.n)
            fail("cannot write");
        buf_clear(&b);
    }
    if (!out || gzclose(out) != Z_OK)
        fail("cannot write");
    buf_free(&b);
}

static void from_file(const char *path, uint64_t rows, const char *what)
{
    struct cdr_options options = {.format = CDR_FORMAT_ASTERISK, .tz = tz};
    double start = measure_cpu();
    struct cdr_stream *s;
    struct rusage usage;
    struct fault f;
    struct cdr c;
    uint64_t seen = 0;

    if (cdr_stream_open(&s, path, &options, false, &f))
        fail(f.text);
    while (cdr_stream_next(s, &c, &f) == CDR_NEXT_RECORD)
        seen++;
    if (seen != rows)
        fail("rows are not read");
    cdr_stream_close(s);
    print(what, (measure_cpu() - start) / (double)rows);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-44s %10.1f MB at most\n", "", (double)usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct buf tzif = {0};
    struct plausible p;
    struct fault f;
    char path[4096];

    if (argc != 4 || zoneinfo_read(NULL, span_of(argv[3]), &tzif, &f) ||
        tz_new(&tz, buf_span(&tzif), &f))
        fail("Usage: cdr DIRECTORY ROWS ZONE");
    plausible_begin(&p, 1, 100000);
    for (size_t i = 0; i < BLOCK_ROWS; i++)
        plausible_line(&p, &block);
    printf("%.0f bytes a row, %s\n", (double)block.n / BLOCK_ROWS, argv[3]);
    in_memory("splitting alone", split, NULL);
    in_memory("records", read_rows, NULL);
    in_memory("records and their identities", read_rows, &p);
    for (int packed = 0; packed < 2; packed++) {
        snprintf(path, sizeof(path), "%s/%s", argv[1], packed ? "Master.csv.gz" : "Master.csv");
        for (int times = 1; times <= 10; times *= 10) {
            char what[64];

            write_file(path, rows / 10 * (unsigned)times, packed);
            snprintf(what, sizeof(what), "a %sfile of %llu, with its digest",
                     packed ? "compressed " : "",
                     (unsigned long long)(rows / 10 * (unsigned)times));
            from_file(path, rows / 10 * (unsigned)times, what);
        }
    }
    tz_free(tz);
    buf_free(&tzif);
    buf_free(&block);
    return 0;
}
