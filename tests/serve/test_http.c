/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cases.h"
#include "serve/http_head.h"
#include "serve/lines.h"
#include "serve/listener.h"
#include "serve/penalties.h"

/* ---- targets ---- */

static void show(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < ' ' || c > '~')
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, (char)c);
    }
}

static void target_case(void **state)
{
    struct test_case *c = *state;
    struct target target;
    struct buf out = {0};
    struct fault f;

    if (target_parse(&target, c->in.p, c->in.n - 1, &f) != 0) {
        buf_puts(&out, f.text);
    } else {
        for (size_t i = 0; i < target.n; i++) {
            if (i || !target.segments[i].n)
                buf_putc(&out, '|');
            show(&out, target.segments[i]);
        }
        for (size_t i = 0; i < target.query.n; i++) {
            buf_putc(&out, '\n');
            show(&out, target.query.pairs[i].key);
            buf_putc(&out, '=');
            show(&out, target.query.pairs[i].value);
        }
    }
    buf_putc(&out, '\n');
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
}

static void bounds_the_parameters(void **state)
{
    struct buf text = {0};
    struct target target;
    struct fault f;

    buf_puts(&text, "/a?");
    for (int i = 0; i < TARGET_PAIRS_MAX; i++)
        buf_puts(&text, "a&");
    assert_int_equal(target_parse(&target, text.p, text.n, &f), 0);
    assert_int_equal(target.query.n, TARGET_PAIRS_MAX);
    buf_puts(&text, "a");
    assert_int_equal(target_parse(&target, text.p, text.n, &f), ERR_RANGE);
    buf_free(&text);
}

/* ---- lines ---- */

static json_t *row_json(const struct line *line, const char *const *names)
{
    json_t *row = json_object();

    if (line->json) {
        json_decref(row);
        return line->json;
    }
    for (size_t i = 0; names[i]; i++)
        if (line->cells[i].p)
            json_object_set_new(row, names[i] + (names[i][0] == '['),
                                json_stringn(line->cells[i].p, line->cells[i].n));
    return row;
}

/* "2 {"name":"x"}" for each line, or "2: the sentence". */
static void read_lines(bool csv, const char *text, size_t n, struct buf *out)
{
    static const char *const columns[] = {"name", "note", "state", NULL};
    char *copy = malloc(n + 1);
    struct reader reader = {0};
    struct lines lines;
    struct line line;
    struct fault f;
    int rc;

    assert_non_null(copy);
    memcpy(copy, text, n);
    rc = lines_begin(&lines, copy, n, csv, columns, &f);
    if (rc)
        buf_printf(out, "%s\n", f.text);
    while (!rc && (rc = lines_next(&lines, &reader, &line, &f)) != 0) {
        json_t *row = rc > 0 ? row_json(&line, columns) : NULL;
        char *shown = row ? json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

        buf_printf(out, rc > 0 ? "%u %s\n" : "%u: %s\n", (unsigned)line.number,
                   shown ? shown : f.text);
        free(shown);
        json_decref(row);
        rc = 0;
    }
    free(copy);
}

static void expect_lines(bool csv, const char *text, const char *expected)
{
    struct buf out = {0};

    buf_puts(&out, "");
    read_lines(csv, text, strlen(text), &out);
    assert_string_equal(out.p, expected);
    buf_free(&out);
}

static void reads_json_lines(void **state)
{
    expect_lines(false, "{\"name\":\"a\"}\n\r\n\n{\"name\":\"b\"}\r\n{\"name\":\"c\"}",
                 "1 {\"name\":\"a\"}\n4 {\"name\":\"b\"}\n5 {\"name\":\"c\"}\n");
    expect_lines(false, "x\n[]\n{\"name\":\"c\"}\n",
                 "1: this is not JSON: column 1: '[' or '{' expected\n"
                 "2: the body must be a JSON object\n3 {\"name\":\"c\"}\n");
    expect_lines(false, "", "");
    expect_lines(false, "\n\n", "");
}

static void reads_csv(void **state)
{
    expect_lines(true, "name,note\na,b\r\nc,\n",
                 "2 {\"name\":\"a\",\"note\":\"b\"}\n3 {\"name\":\"c\"}\n");
    expect_lines(true, "\xef\xbb\xbfnote,name\n\"a \"\"b\"\", c\",\"d\"",
                 "2 {\"name\":\"d\",\"note\":\"a \\\"b\\\", c\"}\n");
    expect_lines(true, "name,note\na,\"b\nc\"\nd,e\n",
                 "2 {\"name\":\"a\",\"note\":\"b\\nc\"}\n4 {\"name\":\"d\",\"note\":\"e\"}\n");
    expect_lines(true, "name\n", "");
}

static void refuses_wrong_csv_by_line(void **state)
{
    expect_lines(true, "name,note\na\nb,c,d\ne,f\n",
                 "2: 1 cells, the header has 2\n3: 3 cells, the header has 2\n"
                 "4 {\"name\":\"e\",\"note\":\"f\"}\n");
    expect_lines(true, "name,note\n\"a\"b,c\nd,e\"f\"\n\"g\n",
                 "2: a cell must be followed by a comma or the line's end\n"
                 "3: a cell must be followed by a comma or the line's end\n"
                 "4: a quoted cell does not end\n");
    expect_lines(true, "name\n\xff\nb\n", "2: name is not UTF-8\n3 {\"name\":\"b\"}\n");
    expect_lines(true, "name\n,,,,,,,,,,,,,,,,\nb\n",
                 "2: more than 16 cells\n3 {\"name\":\"b\"}\n");
    expect_lines(true, "note\na\n", "line 1: the column \"name\" is missing\n");
    expect_lines(true, "name,name\n", "line 1: the column \"name\" stands twice\n");
    expect_lines(true, "name,Note\n", "line 1: there is no column \"Note\"\n");
    expect_lines(true, "", "line 1: there is no column \"\"\n");
}

/* ---- Host ---- */

static bool allowed(const char *host, const char *hosts, const char *listen)
{
    struct address address = {0};

    if (listen)
        assert_int_equal(address_parse(span_of(listen), &address, NULL), 0);
    return head_host_allowed(span_of(host), span_of(hosts), &address, listen ? 1 : 0);
}

static void takes_configured_hosts_only(void **state)
{
    assert_true(allowed("sekisho.example", "sekisho.example", NULL));
    assert_true(allowed("SEKISHO.example:8470", "a.example , sekisho.example", NULL));
    assert_true(allowed("sekisho.example:444", "sekisho.example:444", NULL));
    assert_true(allowed("[::1]:8470", "[::1]", NULL));
    assert_false(allowed("sekisho.example:445", "sekisho.example:444", NULL));
    assert_false(allowed("sekisho.example.evil.example", "sekisho.example", NULL));
    assert_false(allowed("evil.example", "sekisho.example", NULL));
    assert_false(allowed("example", "sekisho.example", NULL));
    assert_false(allowed("sekisho.example:8470:8470", "sekisho.example", NULL));
    assert_false(allowed("", "", NULL));
    assert_false(allowed("", " , ", NULL));
    assert_false(allowed(":80", " , ", NULL));
    assert_false(allowed("sekisho.example, sekisho.example", "sekisho.example", NULL));
}

static void takes_the_addresses_that_it_listens_on(void **state)
{
    assert_true(allowed("127.0.0.1:8470", "", "127.0.0.1:8470"));
    assert_true(allowed("localhost:8470", "", "127.0.0.1:8470"));
    assert_true(allowed("192.0.2.7", "", "192.0.2.7:80"));
    assert_true(allowed("[2001:db8::1]:8470", "", "[2001:db8::1]:8470"));
    assert_false(allowed("127.0.0.1:8471", "", "127.0.0.1:8470"));
    assert_false(allowed("127.0.0.1", "", "127.0.0.1:8470"));
    assert_false(allowed("localhost:8470", "", "192.0.2.7:8470"));
    assert_false(allowed("2001:db8::1:8470", "", "[2001:db8::1]:8470"));
}

/* ---- Content-Type ---- */

static void knows_media_types(void **state)
{
    enum api_media media;

    assert_true(head_media(SPAN("application/json"), &media));
    assert_int_equal(media, MEDIA_JSON);
    assert_true(head_media(SPAN("Application/JSON; charset=UTF-8"), &media));
    assert_true(head_media(SPAN("text/csv;charset=\"utf-8\""), &media));
    assert_int_equal(media, MEDIA_CSV);
    assert_true(head_media(SPAN("text/csv; header=present"), &media));
    assert_true(head_media(SPAN(" application/x-www-form-urlencoded "), &media));
    assert_int_equal(media, MEDIA_FORM);
    assert_true(head_media(SPAN("application/merge-patch+json"), &media));
    assert_int_equal(media, MEDIA_PATCH);
    assert_true(head_media(SPAN("application/x-ndjson"), &media));
    assert_int_equal(media, MEDIA_NDJSON);
    assert_false(head_media(SPAN("application/json; charset=shift_jis"), &media));
    assert_false(head_media(SPAN("text/plain"), &media));
    assert_false(head_media(SPAN("application/jsonx"), &media));
    assert_false(head_media(SPAN(""), &media));
}

/* ---- wrong tokens ---- */

#define NS INT64_C(1000000000)

static struct address ip(const char *text)
{
    struct address address;

    assert_int_equal(address_parse_ip(span_of(text), &address, NULL), 0);
    return address;
}

static void slows_who_is_wrong_too_often(void **state)
{
    const unsigned char key[16] = {1};
    struct address one = ip("192.0.2.1");
    struct address other = ip("192.0.2.2");
    struct penalties *p;
    int64_t now = 1000 * NS;

    assert_int_equal(penalties_new(&p, key, NULL), 0);
    for (int i = 0; i < PENALTIES_BURST; i++)
        assert_int_equal(penalties_wrong(p, &one, now), 0);
    assert_int_equal(penalties_wrong(p, &one, now), PENALTIES_REFILL_S);
    assert_int_equal(penalties_wrong(p, &other, now), 0);
    now += NS;
    assert_int_equal(penalties_wrong(p, &one, now), PENALTIES_REFILL_S - 1);
    now += (PENALTIES_REFILL_S - 1) * NS;
    assert_int_equal(penalties_wrong(p, &one, now), 0);
    assert_int_equal(penalties_wrong(p, &one, now), PENALTIES_REFILL_S);
    now += 10 * PENALTIES_BURST * PENALTIES_REFILL_S * NS;
    for (int i = 0; i < PENALTIES_BURST; i++)
        assert_int_equal(penalties_wrong(p, &one, now), 0);
    assert_true(penalties_wrong(p, &one, now) > 0);
    penalties_free(p);
}

static void counts_ipv6_by_its_network(void **state)
{
    const unsigned char key[16] = {2};
    struct penalties *p;
    char text[40];
    unsigned wait = 0;

    assert_int_equal(penalties_new(&p, key, NULL), 0);
    for (int i = 0; i <= PENALTIES_BURST; i++) {
        struct address from;

        snprintf(text, sizeof(text), "2001:db8::%x", i + 1);
        from = ip(text);
        wait = penalties_wrong(p, &from, NS);
    }
    assert_int_equal(wait, PENALTIES_REFILL_S);
    struct address elsewhere = ip("2001:db8:0:1::1");
    assert_int_equal(penalties_wrong(p, &elsewhere, NS), 0);
    penalties_free(p);
}

static void many_sources_do_not_make_it_forget_a_busy_one(void **state)
{
    const unsigned char key[16] = {3};
    struct address busy = ip("192.0.2.1");
    struct penalties *p;
    char text[40];

    assert_int_equal(penalties_new(&p, key, NULL), 0);
    for (int i = 0; i < PENALTIES_BURST; i++)
        penalties_wrong(p, &busy, NS);
    for (int i = 0; i < 100000; i++) {
        struct address from;

        snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, (i >> 8) & 255, i & 255);
        from = ip(text);
        penalties_wrong(p, &from, NS);
    }
    assert_true(penalties_wrong(p, &busy, NS) > 0);
    penalties_free(p);
}

/* ---- the Unix socket ---- */

static char dir[] = "/tmp/sekisho-test-XXXXXX";
static char path[sizeof(dir) + 8];

static int make_dir(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/sekisho-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/s", dir);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(path);
    return rmdir(dir);
}

static void makes_a_socket_for_its_group_only(void **state)
{
    struct stat st;
    struct fault f;
    int fd;

    assert_int_equal(listener_unix(path, &fd, &f), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_true(S_ISSOCK(st.st_mode));
    listener_unlink(path, fd);
    close(fd);
    assert_int_equal(access(path, F_OK), -1);
}

static void leaves_a_socket_on_which_somebody_listens(void **state)
{
    struct fault f;
    int first;
    int second = -1;

    assert_int_equal(listener_unix(path, &first, &f), 0);
    assert_int_equal(listener_unix(path, &second, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "somebody listens"));
    assert_int_equal(second, -1);
    close(first);
}

static void replaces_what_a_dead_process_left(void **state)
{
    struct fault f;
    int fd;

    assert_int_equal(listener_unix(path, &fd, &f), 0);
    close(fd);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(listener_unix(path, &fd, &f), 0);
    close(fd);
}

static void leaves_a_file_that_is_no_socket(void **state)
{
    FILE *file = fopen(path, "w");
    struct fault f;
    int fd = -1;

    assert_non_null(file);
    fclose(file);
    assert_int_equal(listener_unix(path, &fd, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "no socket"));
    assert_int_equal(access(path, F_OK), 0);
}

static void removes_only_its_own_name(void **state)
{
    struct fault f;
    int old;
    int young;

    assert_int_equal(listener_unix(path, &old, &f), 0);
    unlink(path);
    assert_int_equal(listener_unix(path, &young, &f), 0);
    listener_unlink(path, old);
    assert_int_equal(access(path, F_OK), 0);
    close(old);
    close(young);
}

static void refuses_a_path_that_is_too_long(void **state)
{
    char longer[300];
    struct fault f;
    int fd = -1;

    memset(longer, 'a', sizeof(longer));
    longer[0] = '/';
    longer[sizeof(longer) - 1] = 0;
    assert_int_equal(listener_unix(longer, &fd, &f), ERR_RANGE);
    assert_int_equal(listener_unix("", &fd, &f), ERR_RANGE);
}

static void tells_a_port_that_is_in_use(void **state)
{
    struct sockaddr_storage ss;
    socklen_t length = sizeof(ss);
    struct address address;
    struct fault f;
    int first;
    int second = -1;

    assert_int_equal(address_parse(SPAN("127.0.0.1:0"), &address, &f), 0);
    assert_int_equal(listener_tcp(&address, "http.listen", &first, &f), 0);
    assert_int_equal(getsockname(first, (struct sockaddr *)&ss, &length), 0);
    address = address_of((struct sockaddr *)&ss);
    assert_int_equal(listener_tcp(&address, "http.listen", &second, &f), ERR_IO);
    assert_non_null(strstr(f.text, "Address already in use"));
    assert_non_null(strstr(f.text, "127.0.0.1:"));
    close(first);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(bounds_the_parameters),
        cmocka_unit_test(reads_json_lines),
        cmocka_unit_test(reads_csv),
        cmocka_unit_test(refuses_wrong_csv_by_line),
        cmocka_unit_test(takes_configured_hosts_only),
        cmocka_unit_test(takes_the_addresses_that_it_listens_on),
        cmocka_unit_test(knows_media_types),
        cmocka_unit_test(slows_who_is_wrong_too_often),
        cmocka_unit_test(counts_ipv6_by_its_network),
        cmocka_unit_test(many_sources_do_not_make_it_forget_a_busy_one),
        IN_DIR(makes_a_socket_for_its_group_only),
        IN_DIR(leaves_a_socket_on_which_somebody_listens),
        IN_DIR(replaces_what_a_dead_process_left),
        IN_DIR(leaves_a_file_that_is_no_socket),
        IN_DIR(removes_only_its_own_name),
        cmocka_unit_test(refuses_a_path_that_is_too_long),
        cmocka_unit_test(tells_a_port_that_is_in_use),
    };

    assert_int_equal(argc, 2);
    return cases_run(argv[1], target_case, fixed, sizeof(fixed) / sizeof(fixed[0]));
}
