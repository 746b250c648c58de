/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/mail.h"

#include <inttypes.h>
#include <time.h>

#include "base/utf8.h"

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct buf *out, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        uint32_t three = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
                         (i + 2 < n ? p[i + 2] : 0);

        buf_putc(out, base64[three >> 18]);
        buf_putc(out, base64[three >> 12 & 63]);
        buf_putc(out, i + 1 < n ? base64[three >> 6 & 63] : '=');
        buf_putc(out, i + 2 < n ? base64[three & 63] : '=');
    }
}

/* ---- header fields -------------------------------------------------------------------------- */

/* Printable, and nothing that a reader might take for an encoded word. */
static bool plain(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~' ||
            (text.p[i] == '=' && i + 1 < text.n && text.p[i + 1] == '?'))
            return false;
    return true;
}

static void fold_plain(struct span text, size_t used, struct buf *out)
{
    size_t column = used;

    while (text.n) {
        struct span rest, word = span_cut(text, ' ', &rest);

        if (column > used && column + 1 + word.n > MAIL_LINE_MAX && word.n) {
            buf_puts(out, "\r\n ");
            column = 1;
        } else if (column > used) {
            buf_putc(out, ' ');
            column++;
        }
        buf_add(out, word);
        column += word.n ? word.n : 1;
        text = rest;
    }
}

/* Words of whole characters, at most 45 bytes of them: 60 of base64, 72 with what stands around (RFC 2047, 2). */
static void encode_words(struct span text, size_t used, struct buf *out)
{
    bool first = true;

    while (text.n) {
        size_t most = first && used + 72 > MAIL_LINE_MAX
                          ? used + 20 < MAIL_LINE_MAX ? (MAIL_LINE_MAX - 12 - used) / 4 * 3 : 4
                          : 45;
        size_t n = 0;
        uint32_t c;

        for (size_t one; n < text.n; n += one) {
            one = utf8_decode(span_skip(text, n), &c);
            one = one ? one : 1;
            if (n + one > most && n)
                break;
        }
        buf_puts(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        add_base64(out, (const unsigned char *)text.p, n);
        buf_puts(out, "?=");
        text = span_skip(text, n);
        first = false;
    }
}

void mail_words(struct span text, size_t used, struct buf *out)
{
    if (plain(text) && text.n < 900)
        fold_plain(text, used, out);
    else
        encode_words(text, used, out);
}

static void field(struct buf *out, const char *name, struct span text)
{
    buf_printf(out, "%s: ", name);
    mail_words(text, strlen(name) + 2, out);
    buf_puts(out, "\r\n");
}

/* A display name is quoted, or encoded: commas and angles in it mean nothing then. */
static void from_field(struct buf *out, const struct mail *mail)
{
    buf_puts(out, "From: ");
    if (mail->from_name.n && plain(mail->from_name) && mail->from_name.n < 60) {
        buf_putc(out, '"');
        for (size_t i = 0; i < mail->from_name.n; i++) {
            if (mail->from_name.p[i] == '"' || mail->from_name.p[i] == '\\')
                buf_putc(out, '\\');
            buf_putc(out, mail->from_name.p[i]);
        }
        buf_puts(out, "\"\r\n ");
    } else if (mail->from_name.n) {
        encode_words(mail->from_name, strlen("From: "), out);
        buf_puts(out, "\r\n ");
    }
    buf_printf(out, "<%.*s>\r\n", SPAN_FMT(mail->from));
}

/* Not by strftime(): names of days and months are English whatever the locale. */
static void date_field(struct buf *out, int64_t date_s)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)date_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return;
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
               months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- bodies --------------------------------------------------------------------------------- */

static void body_base64(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i += 57) {
        size_t n = text.n - i < 57 ? text.n - i : 57;

        add_base64(out, (const unsigned char *)text.p + i, n);
        buf_puts(out, "\r\n");
    }
}

/* One byte as it stands in quoted-printable (RFC 2045, 6.7); `last`: at the end of its line. */
static size_t quoted(unsigned char c, bool last, char unit[4])
{
    static const char hex[] = "0123456789ABCDEF";
    bool as_it_is = (c > ' ' && c <= '~' && c != '=') || ((c == ' ' || c == '\t') && !last);

    unit[0] = as_it_is ? (char)c : '=';
    unit[1] = hex[c >> 4];
    unit[2] = hex[c & 15];
    return as_it_is ? 1 : 3;
}

static void body_quoted(struct buf *out, struct span text)
{
    size_t column = 0;
    char unit[4];

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') {
            buf_puts(out, "\r\n");
            column = 0;
            continue;
        }
        size_t n = quoted((unsigned char)text.p[i], i + 1 == text.n || text.p[i + 1] == '\n', unit);

        /* A dot alone, or "From " that begins a line, is what some on the way change. */
        if (column == 0 && (text.p[i] == '.' || text.p[i] == 'F')) {
            buf_printf(out, "=%02X", (unsigned)(unsigned char)text.p[i]);
            column = 3;
            continue;
        }
        if (column + n > MAIL_LINE_MAX - 1) {
            buf_puts(out, "=\r\n");
            column = 0;
        }
        buf_add(out, (struct span){unit, n});
        column += n;
    }
    if (column)
        buf_puts(out, "\r\n");
}

static size_t not_ascii(struct span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += (unsigned char)text.p[i] >= 0x80;
    return n;
}

static void part(struct buf *out, const char *type, struct span text)
{
    bool quote = not_ascii(text) * 6 < text.n;

    buf_printf(out, "Content-Type: %s; charset=UTF-8\r\n", type);
    buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n", quote ? "quoted-printable" : "base64");
    if (quote)
        body_quoted(out, text);
    else
        body_base64(out, text);
}

/* "=_" is in neither encoding, so that no text can hold a boundary. */
static void between(struct buf *out, const struct mail *mail, const char *level, const char *end)
{
    buf_printf(out, "--=_%s%.*s%s\r\n", level, SPAN_FMT(mail->boundary), end);
}

static void alternatives(struct buf *out, const struct mail *mail)
{
    buf_printf(out, "Content-Type: multipart/alternative;\r\n boundary=\"=_a%.*s\"\r\n\r\n",
               SPAN_FMT(mail->boundary));
    between(out, mail, "a", "");
    part(out, "text/plain", mail->text);
    between(out, mail, "a", "");
    part(out, "text/html", mail->html);
    between(out, mail, "a", "--");
}

static void attachment(struct buf *out, const struct mail *mail)
{
    buf_puts(out, "Content-Type: text/csv; charset=UTF-8; header=present\r\n");
    buf_printf(out, "Content-Disposition: attachment; filename=\"%.*s\"\r\n",
               SPAN_FMT(mail->csv_name));
    buf_puts(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    body_base64(out, mail->csv);
}

void mail_build(const struct mail *mail, struct buf *out)
{
    date_field(out, mail->date_s);
    from_field(out, mail);
    buf_printf(out, "To: <%.*s>\r\n", SPAN_FMT(mail->to));
    if (mail->reply_to.n)
        buf_printf(out, "Reply-To: <%.*s>\r\n", SPAN_FMT(mail->reply_to));
    field(out, "Subject", mail->subject);
    buf_printf(out, "Message-ID: <%.*s>\r\n", SPAN_FMT(mail->message_id));
    buf_puts(out, "Auto-Submitted: auto-generated\r\n");
    if (mail->language.n)
        buf_printf(out, "Content-Language: %.*s\r\n", SPAN_FMT(mail->language));
    buf_puts(out, "MIME-Version: 1.0\r\n");
    if (!mail->csv.p) {
        alternatives(out, mail);
        return;
    }
    buf_printf(out, "Content-Type: multipart/mixed;\r\n boundary=\"=_m%.*s\"\r\n\r\n",
               SPAN_FMT(mail->boundary));
    between(out, mail, "m", "");
    alternatives(out, mail);
    between(out, mail, "m", "");
    attachment(out, mail);
    between(out, mail, "m", "--");
}
