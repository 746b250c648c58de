/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/stream.h"

/* No start line that somebody sends in earnest is longer. */
#define START_LINE_MAX 4096

/* How many bytes of line ends stand in front; a CR alone at the end may become one. */
static size_t line_ends(struct span s)
{
    size_t n = 0;

    while (n < s.n && (s.p[n] == '\n' || (s.p[n] == '\r' && n + 1 < s.n && s.p[n + 1] == '\n')))
        n++;
    return n;
}

/* Behind the empty line that ends the header, as sip_message_read() sees it: an LF, then LF or CRLF. 0
 * where there is none yet. */
static size_t header_end(struct sip_stream *s, struct span bytes)
{
    const char *end = bytes.p + bytes.n, *p = bytes.p + s->looked;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        if (end - p > 1 && p[1] == '\n')
            return (size_t)(p - bytes.p) + 2;
        if (end - p > 2 && p[1] == '\r' && p[2] == '\n')
            return (size_t)(p - bytes.p) + 3;
        if (end - p < 2 || (end - p == 2 && p[1] == '\r'))
            break;
        p++;
    }
    s->looked = p ? (size_t)(p - bytes.p) : bytes.n;
    return 0;
}

/* Learns from the whole header how long the message is. */
static bool learn_length(struct sip_stream *s, struct span header)
{
    struct sip_message m;

    if (sip_message_read(&m, header) || m.faults & SIP_NO_END || m.head.n != header.n)
        return false;
    if (!m.has_length || m.length > SIP_MESSAGE_MAX - header.n) {
        s->header = header.n;
        return false;
    }
    s->needed = header.n + m.length;
    return true;
}

/* What begins no message need not be waited for: TLS, RTP, a shell. LOST, MORE, or MESSAGE for a start
 * line that is one. */
static enum sip_stream_found begin(struct sip_stream *s, struct span bytes)
{
    const char *newline = memchr(bytes.p + s->looked, '\n', bytes.n - s->looked);
    struct sip_message m;

    if (!field_is_token_byte(bytes.p[0]))
        return SIP_STREAM_LOST;
    if (!newline) {
        s->looked = bytes.n;
        return bytes.n < SIP_MESSAGE_MAX ? SIP_STREAM_MORE : SIP_STREAM_LOST;
    }
    if (sip_message_read(&m, (struct span){bytes.p, (size_t)(newline - bytes.p) + 1}))
        return SIP_STREAM_LOST;
    s->begun = true;
    s->looked = (size_t)(newline - bytes.p);
    return SIP_STREAM_MESSAGE;
}

enum sip_stream_found sip_stream_next(struct sip_stream *s, struct span bytes,
                                      struct sip_message *out, size_t *used)
{
    *used = 0;
    if (!s->begun) {
        size_t n = line_ends(bytes);

        if (n) {
            *used = n;
            return SIP_STREAM_KEEPALIVE;
        }
        if (!bytes.n || (bytes.n == 1 && bytes.p[0] == '\r'))
            return SIP_STREAM_MORE;

        enum sip_stream_found found = begin(s, bytes);

        if (found != SIP_STREAM_MESSAGE)
            return found;
    }
    if (!s->needed) {
        size_t n = header_end(s, bytes);

        if (n > SIP_MESSAGE_MAX || (!n && bytes.n >= SIP_MESSAGE_MAX))
            return SIP_STREAM_LOST;
        if (!n)
            return SIP_STREAM_MORE;
        if (!learn_length(s, (struct span){bytes.p, n}))
            return SIP_STREAM_LOST;
    }
    if (bytes.n < s->needed)
        return SIP_STREAM_MORE;
    if (sip_message_read(out, (struct span){bytes.p, s->needed}))
        return SIP_STREAM_LOST;
    *used = s->needed;
    *s = (struct sip_stream){0};
    return SIP_STREAM_MESSAGE;
}

static bool looks_like_start(struct span line)
{
    struct sip_message m;

    return sip_message_read(&m, line) == 0 &&
           !(m.faults & (SIP_START_LINE | SIP_VERSION | SIP_STATUS));
}

size_t sip_stream_resume(struct sip_stream *s, struct span bytes)
{
    const char *end = bytes.p + bytes.n, *p = bytes.p, *newline;

    *s = (struct sip_stream){0};
    if (!bytes.n)
        return 0;
    while ((newline = memchr(p, '\n', (size_t)(end - p)))) {
        struct span line = {p, (size_t)(newline - p) + 1};

        if (p > bytes.p && looks_like_start(line))
            return (size_t)(p - bytes.p);
        p = newline + 1;
        if (p == end)
            break;
    }
    return p > bytes.p && end - p <= START_LINE_MAX ? (size_t)(p - bytes.p) : bytes.n;
}
