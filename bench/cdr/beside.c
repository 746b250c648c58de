/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many records a switch loses while its table is read: beside DIRECTORY ROWS. The writer is one that tries as Asterisk's
 * cdr_sqlite3_custom does: five times, 200 us apart. */
#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "intake/cdr_sqlite.h"
#include "measure.h"

#define WRITES 1000
#define EVERY_US 2000

static char path[4096];
static uint64_t rows;

static void fail(const char *what)
{
    fprintf(stderr, "beside: %s\n", what);
    exit(1);
}

static sqlite3 *opened(void)
{
    sqlite3 *db;

    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail("cannot open the database");
    return db;
}

static int insert(sqlite3 *db, unsigned n)
{
    char sql[1024];

    snprintf(sql, sizeof(sql),
             "INSERT INTO cdr(calldate,clid,dcontext,channel,dstchannel,lastapp,lastdata,duration,"
             "billsec,disposition,amaflags,accountcode,uniqueid,userfield,src,dst) VALUES ("
             "'2026-11-24 19:05:46','\"\" <1001>','from-internal','PJSIP/1001-%08x',"
             "'PJSIP/trunk-%08x','Dial','PJSIP/0312345678@trunk,,','%u','1','ANSWERED',"
             "'DOCUMENTATION','','1795547146.%u','','1001','0312345678')",
             n, n, n, n);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void fill(void)
{
    sqlite3 *db;

    unlink(path);
    db = opened();
    sqlite3_exec(db,
                 "CREATE TABLE cdr (AcctId INTEGER PRIMARY KEY, calldate,clid,dcontext,channel,"
                 "dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,"
                 "uniqueid,userfield,src,dst); BEGIN",
                 NULL, NULL, NULL);
    for (uint64_t i = 0; i < rows; i++)
        if (insert(db, (unsigned)i) != SQLITE_OK)
            fail("cannot fill the database");
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
}

/* The switch. Its disk is as fast as it gets, so that it comes often. */
static unsigned write_as_asterisk(void)
{
    sqlite3 *db = opened();
    unsigned lost = 0;

    sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    for (unsigned i = 0; i < WRITES; i++) {
        int res = SQLITE_BUSY;

        for (int count = 0; count < 5; count++) {
            res = insert(db, i);
            if (res != SQLITE_BUSY && res != SQLITE_LOCKED)
                break;
            usleep(200);
        }
        lost += res != SQLITE_OK;
        usleep(EVERY_US);
    }
    sqlite3_close(db);
    return lost;
}

static uint64_t read_nothing(void)
{
    usleep(100000);
    return 0;
}

/* What one would write first. */
static uint64_t read_at_once(void)
{
    sqlite3 *db = opened();
    sqlite3_stmt *all;
    uint64_t n = 0;

    if (sqlite3_prepare_v2(db, "SELECT * FROM cdr", -1, &all, NULL) != SQLITE_OK)
        fail("cannot read the database");
    while (sqlite3_step(all) == SQLITE_ROW)
        n++;
    sqlite3_finalize(all);
    sqlite3_close(db);
    return n;
}

static uint64_t read_ours(void)
{
    struct cdr_options options = {.format = CDR_FORMAT_ASTERISK};
    struct cdr_sqlite *s;
    struct fault f;
    struct cdr c;
    uint64_t n = 0;

    if (cdr_sqlite_open(&s, path, NULL, &options, 0, &f))
        fail(f.text);
    while (cdr_sqlite_next(s, &c, &f) == CDR_NEXT_RECORD)
        n++;
    cdr_sqlite_close(s);
    return n;
}

static void beside(const char *what, uint64_t (*reads)(void))
{
    double start = measure_now(), cpu = measure_cpu();
    uint64_t n = 0;
    int status, got[2];
    unsigned lost = 0;
    pid_t pid;

    fill();
    if (pipe(got))
        fail("no pipe");
    pid = fork();
    if (pid == 0) {
        lost = write_as_asterisk();
        _exit(write(got[1], &lost, sizeof(lost)) != sizeof(lost));
    }
    start = measure_now();
    cpu = measure_cpu();
    while (waitpid(pid, &status, WNOHANG) == 0)
        n += reads();
    if (read(got[0], &lost, sizeof(lost)) != sizeof(lost))
        fail("the writer failed");
    close(got[0]);
    close(got[1]);
    printf("%-40s %6u of %u lost", what, lost, WRITES);
    if (n)
        printf(" %10.0f rows a second, %8.0f ns of the processor a row",
               (double)n * 1e9 / (measure_now() - start), (measure_cpu() - cpu) / (double)n);
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("Usage: beside DIRECTORY ROWS");
    snprintf(path, sizeof(path), "%s/master.db", argv[1]);
    rows = strtoull(argv[2], NULL, 10);
    beside("written with nobody reading", read_nothing);
    beside("read by one SELECT", read_at_once);
    beside("read by cdr_sqlite", read_ours);
    unlink(path);
    return 0;
}
