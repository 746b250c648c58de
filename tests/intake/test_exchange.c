/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and replies, and the attempts that they are. The words of exchange.cases:
 *
 *     > METHOD SOURCE CALL-ID CSEQ word...      to the switch; words: user= nonce= response= realm= algorithm=
 *                                               userhash (credentials), and= (a second nonce, in a line of its own),
 *                                               proxy (in Proxy-Authorization), from= ua= dialled= branch= tag= (of To),
 *                                               cut (in the header), tcp, tls (with `unproved` for a sender that is not)
 *     < STATUS METHOD DESTINATION CALL-ID CSEQ word...   from it; nonce= realm= stale; branch=, tag=, tcp, tls;
 *                                               first=ALGORITHM: before that challenge another, of first-nonce= (else
 *                                               the same) and first-realm= (likewise); joined: both in one line
 *     raw SOURCE BYTES                           a datagram to the switch as it is; ~ is a line end, | a CR
 *     wait SECONDS
 *
 * and what comes out: outcome, proof, method, account ("-": none), source, and the dialled number of a call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
/* clang-format off: cmocka.h needs the four above */
#include <cmocka.h>
/* clang-format on */

#include "cases.h"
#include "craft.h"
#include "intake/exchange.h"
#include "intake/nonces.h"

#define WALL_S INT64_C(1795500000) /* the nonces of a second in the cases are of then */

struct run {
    struct exchange *exchange;
    struct instant now;
    struct buf out;
};

static void give(void *context, const struct attempt *a)
{
    struct run *r = context;
    char text[ADDRESS_TEXT_MAX];

    assert_int_equal(a->switch_id, 7);
    assert_int_equal(a->witness, WITNESS_WIRE);
    buf_printf(&r->out, "%s %s %s %s %s", outcome_name(a->outcome), proof_name(a->proof),
               method_name(a->method), a->account.n ? ESCAPED(a->account) : "-",
               address_ip_text(&a->source, text));
    if (a->dialled.n)
        buf_printf(&r->out, " %s", ESCAPED(a->dialled));
    buf_puts(&r->out, a->doubtful ? " doubtful\n" : "\n");
}

static struct exchange *make(struct run *r, size_t request_buckets, size_t nonce_buckets)
{
    struct exchange_config config = {
        .witness = WITNESS_WIRE,
        .request_buckets = request_buckets,
        .nonce_buckets = nonce_buckets,
        .key = "exchange",
        .give = give,
        .context = r,
    };

    return exchange_new(&config);
}

/* The value of `name=` among the words; `otherwise` where it is not there. */
static struct span word(struct span words, const char *name, const char *otherwise)
{
    while (words.n) {
        struct span one = span_cut(words, ' ', &words), value = {NULL, 0};
        struct span left = span_cut(one, '=', &value);

        if (span_is(left, name))
            return value.p ? value : SPAN("yes");
    }
    return span_of(otherwise);
}

static void header(struct buf *b, const char *name, struct span value)
{
    if (value.p)
        buf_printf(b, "%s: %.*s\r\n", name, SPAN_FMT(value));
}

static void common(struct buf *b, struct span call, struct span cseq, struct span method,
                   struct span words)
{
    struct span tag = word(words, "tag", NULL), branch = word(words, "branch", NULL);

    buf_printf(b, "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%.*s%.*s%.*s\r\n",
               SPAN_FMT(branch.p ? branch : call), SPAN_FMT(cseq), SPAN_FMT(method));
    buf_printf(b, "From: <sip:%.*s@pbx>;tag=1\r\n", SPAN_FMT(word(words, "from", "1001")));
    buf_printf(b, "To: <sip:1001@pbx>%s%.*s\r\n", tag.p ? ";tag=" : "", SPAN_FMT(tag));
    buf_printf(b, "Call-ID: %.*s\r\nCSeq: %.*s %.*s\r\n", SPAN_FMT(call), SPAN_FMT(cseq),
               SPAN_FMT(method));
}

static void deliver(struct run *r, enum exchange_way way, const char *remote, struct span words,
                    struct span bytes)
{
    bool tcp = word(words, "tcp", NULL).p, tls = word(words, "tls", NULL).p;
    char *exact = malloc(bytes.n ? bytes.n : 1);
    struct address there = craft_address(remote), here = craft_address("198.51.100.1:5060");
    struct exchange_message m = {
        .at = r->now,
        .switch_id = 7,
        .way = way,
        .from = way == EXCHANGE_IN ? there : here,
        .to = way == EXCHANGE_IN ? here : there,
        .transport = tls   ? TRANSPORT_TLS
                     : tcp ? TRANSPORT_TCP
                           : TRANSPORT_UDP,
        .cut = word(words, "cut", NULL).p != NULL,
        .proved = (tcp || tls) && !word(words, "unproved", NULL).p,
        .bytes = {exact, bytes.n},
    };

    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    exchange_take(r->exchange, &m);
    free(exact);
}

static char *host(struct span address, char out[80])
{
    snprintf(out, 80, memchr(address.p, ':', address.n) ? "[%.*s]:5061" : "%.*s:5061",
             SPAN_FMT(address));
    return out;
}

static void credentials(struct buf *b, struct span line, struct span nonce)
{
    struct span algorithm = word(line, "algorithm", NULL);

    buf_printf(b,
               "%s: Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"sip:pbx\", "
               "response=\"%.*s\"",
               word(line, "proxy", NULL).p ? "Proxy-Authorization" : "Authorization",
               SPAN_FMT(word(line, "user", "")), SPAN_FMT(word(line, "realm", "pbx")),
               SPAN_FMT(nonce), SPAN_FMT(word(line, "response", "r")));
    if (algorithm.p)
        buf_printf(b, ", algorithm=%.*s, qop=auth, nc=00000001, cnonce=\"c\"", SPAN_FMT(algorithm));
    buf_puts(b, word(line, "userhash", NULL).p ? ", userhash=true\r\n" : "\r\n");
}

/* `first`: its algorithm; NULL for the one that always was there. */
static void challenge(struct buf *b, struct span line, struct span first)
{
    struct span realm = word(line, "realm", "pbx"), nonce = word(line, "nonce", NULL);

    if (first.p && word(line, "first-realm", NULL).p)
        realm = word(line, "first-realm", NULL);
    if (first.p && word(line, "first-nonce", NULL).p)
        nonce = word(line, "first-nonce", NULL);
    buf_printf(b, "Digest realm=\"%.*s\", nonce=\"%.*s\"%s", SPAN_FMT(realm), SPAN_FMT(nonce),
               word(line, "stale", NULL).p ? ", stale=true" : "");
    if (first.p)
        buf_printf(b, ", algorithm=%.*s, qop=\"auth,auth-int\"", SPAN_FMT(first));
}

static void challenges(struct buf *b, const char *name, struct span line)
{
    struct span first = word(line, "first", NULL);

    buf_printf(b, "%s: ", name);
    if (first.p) {
        challenge(b, line, first);
        if (word(line, "joined", NULL).p)
            buf_puts(b, ", ");
        else
            buf_printf(b, "\r\n%s: ", name);
    }
    challenge(b, line, (struct span){NULL, 0});
    buf_puts(b, "\r\n");
}

static void asks(struct run *r, struct span line)
{
    struct span method = span_cut(line, ' ', &line), source = span_cut(line, ' ', &line);
    struct span call = span_cut(line, ' ', &line), cseq = span_cut(line, ' ', &line);
    struct span user = word(line, "user", NULL);
    struct buf b = {0};
    char remote[80];

    buf_printf(&b, "%.*s sip:%.*s@pbx SIP/2.0\r\n", SPAN_FMT(method),
               SPAN_FMT(word(line, "dialled", "100")));
    common(&b, call, cseq, method, line);
    header(&b, "User-Agent", word(line, "ua", NULL));
    if (user.p) {
        credentials(&b, line, word(line, "nonce", ""));
        if (word(line, "and", NULL).p)
            credentials(&b, line, word(line, "and", NULL));
    }
    buf_puts(&b, "Content-Length: 0\r\n");
    if (!word(line, "cut", NULL).p)
        buf_puts(&b, "\r\n");
    deliver(r, EXCHANGE_IN, host(source, remote), line, buf_span(&b));
    buf_free(&b);
}

static void answers(struct run *r, struct span line)
{
    struct span status = span_cut(line, ' ', &line), method = span_cut(line, ' ', &line);
    struct span to = span_cut(line, ' ', &line);
    struct span call = span_cut(line, ' ', &line), cseq = span_cut(line, ' ', &line);
    struct buf b = {0};
    char remote[80];

    buf_printf(&b, "SIP/2.0 %.*s Reason\r\n", SPAN_FMT(status));
    common(&b, call, cseq, method, line);
    if (word(line, "nonce", NULL).p)
        challenges(&b, span_is(status, "407") ? "Proxy-Authenticate" : "WWW-Authenticate", line);
    buf_puts(&b, "Content-Length: 0\r\n\r\n");
    deliver(r, EXCHANGE_OUT, host(to, remote), line, buf_span(&b));
    buf_free(&b);
}

static void raw(struct run *r, struct span line)
{
    struct span source = span_cut(line, ' ', &line);
    struct buf b = {0};
    char remote[80];

    for (size_t i = 0; i < line.n; i++)
        buf_add(&b, line.p[i] == '~'   ? SPAN("\r\n")
                    : line.p[i] == '|' ? SPAN("\r")
                                       : (struct span){line.p + i, 1});
    deliver(r, EXCHANGE_IN, host(source, remote), SPAN(""), buf_span(&b));
    buf_free(&b);
}

static void one_case(void **state)
{
    struct test_case *c = *state;
    struct run r = {.now = {.boot_ns = 1000000000, .wall_ms = WALL_S * 1000}};
    struct span lines = buf_span(&c->in);

    r.exchange = make(&r, 4, 4);
    assert_non_null(r.exchange);
    buf_puts(&r.out, "");
    while (lines.n) {
        struct span line = span_cut(lines, '\n', &lines), rest;
        struct span verb = span_cut(line, ' ', &rest);

        if (span_is(verb, ">")) {
            asks(&r, rest);
        } else if (span_is(verb, "<")) {
            answers(&r, rest);
        } else if (span_is(verb, "raw")) {
            raw(&r, rest);
        } else if (span_is(verb, "wait")) {
            for (long s = strtol(rest.p, NULL, 10); s > 0; s--) {
                r.now.boot_ns += 1000000000;
                exchange_tick(r.exchange, r.now);
            }
        } else if (verb.n) {
            fail_msg("no such verb: %.*s", SPAN_FMT(verb));
        }
        r.now.boot_ns += 1000000;
    }
    assert_string_equal(r.out.p, c->out.p);
    exchange_free(r.exchange);
    buf_free(&r.out);
}

/* ---- what needs more than a few lines ---- */

static void line(struct run *r, const char *text)
{
    struct span rest, verb = span_cut(span_of(text), ' ', &rest);

    if (span_is(verb, ">"))
        asks(r, rest);
    else
        answers(r, rest);
}

/* A guess is on its way when a flood fills the table: the account's count stands, no address is blamed. */
static void a_flood_hides_nothing(void **state)
{
    struct run r = {.now = {.boot_ns = 1}};
    char text[128];

    r.exchange = make(&r, 1, 64);
    line(&r, "> REGISTER 192.0.2.1 a 1");
    line(&r, "< 401 REGISTER 192.0.2.1 a 1 nonce=N");
    line(&r, "> REGISTER 192.0.2.1 a 2 user=1001 nonce=N");
    buf_clear(&r.out);
    for (int i = 0; i < 1000; i++) { /* invented nonces push each other out */
        snprintf(text, sizeof(text), "> REGISTER 203.0.113.9 f%d 1 user=1001 nonce=X", i);
        r.now.boot_ns++;
        line(&r, text);
    }
    assert_int_equal(r.out.n, 0);
    assert_true(exchange_figures(r.exchange)->pushed_out > 900);
    line(&r, "< 401 REGISTER 192.0.2.1 a 2 nonce=N2");
    assert_string_equal(r.out.p, "wrong-credentials proved REGISTER 1001 192.0.2.1\n");
    exchange_free(r.exchange);
    buf_free(&r.out);
}

/* And one whose sender is proved is pushed out by none but such. */
static void pushed_out_by_the_proved(void **state)
{
    struct run r = {.now = {.boot_ns = 1}};
    char text[128];

    r.exchange = make(&r, 1, 64);
    for (int i = 0; i < 9; i++) {
        snprintf(text, sizeof(text), "< 401 REGISTER 192.0.2.%d c%d 1 nonce=N%d", i, i, i);
        r.now.boot_ns++;
        line(&r, text);
        snprintf(text, sizeof(text), "> REGISTER 192.0.2.%d c%d 2 user=%d nonce=N%d", i, i, i, i);
        line(&r, text);
    }
    assert_string_equal(r.out.p, "wrong-credentials elsewhere REGISTER 0 192.0.2.0\n");
    exchange_free(r.exchange);
    buf_free(&r.out);
}

/* Who lets a flood push out his own request, and asks for another account in its place, gets what the switch says to the
 * first. It is told, since it may be a thief's, and makes nobody known good. */
static void a_flood_forges_no_success(void **state)
{
    char text[128];

    for (int waits = 0; waits < 2; waits++) {
        struct run r = {.now = {.boot_ns = 1}};

        r.exchange = make(&r, 1, 64);
        line(&r, "< 401 REGISTER 192.0.2.1 a 1 nonce=N");
        line(&r, "> REGISTER 192.0.2.1 a 2 user=own nonce=N");
        if (!waits)
            line(&r, "< 200 REGISTER 192.0.2.1 a 2");
        for (int i = 0; i < 9; i++) {
            r.now.boot_ns++;
            snprintf(text, sizeof(text), "> REGISTER 192.0.2.1 f%d 2 user=own nonce=N response=%d",
                     i, i);
            line(&r, text);
            if (!waits) {
                snprintf(text, sizeof(text), "< 200 REGISTER 192.0.2.1 f%d 2", i);
                line(&r, text);
            }
        }
        line(&r, "> REGISTER 192.0.2.1 a 2 user=1001 nonce=N response=x");
        buf_clear(&r.out);
        line(&r, "< 200 REGISTER 192.0.2.1 a 2");
        assert_string_equal(r.out.p, "success proved REGISTER 1001 192.0.2.1 doubtful\n");
        buf_clear(&r.out);
        r.now.boot_ns += INT64_C(73000000000);
        line(&r, "> REGISTER 192.0.2.1 a 2 user=1001 nonce=N response=y");
        line(&r, "< 200 REGISTER 192.0.2.1 a 2");
        assert_string_equal(r.out.p, "success proved REGISTER 1001 192.0.2.1\n");
        exchange_free(r.exchange);
        buf_free(&r.out);
    }
}

/* What a real Asterisk answered: asterisk-22.md. */
static void the_capture(void **state)
{
    struct run r = {.now = {.boot_ns = 0}};
    struct capture c;
    struct span packet;
    struct buf expected = {0};
    int64_t first = 0, last = 0;

    r.exchange = make(&r, 64, 64);
    capture_open(&c, getenv("ASTERISK_PCAP"));
    craft_file(&expected, getenv("ASTERISK_ATTEMPTS"));
    while (capture_next(&c, &packet, &r.now.boot_ns)) {
        bool out = packet.p[10] == 4;
        struct exchange_message m = {
            .at = r.now,
            .switch_id = 7,
            .way = out ? EXCHANGE_OUT : EXCHANGE_IN,
            .from = {.family = 4},
            .to = {.family = 4},
            .transport = TRANSPORT_UDP,
            .bytes = span_skip(packet, 48),
        };

        if (packet.p[29] != 17) /* ICMP */
            continue;
        memcpy(m.from.ip, packet.p + 32, 4);
        memcpy(m.to.ip, packet.p + 36, 4);
        first = first ? first : r.now.boot_ns;
        if (r.now.boot_ns - last > 1000000000) {
            exchange_tick(r.exchange, r.now);
            last = r.now.boot_ns;
        }
        exchange_take(r.exchange, &m);
    }
    r.now.boot_ns += 40 * INT64_C(1000000000);
    exchange_tick(r.exchange, r.now);
    if (getenv("SHOW_ATTEMPTS"))
        fprintf(stderr, "%s", r.out.p);
    assert_string_equal(r.out.p, expected.p);
    assert_int_equal(exchange_figures(r.exchange)->orphans, 0);
    exchange_free(r.exchange);
    buf_free(&r.out);
    buf_free(&expected);
    buf_free(&c.file);
}

static void a_nonce_that_is_only_times_is_everybodys(void **state)
{
    static const struct {
        const char *what, *nonce;
        bool is;
    } cases[] = {
        {"Kamailio, a minute", "awUoHGsFJ+AwMTIzNDU2Nzg5YWJjZGVm", true},
        {"OpenSER, five minutes, its clock an hour behind", "awUa/GsFGdAwMTIzNDU2Nzg5YWJjZGVm",
         true},
        {"a letter more", "awUoHGsFJ+AwMTIzNDU2Nzg5YWJjZGVmA", false},
        {"a letter less", "awUoHGsFJ+AwMTIzNDU2Nzg5YWJjZGV", false},
        {"not base64", "awUoHGsFJ+AwMTIzNDU2Nzg5YWJjZGV-", false},
        {"two days ago", "awKFHGsChOAwMTIzNDU2Nzg5YWJjZGVm", false},
        {"in two days", "awfLHGsHyuAwMTIzNDU2Nzg5YWJjZGVm", false},
        {"ends before it begins", "awUn32sFJ+AwMTIzNDU2Nzg5YWJjZGVm", false},
        {"good for a week", "aw5iYGsFJ+AwMTIzNDU2Nzg5YWJjZGVm", false},
        {"with a number of its own (nonce_count)",
         "awUoHGsFJ+AwMTIzNDU2Nzg5YWJjZGVmAAAAAUA=", false},
        {"Asterisk's", "1795500000/0123456789abcdef0123456789abcdef", false},
        {"32 of hexadecimal", "0123456789abcdef0123456789abcdef", false},
        {"nothing", "", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (nonces_of_second(span_of(cases[i].nonce), WALL_S) != cases[i].is)
            fail_msg("%s: %s", cases[i].what, cases[i].nonce);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_hides_nothing),
        cmocka_unit_test(pushed_out_by_the_proved),
        cmocka_unit_test(a_flood_forges_no_success),
        cmocka_unit_test(the_capture),
        cmocka_unit_test(a_nonce_that_is_only_times_is_everybodys),
    };

    return cases_run(argv[1], one_case, tests, sizeof(tests) / sizeof(tests[0]));
}
