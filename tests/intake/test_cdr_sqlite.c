/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of SQLite as switches make them, read while they are written to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "intake/cdr_sqlite.h"

static char directory[] = "/tmp/test-cdr-XXXXXX";
static char path[64];
static sqlite3 *writer;

/* As the switch does, which does not wait. */
static void run(const char *sql)
{
    char *said = NULL;

    if (sqlite3_exec(writer, sql, NULL, NULL, &said) != SQLITE_OK)
        fail_msg("%s: %s", sql, said);
}

/* The table that Asterisk makes by our columns of cdr_sqlite3_custom.conf. */
static const char asterisk[] =
    "CREATE TABLE cdr (AcctId INTEGER PRIMARY KEY, calldate,clid,dcontext,channel,dstchannel,"
    "lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield,src,"
    "dst)";

static void add_call(unsigned n)
{
    char sql[1024];

    snprintf(sql, sizeof(sql),
             "INSERT INTO cdr(calldate,clid,dcontext,channel,dstchannel,lastapp,lastdata,duration,"
             "billsec,disposition,amaflags,accountcode,uniqueid,userfield,src,dst) VALUES ("
             "'2026-11-24 19:05:46','\"\" <1001>','from-internal','PJSIP/1001-%08x',"
             "'PJSIP/trunk-%08x','Dial','PJSIP/0312345678@trunk,,','%u','1','ANSWERED',"
             "'DOCUMENTATION','','1795547146.%u','','1001','0312345678')",
             n, n, n, n);
    run(sql);
}

static struct cdr_sqlite *opened(enum cdr_format format, int64_t behind)
{
    struct cdr_options options = {.format = format};
    struct cdr_sqlite *s;
    struct fault f;

    if (cdr_sqlite_open(&s, path, NULL, &options, behind, &f))
        fail_msg("%s", f.text);
    return s;
}

static enum cdr_next next(struct cdr_sqlite *s, struct cdr *c)
{
    struct fault f;

    return cdr_sqlite_next(s, c, &f);
}

static void rows_come_behind_the_last_while_the_writer_writes(void **state)
{
    static const char *const modes[] = {"PRAGMA journal_mode = DELETE",
                                        "PRAGMA journal_mode = WAL"};
    struct cdr_sqlite *s;
    struct cdr c;

    run(asterisk);
    run(modes[*(int *)*state]);
    run("BEGIN");
    for (unsigned i = 1; i <= 200; i++)
        add_call(i);
    run("COMMIT");
    s = opened(CDR_FORMAT_ASTERISK, 10);
    for (unsigned i = 11; i <= 300; i++) {
        if (i <= 200)
            add_call(200 + i); /* between any two: nothing is locked */
        assert_int_equal(next(s, &c), CDR_NEXT_RECORD);
        assert_int_equal(c.total_s, i <= 200 ? i : i + 10);
        assert_int_equal(cdr_sqlite_row(s), i);
        assert_int_equal(cdr_sqlite_place(s), i);
        assert_true(span_is(c.endpoint, "1001") && span_is(c.dialled, "0312345678") &&
                    span_is(c.sent, "0312345678") && span_is(c.trunk, "trunk"));
        assert_int_equal(c.start_ms, 1795547146000);
        assert_int_equal(c.outcome, CDR_ANSWERED);
    }
    while (next(s, &c) == CDR_NEXT_RECORD)
        continue;
    assert_int_equal(next(s, &c), CDR_NEXT_END);
    add_call(999);
    assert_int_equal(next(s, &c), CDR_NEXT_RECORD);
    assert_int_equal(c.total_s, 999);
    assert_int_equal(next(s, &c), CDR_NEXT_END);
    cdr_sqlite_close(s);
}

static void a_row_that_cannot_be_read_is_told(void **state)
{
    struct cdr_sqlite *s;
    struct cdr c;
    struct fault f;

    run(asterisk);
    add_call(1);
    run("UPDATE cdr SET calldate = NULL");
    add_call(2);
    s = opened(CDR_FORMAT_ASTERISK, 0);
    assert_int_equal(cdr_sqlite_next(s, &c, &f), CDR_NEXT_BAD);
    assert_non_null(strstr(f.text, "start \"\""));
    assert_int_equal(cdr_sqlite_row(s), 1);
    assert_int_equal(next(s, &c), CDR_NEXT_RECORD);
    assert_int_equal(cdr_sqlite_figures(s).bad, 1);
    cdr_sqlite_close(s);
}

/* With the values that Kamailio 5.6 wrote: a Julian day as time. */
static void acc_is_paired(void **state)
{
    struct cdr_sqlite *s;
    struct cdr c;

    run("CREATE TABLE acc (id INTEGER PRIMARY KEY NOT NULL, method VARCHAR(16), from_tag "
        "VARCHAR(128),"
        "to_tag VARCHAR(128), callid VARCHAR(255), sip_code VARCHAR(3), sip_reason VARCHAR(128),"
        "time TIMESTAMP WITHOUT TIME ZONE NOT NULL, src_user, dst_ouser, dst_user, dst_domain)");
    run("INSERT INTO acc VALUES (5,'INVITE','w7-1','u19-1','1-22@127.0.0.3','200','OK',"
        "2461369.3263715277,'2002','0312345678','0312345678','127.0.0.1')");
    run("INSERT INTO acc VALUES (6,'INVITE','17SIPpTag001','b1','1-17@127.0.0.3','486','Busy Here',"
        "2461369.3263599537,'sipp','0312345678','0312345678','127.0.0.1')");
    s = opened(CDR_FORMAT_KAMAILIO, 0);
    assert_int_equal(next(s, &c), CDR_NEXT_RECORD);
    assert_int_equal(c.outcome, CDR_BUSY);
    assert_int_equal(c.start_ms / 1000, 1795549797);
    assert_int_equal(next(s, &c), CDR_NEXT_END);
    assert_int_equal(cdr_sqlite_place(s), 4);
    run("INSERT INTO acc VALUES (7,'BYE','u19-1','w7-1','1-22@127.0.0.3','200','OK',"
        "2461369.3263831018,'0312345678','2002','2002','127.0.0.3')");
    assert_int_equal(next(s, &c), CDR_NEXT_RECORD);
    assert_true(span_is(c.src, "2002") && span_is(c.dialled, "0312345678"));
    assert_int_equal(c.billed_s, 1);
    assert_false(c.unended);
    assert_int_equal(cdr_sqlite_place(s), 7);
    assert_false(cdr_sqlite_drain(s, &c));
    cdr_sqlite_close(s);
}

static void what_is_no_table_of_calls(void **state)
{
    static const struct {
        const char *path, *table, *says;
        enum cdr_format format;
        int err;
    } cases[] = {
        {"/nowhere/master.db", NULL, "there is no /nowhere", CDR_FORMAT_ASTERISK, ERR_MISSING},
        {NULL, NULL, "no such table: cdr", CDR_FORMAT_ASTERISK, ERR_MISSING},
        {NULL, "o\"\"ther", "no such table: o\"\"ther", CDR_FORMAT_ASTERISK, ERR_MISSING},
        {NULL, "other", "has not all of the columns", CDR_FORMAT_ASTERISK, ERR_MISSING},
        {NULL, "other", "dst_ouser or dst_user", CDR_FORMAT_KAMAILIO, ERR_MISSING},
        {NULL, NULL, "Asterisk's or Kamailio's", CDR_FORMAT_FREESWITCH, ERR_RANGE},
    };

    run("CREATE TABLE other (a, b)");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cdr_options options = {.format = cases[i].format};
        struct cdr_sqlite *s;
        struct fault f;

        assert_int_equal(cdr_sqlite_open(&s, cases[i].path ? cases[i].path : path, cases[i].table,
                                         &options, 0, &f),
                         cases[i].err);
        if (!strstr(f.text, cases[i].says))
            fail_msg("%s", f.text);
    }
}

static int begin(void **state)
{
    unlink(path);
    return sqlite3_open(path, &writer) == SQLITE_OK ? 0 : -1;
}

static int end(void **state)
{
    sqlite3_close(writer);
    return unlink(path);
}

static int all_begin(void **state)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/master.db", directory);
    return 0;
}

static int all_end(void **state)
{
    return rmdir(directory);
}

int main(void)
{
    static int journal = 0, wal = 1;
    const struct CMUnitTest tests[] = {
        {"with a journal", rows_come_behind_the_last_while_the_writer_writes, begin, end, &journal},
        {"with a WAL", rows_come_behind_the_last_while_the_writer_writes, begin, end, &wal},
        cmocka_unit_test_setup_teardown(a_row_that_cannot_be_read_is_told, begin, end),
        cmocka_unit_test_setup_teardown(acc_is_paired, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_table_of_calls, begin, end),
    };

    return cmocka_run_group_tests(tests, all_begin, all_end);
}
