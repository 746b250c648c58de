/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/pack.h"

#include <assert.h>
#include <endian.h>

#define VERSION 1
#define VARINT_MAX 10
#define PLAIN 0x80 /* the dialled bytes stand as they are */

static_assert(CALL_DIALLED_MAX < PLAIN, "a length leaves its highest bit free");

static const char symbols[] = "0123456789*#+";

/* ---- writing -------------------------------------------------------------------------------- */

static size_t put_varint(unsigned char *out, uint64_t value)
{
    size_t n = 0;

    while (value >= 0x80) {
        out[n++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (unsigned char)value;
    return n;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static int symbol_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c == '*' ? 10 : c == '#' ? 11 : c == '+' ? 12 : -1;
}

static size_t put_plain(unsigned char *out, struct span dialled)
{
    out[0] = (unsigned char)(PLAIN | dialled.n);
    memcpy(out + 1, dialled.p, dialled.n);
    return 1 + dialled.n;
}

static size_t put_dialled(unsigned char *out, struct span dialled)
{
    size_t n = 1;

    out[0] = (unsigned char)dialled.n;
    for (size_t i = 0; i < dialled.n; i += 2) {
        int high = symbol_of(dialled.p[i]);
        int low = i + 1 < dialled.n ? symbol_of(dialled.p[i + 1]) : 0xf;

        if (high < 0 || low < 0)
            return put_plain(out, dialled);
        out[n++] = (unsigned char)(high << 4 | low);
    }
    return n;
}

int pack_add(struct pack *pack, const struct call *call)
{
    unsigned char row[3 * VARINT_MAX + sizeof(uint64_t) + 1 + CALL_DIALLED_MAX];
    uint64_t key = htole64(call->key);
    size_t n, before = pack->bytes.n;

    if (pack->n == PACK_CALLS_MAX)
        return ERR_FULL;
    if (call->start_ms < 0 || call->start_ms > CALL_START_MAX ||
        call->dialled.n > CALL_DIALLED_MAX || (unsigned)call->end > CALL_REFUSED)
        return ERR_RANGE;
    n = put_varint(row, zigzag(call->start_ms - pack->last_ms));
    n += put_varint(row + n, call->caller);
    n += put_varint(row + n, (uint64_t)call->seconds << 2 | call->end);
    memcpy(row + n, &key, sizeof(key));
    n += sizeof(key);
    n += put_dialled(row + n, call->dialled);
    buf_add(&pack->bytes, (struct span){(const char *)row, n});
    if (pack->bytes.failed) {
        pack->bytes.n = before;
        pack->bytes.failed = false;
        return ERR_NOMEM;
    }
    pack->last_ms = call->start_ms;
    pack->n++;
    return 0;
}

void pack_close(struct pack *pack, struct buf *out)
{
    unsigned char head[1 + VARINT_MAX] = {VERSION};

    buf_add(out, (struct span){(const char *)head, 1 + put_varint(head + 1, pack->n)});
    buf_add(out, buf_span(&pack->bytes));
    buf_clear(&pack->bytes);
    pack->n = 0;
    pack->last_ms = 0;
}

void pack_free(struct pack *pack)
{
    buf_free(&pack->bytes);
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool take_varint(struct span *left, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < left->n && i < VARINT_MAX; i++) {
        unsigned char byte = (unsigned char)left->p[i];

        if (i == VARINT_MAX - 1 && byte > 1)
            return false;
        sum |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = sum;
            *left = span_skip(*left, i + 1);
            return true;
        }
    }
    return false;
}

static bool take_start(struct pack_reader *reader, int64_t *start_ms)
{
    uint64_t value;
    int64_t after;

    if (!take_varint(&reader->left, &value))
        return false;
    after = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    if (__builtin_add_overflow(reader->last_ms, after, start_ms))
        return false;
    return *start_ms >= 0 && *start_ms <= CALL_START_MAX;
}

static bool take_key(struct span *left, uint64_t *key)
{
    if (left->n < sizeof(*key))
        return false;
    memcpy(key, left->p, sizeof(*key));
    *key = le64toh(*key);
    *left = span_skip(*left, sizeof(*key));
    return true;
}

static bool unpack_symbols(struct span packed, char *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)packed.p[i / 2];
        unsigned symbol = i % 2 ? byte & 0xf : byte >> 4;

        if (symbol >= sizeof(symbols) - 1)
            return false;
        out[i] = symbols[symbol];
    }
    return n % 2 == 0 || ((unsigned char)packed.p[n / 2] & 0xf) == 0xf;
}

static bool take_dialled(struct pack_reader *reader, struct span *dialled)
{
    struct span *left = &reader->left;
    unsigned char head;
    size_t n, bytes;

    if (left->n == 0)
        return false;
    head = (unsigned char)left->p[0];
    *left = span_skip(*left, 1);
    n = head & 0x7f;
    bytes = head & PLAIN ? n : (n + 1) / 2;
    if (left->n < bytes)
        return false;
    if (head & PLAIN)
        memcpy(reader->dialled, left->p, n);
    else if (!unpack_symbols(*left, reader->dialled, n))
        return false;
    *left = span_skip(*left, bytes);
    *dialled = (struct span){reader->dialled, n};
    return true;
}

int pack_open(struct pack_reader *reader, struct span bytes, struct fault *f)
{
    uint64_t calls;

    if (bytes.n == 0 || bytes.p[0] != VERSION)
        return fault(f, ERR_CORRUPT, "calls in a form that this version does not know");
    reader->left = span_skip(bytes, 1);
    if (!take_varint(&reader->left, &calls) || calls > PACK_CALLS_MAX)
        return fault(f, ERR_CORRUPT, "a block of calls without a count of 0 to %d", PACK_CALLS_MAX);
    reader->calls = calls;
    reader->last_ms = 0;
    return 0;
}

int pack_next(struct pack_reader *reader, struct call *call, struct fault *f)
{
    struct call next;
    uint64_t caller, ended;

    if (reader->calls == 0)
        return reader->left.n ? fault(f, ERR_CORRUPT, "bytes behind the last call of a block") : 0;
    if (!take_start(reader, &next.start_ms) || !take_varint(&reader->left, &caller) ||
        caller > UINT32_MAX || !take_varint(&reader->left, &ended) || ended >> 2 > UINT32_MAX ||
        !take_key(&reader->left, &next.key) || !take_dialled(reader, &next.dialled))
        return fault(f, ERR_CORRUPT, "a block of calls is broken, %zu calls before its end",
                     reader->calls);
    next.caller = (uint32_t)caller;
    next.seconds = (uint32_t)(ended >> 2);
    next.end = (enum call_end)(ended & 3);
    reader->last_ms = next.start_ms;
    reader->calls--;
    *call = next;
    return 1;
}
