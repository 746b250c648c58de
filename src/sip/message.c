/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/message.h"

#include "sip/scan.h"

#define CSEQ_MAX 0x7fffffff

/* Where the reading has come to. */
struct reader {
    const char *p, *end;
    uint32_t faults;
};

/* Takes one line off, without its end; with `folds` also the lines that continue it, which begin with
 * white space. Nothing continues an empty line: what follows is the body. */
static struct span odd_line(struct reader *r, bool folds)
{
    const char *start = r->p, *at = start, *stop;

    for (;;) {
        at = stop = scan_control(at, r->end);
        if (at == r->end) {
            r->faults |= SIP_NO_END;
            break;
        }
        if (*at == '\r' && at + 1 < r->end && at[1] == '\n') {
            at += 2;
        } else if (*at == '\n') {
            r->faults |= SIP_BARE_LF;
            at++;
        } else {
            r->faults |= *at == '\r' ? SIP_BARE_CR : *at ? SIP_CONTROL : SIP_NUL;
            at++;
            continue;
        }
        if (!folds || stop == start || at == r->end || (*at != ' ' && *at != '\t'))
            break;
    }
    r->p = at;
    return (struct span){start, (size_t)(stop - start)};
}

/* The same; nearly all lines are plain ones that end in CRLF, with another one behind them. */
static inline struct span next_line(struct reader *r, bool folds)
{
    const char *start = r->p, *stop = scan_control(start, r->end);

    if (r->end - stop < 3 || stop[0] != '\r' || stop[1] != '\n' ||
        (folds && (stop[2] == ' ' || stop[2] == '\t')))
        return odd_line(r, folds);
    r->p = stop + 2;
    return (struct span){start, (size_t)(stop - start)};
}

/* A line of a header field that is none of ours, or is not written as it should be: where its colon
 * stands; NULL where it is no "name: value". */
__attribute__((noinline)) static const char *other_header(struct span line, enum sip_header *header)
{
    const char *end = line.p + line.n, *colon = scan_either(line.p, end, ':', '\n');
    struct span name = {line.p, (size_t)(colon - line.p)};

    while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
        name.n--;
    *header = sip_header_find(name, end);
    /* A control can look like '-' to sip_header_find(). */
    return colon < end && *colon == ':' && field_is_token(name) ? colon : NULL;
}

/* As field_trim(): nearly all values have one space before them. */
static inline struct span trim(const char *p, const char *end)
{
    if (end - p > 1 && *p == ' ' && !field_is_space(p[1]) && !field_is_space(end[-1]))
        return (struct span){p + 1, (size_t)(end - p) - 1};
    return field_trim((struct span){p, (size_t)(end - p)});
}

/* Takes one header field off; false at the empty line, which is taken too, and at the end. What is no
 * header field is passed over. */
static inline bool next_header(struct reader *r, enum sip_header *header, struct span *value)
{
    while (r->p < r->end) {
        struct span line = next_line(r, true);
        const char *end = line.p + line.n;

        if (!line.n)
            return false;

        const char *colon = scan_near(line.p, r->end, ':');

        *header = colon < end
                      ? sip_header_find((struct span){line.p, (size_t)(colon - line.p)}, r->end)
                      : SIP_H_OTHER;
        if (*header == SIP_H_OTHER || r->faults)
            colon = other_header(line, header);
        if (colon) {
            *value = trim(colon + 1, end);
            return true;
        }
        r->faults |= SIP_HEADER_LINE;
    }
    r->faults |= SIP_NO_END;
    return false;
}

/* "SIP/2.0", or another version of it. */
static bool is_version(struct span s)
{
    if (s.n < 7 || !scan_same(s.p, "sip/", 4))
        return false;
    for (size_t i = 4; i < s.n; i++)
        if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '.')
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span first_word(struct span s)
{
    const char *end = scan_either(s.p, s.p + s.n, ' ', '\t');

    return (struct span){s.p, (size_t)(end - s.p)};
}

static struct span last_word(struct span s)
{
    const char *end = s.p + s.n, *p = end;

    while (p > s.p && !is_blank(p[-1]))
        p--;
    return (struct span){p, (size_t)(end - p)};
}

/* Takes the first word off, and the white space behind it. */
static struct span take_word(struct span *s, uint32_t *faults)
{
    struct span word = first_word(*s);
    const char *end = s->p + s->n, *p = word.p + word.n, *next = p;

    while (next < end && is_blank(*next))
        next++;
    if (next - p > 1 || (p < end && *p == '\t'))
        *faults |= SIP_START_LINE;
    *s = (struct span){next, (size_t)(end - next)};
    return word;
}

/* Takes the start line off and learns where its version stands; false where it is none. A status line
 * has its status behind the version. */
static bool take_start_line(struct reader *r, struct span *line, bool *request,
                            struct span *version)
{
    *line = next_line(r, false);
    while (line->n && is_blank(line->p[0])) {
        *line = span_skip(*line, 1);
        r->faults |= SIP_START_LINE;
    }
    *request = line->n < 4 || !scan_same(line->p, "sip/", 4);
    *version = *request ? last_word(span_trim(*line)) : first_word(*line);
    return is_version(*version) && (*request || span_trim(*line).n > version->n);
}

static void read_status_line(struct sip_message *m, struct span line)
{
    struct span code;
    uint32_t status;

    take_word(&line, &m->faults);
    code = take_word(&line, &m->faults);
    if (code.n == 3 && field_number(code, 699, &status) == 0 && status >= 100)
        m->status = status;
    else
        m->faults |= SIP_STATUS;
    m->reason = line;
}

/* The URI is what stands between the first word and the last, though spaces were in it. */
static void read_request_line(struct sip_message *m, struct span line)
{
    const char *last = m->version.p;
    bool exact;

    if (last + m->version.n != line.p + line.n)
        m->faults |= SIP_START_LINE;
    m->method_name = take_word(&line, &m->faults);
    if (line.p <= last)
        m->uri = span_trim((struct span){line.p, (size_t)(last - line.p)});
    if (!field_is_token(m->method_name) || !m->uri.n || m->uri.p + m->uri.n + 1 != last ||
        scan_either(m->uri.p, last - 1, ' ', '\t') != last - 1)
        m->faults |= SIP_START_LINE;
    m->method = sip_method_find(m->method_name, &exact);
    if (!exact)
        m->faults |= SIP_METHOD_CASE;
}

static void read_cseq(struct sip_message *m)
{
    struct span value = sip_message_get(m, SIP_H_CSEQ), number = value;
    bool exact;

    if (!value.n)
        return;
    for (number.n = 0; number.n < value.n && !field_is_space(value.p[number.n]); number.n++)
        ;
    m->cseq_name = field_trim(span_skip(value, number.n));
    if (field_number(number, CSEQ_MAX, &m->cseq) || !field_is_token(m->cseq_name))
        m->faults |= SIP_CSEQ;
    if (m->request) {
        if (!span_eq(m->cseq_name, m->method_name))
            m->faults |= SIP_CSEQ_METHOD;
        return;
    }
    m->method_name = m->cseq_name;
    m->method = sip_method_find(m->cseq_name, &exact);
    if (!exact)
        m->faults |= SIP_METHOD_CASE;
}

static void read_body(struct sip_message *m, struct span behind)
{
    struct span value = sip_message_get(m, SIP_H_CONTENT_LENGTH);

    if (sip_message_count(m, SIP_H_CONTENT_LENGTH) == 1) {
        int rc = field_number(value, INT32_MAX, &m->length);

        /* So long a number is a length all the same: one that is not here. */
        if (rc == ERR_RANGE)
            m->length = INT32_MAX;
        m->has_length = rc != ERR_SYNTAX;
        if (!m->has_length)
            m->faults |= SIP_CONTENT_LENGTH;
        else if (m->length > behind.n)
            m->faults |= SIP_BODY_CUT;
    }
    m->body = behind;
    if (m->has_length && m->length < behind.n)
        m->body.n = m->length;
    m->rest = span_skip(behind, m->body.n);
}

static void read_headers(struct sip_message *m, struct reader *r)
{
    enum sip_header header;
    struct span value;
    unsigned n = 0;

    while (next_header(r, &header, &value)) {
        if (++n > SIP_HEADERS_MAX)
            r->faults |= SIP_TOO_MANY;
        if (header == SIP_H_OTHER)
            continue;
        if (m->count[header]++ == 0) {
            m->first[header].at = (uint16_t)(value.p - m->whole.p);
            m->first[header].n = (uint16_t)value.n;
        } else if (sip_header_is_single(header)) {
            m->faults |= SIP_REPEATED;
        }
    }
}

static void check_presence(struct sip_message *m)
{
    static const enum sip_header needed[] = {SIP_H_VIA, SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID,
                                             SIP_H_CSEQ};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!m->first[needed[i]].n)
            m->faults |= SIP_MISSING;
}

int sip_message_read(struct sip_message *out, struct span bytes)
{
    struct reader r = {bytes.p, bytes.p + bytes.n, 0};
    struct span line, version;
    bool request;

    if (bytes.n > SIP_MESSAGE_MAX)
        return ERR_RANGE;
    while (r.p < r.end && (*r.p == '\r' || *r.p == '\n'))
        r.p++;
    if (r.p == r.end)
        return ERR_MISSING;

    struct span whole = {r.p, (size_t)(r.end - r.p)};

    if (!take_start_line(&r, &line, &request, &version))
        return ERR_SYNTAX;
    /* From here on it cannot fail. */
    *out = (struct sip_message){.whole = whole, .request = request, .version = version};
    if (version.n != 7 || memcmp(version.p + 4, "2.0", 3) != 0)
        out->faults |= SIP_VERSION;
    if (request)
        read_request_line(out, line);
    else
        read_status_line(out, line);
    read_headers(out, &r);
    out->head = (struct span){whole.p, (size_t)(r.p - whole.p)};
    out->faults |= r.faults;
    check_presence(out);
    read_cseq(out);
    read_body(out, (struct span){r.p, (size_t)(r.end - r.p)});
    return 0;
}

const char *sip_message_fault_text(uint32_t faults)
{
    static const char *const texts[] = {
        "a start line with odd spaces, or a method that is no token",
        "a version that is not SIP/2.0",
        "a status that is not 100 to 699",
        "a method in another case",
        "a line that is no header field",
        "more header fields than 256",
        "no empty line behind the header",
        "a CR without LF",
        "an LF without CR",
        "a NUL in the header",
        "a control byte in the header",
        "a header field twice that may stand once",
        "no Via, From, To, Call-ID or CSeq",
        "a CSeq that is not a number and a method",
        "a CSeq of another method than the request's",
        "a Content-Length that is no number",
        "a Content-Length beyond what came",
    };

    return faults ? texts[__builtin_ctz(faults)] : "";
}

struct sip_values sip_values(const struct sip_message *m, enum sip_header header)
{
    struct sip_values v = {.header = header, .lines = m->count[header]};

    if (v.lines) {
        size_t at = m->first[header].at, n = m->first[header].n;

        v.line = (struct span){m->whole.p + at, n};
        v.below = (struct span){v.line.p + n, m->head.n - at - n};
    }
    return v;
}

/* Goes to the next line of this name. What is read here was read once before: faults are known. */
static void go_below(struct sip_values *v)
{
    struct reader r = {v->below.p, v->below.p + v->below.n, 0};
    enum sip_header header;

    if (--v->lines == 0)
        return;
    next_line(&r, true); /* what was trimmed off the last value, and its line end */
    while (next_header(&r, &header, &v->line)) {
        if (header == v->header) {
            v->below =
                (struct span){v->line.p + v->line.n, (size_t)(r.end - v->line.p) - v->line.n};
            return;
        }
    }
    v->lines = 0;
}

bool sip_values_line(struct sip_values *v, struct span *line)
{
    if (!v->lines)
        return false;
    *line = v->line;
    go_below(v);
    return true;
}

bool sip_values_next(struct sip_values *v, struct span *value)
{
    while (v->lines) {
        if (field_next(&v->line, value))
            return true;
        go_below(v);
    }
    return false;
}

bool sip_message_lists(const struct sip_message *m, enum sip_header header, struct span option)
{
    struct sip_values v = sip_values(m, header);
    struct span value;

    while (sip_values_next(&v, &value))
        if (span_eq_nocase(value, option))
            return true;
    return false;
}

unsigned sip_message_named(const struct sip_message *m, struct span name, struct span *value)
{
    struct reader r = {m->head.p, m->head.p + m->head.n, 0};
    unsigned n = 0;

    next_line(&r, false);
    while (r.p < r.end) {
        struct span line = next_line(&r, true), behind;
        struct span front = span_cut(line, ':', &behind);

        if (!line.n)
            break;
        if (behind.p && span_eq_nocase(span_trim(front), name) && n++ == 0)
            *value = field_trim(behind);
    }
    return n;
}
