/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"

struct block {
    struct block *next;
    max_align_t bytes[];
};

void reader_free(struct reader *r)
{
    struct block *b = r->blocks;

    while (b) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
    r->blocks = NULL;
}

void *reader_alloc(struct reader *r, size_t size)
{
    struct block *b = calloc(1, sizeof(*b) + size);

    if (!b)
        return NULL;
    b->next = r->blocks;
    r->blocks = b;
    return b->bytes;
}

int reader_refuse(struct reader *r, const char *at, const char *name, struct fault *f, int code,
                  const char *format, ...)
{
    char text[FAULT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(r->pointer, sizeof(r->pointer), "%s%s%s", at, name ? "/" : "", name ? name : "");
    return fault(f, code, "%s", text);
}

/* jansson recurses once per level, so depth is bounded before it looks. */
static bool too_deep(struct span body)
{
    unsigned depth = 0;
    bool string = false;

    for (size_t i = 0; i < body.n; i++) {
        char c = body.p[i];

        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > READER_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

/* jansson's words without the bytes that it quotes. */
static int refuse_json(const struct reader *r, const json_error_t *error, struct fault *f)
{
    const char *near = strstr(error->text, " near ");
    size_t n = near ? (size_t)(near - error->text) : strlen(error->text);
    const char *what = r->line ? "this" : "the body";
    char where[48] = "";

    if (!r->line)
        snprintf(where, sizeof(where), "line %d, ", error->line);
    if (json_error_code(error) == json_error_out_of_memory)
        return fault_nomem(f);
    if (json_error_code(error) == json_error_null_character)
        return fault(f, ERR_SYNTAX, "%s is not taken: %scolumn %d: a string holds U+0000", what,
                     where, error->column);
    return fault(f, ERR_SYNTAX, "%s is not JSON: %scolumn %d: %s", what, where, error->column,
                 ESCAPED(((struct span){error->text, n})));
}

int reader_parse(struct reader *r, struct span body, json_t **out, struct fault *f)
{
    json_error_t error;
    json_t *json;

    r->pointer[0] = 0;
    if (too_deep(body))
        return fault(f, ERR_SYNTAX, "the body is nested deeper than %d levels", READER_DEPTH_MAX);
    json = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return refuse_json(r, &error, f);
    if (!json_is_object(json)) {
        json_decref(json);
        return fault(f, ERR_SYNTAX, "the body must be a JSON object");
    }
    *out = json;
    return 0;
}

bool reader_is_name(struct span text)
{
    if (!text.n || text.n > 63)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!letter && (i == 0 || !(c == '.' || c == '_' || c == '-')))
            return false;
    }
    return true;
}

bool reader_is_account(struct span text)
{
    if (!text.n || text.n > 64)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char lower = (char)(c | 0x20);

        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
            !(c && strchr("._@+-", c)))
            return false;
    }
    return true;
}

static bool digits(struct span text, size_t at, size_t n, int *out)
{
    int value = 0;

    for (size_t i = at; i < at + n; i++) {
        if (i >= text.n || text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (text.p[i] - '0');
    }
    *out = value;
    return true;
}

static bool zone(struct span text, int *seconds)
{
    int hours = 0;
    int minutes = 0;

    if (span_is(text, "Z")) {
        *seconds = 0;
        return true;
    }
    if (text.n != 6 || (text.p[0] != '+' && text.p[0] != '-') || text.p[3] != ':' ||
        !digits(text, 1, 2, &hours) || !digits(text, 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * (text.p[0] == '-' ? -60 : 60);
    return true;
}

int reader_time(struct span text, int64_t *seconds, struct fault *f)
{
    struct tm tm = {0};
    struct tm check;
    int offset = 0;
    time_t t;

    if (text.n < 20 || !digits(text, 0, 4, &tm.tm_year) || text.p[4] != '-' ||
        !digits(text, 5, 2, &tm.tm_mon) || text.p[7] != '-' || !digits(text, 8, 2, &tm.tm_mday) ||
        text.p[10] != 'T' || !digits(text, 11, 2, &tm.tm_hour) || text.p[13] != ':' ||
        !digits(text, 14, 2, &tm.tm_min) || text.p[16] != ':' || !digits(text, 17, 2, &tm.tm_sec) ||
        !zone(span_skip(text, 19), &offset))
        return fault(f, ERR_SYNTAX, "\"%s\" is no time like 2026-12-01T00:00:00Z", ESCAPED(text));
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    check = tm;
    t = timegm(&check);
    if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon || check.tm_hour != tm.tm_hour ||
        check.tm_min != tm.tm_min || check.tm_sec != tm.tm_sec)
        return fault(f, ERR_RANGE, "there is no such time as %s", ESCAPED(text));
    if (t - offset < 1)
        return fault(f, ERR_RANGE, "%s is before 1970", ESCAPED(text));
    *seconds = t - offset;
    return 0;
}

static const char *kind_words(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_NAME:
    case FIELD_ACCOUNT:
    case FIELD_CHOICE: return "a string";
    case FIELD_BOOL: return "true or false";
    case FIELD_INTEGER: return "an integer";
    case FIELD_TIME: return "a time like \"2026-12-01T00:00:00Z\"";
    case FIELD_ARRAY: return "an array";
    }
    return "";
}

static bool has_kind(const json_t *value, enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_NAME:
    case FIELD_ACCOUNT:
    case FIELD_CHOICE:
    case FIELD_TIME: return json_is_string(value);
    case FIELD_BOOL: return json_is_boolean(value);
    case FIELD_INTEGER: return json_is_integer(value);
    case FIELD_ARRAY: return json_is_array(value);
    }
    return false;
}

static void words(const char *const *choices, char *out, size_t size)
{
    size_t n = 0;

    out[0] = 0;
    for (size_t i = 0; choices[i] && n < size; i++) {
        int added = snprintf(out + n, size - n, "%s%s", i ? ", " : "", choices[i]);

        n += added > 0 ? (size_t)added : 0;
    }
}

static int read_choice(const struct field *field, struct span text, struct fault *f)
{
    char allowed[256];

    for (size_t i = 0; field->choices[i]; i++) {
        if (span_is(text, field->choices[i])) {
            *(unsigned *)field->out = (unsigned)i;
            return 0;
        }
    }
    words(field->choices, allowed, sizeof(allowed));
    return fault(f, ERR_RANGE, "%s \"%s\" is not one of %s", field->name, ESCAPED(text), allowed);
}

static bool is_text(struct span text)
{
    size_t step;
    uint32_t c = 0;

    for (; text.n; text = span_skip(text, step)) {
        step = utf8_decode(text, &c);
        if (!step || c < 0x20 || (c >= 0x7f && c < 0xa0))
            return false;
    }
    return true;
}

static int read_string(const struct field *field, struct span text, struct fault *f)
{
    if (field->kind == FIELD_CHOICE)
        return read_choice(field, text, f);
    if (field->kind == FIELD_TIME)
        return reader_time(text, field->out, f);
    if (field->kind == FIELD_NAME && !reader_is_name(text))
        return fault(
            f, ERR_RANGE,
            "%s \"%s\" is no name: 1 to 63 of a-z, 0-9, . _ - are allowed, a letter or digit first",
            field->name, ESCAPED(text));
    if (field->kind == FIELD_ACCOUNT && !reader_is_account(text))
        return fault(
            f, ERR_RANGE,
            "%s \"%s\" is no account's name: 1 to 64 of A-Z, a-z, 0-9, . _ @ + - are allowed",
            field->name, ESCAPED(text));
    if ((field->kind == FIELD_TEXT || field->kind == FIELD_BYTES) && (int64_t)text.n > field->max)
        return fault(f, ERR_RANGE, "%s has %zu bytes, %lld are allowed", field->name, text.n,
                     (long long)field->max);
    if (field->kind == FIELD_TEXT && !is_text(text))
        return fault(f, ERR_RANGE, "%s holds a control character", field->name);
    *(struct span *)field->out = text;
    return 0;
}

int reader_text(const struct field *field, struct span text, struct fault *f)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_NAME:
    case FIELD_ACCOUNT:
    case FIELD_CHOICE:
    case FIELD_TIME: return read_string(field, text, f);
    case FIELD_BOOL:
    case FIELD_INTEGER:
    case FIELD_ARRAY: break;
    }
    return fault(f, ERR_SYNTAX, "%s must be %s", field->name, kind_words(field->kind));
}

static void read_null(const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_NAME:
    case FIELD_ACCOUNT: *(struct span *)field->out = (struct span){"", 0}; return;
    case FIELD_CHOICE: *(unsigned *)field->out = 0; return;
    case FIELD_BOOL: *(bool *)field->out = false; return;
    case FIELD_INTEGER:
    case FIELD_TIME: *(int64_t *)field->out = 0; return;
    case FIELD_ARRAY: *(json_t **)field->out = NULL; return;
    }
}

static int read_value(const struct field *field, json_t *value, struct fault *f)
{
    if (json_is_null(value) && field->nullable) {
        read_null(field);
        return 0;
    }
    if (!has_kind(value, field->kind))
        return fault(f, ERR_SYNTAX, "%s must be %s%s", field->name, kind_words(field->kind),
                     field->nullable ? " or null" : "");
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_BYTES:
    case FIELD_NAME:
    case FIELD_ACCOUNT:
    case FIELD_CHOICE:
    case FIELD_TIME:
        return read_string(field,
                           (struct span){json_string_value(value), json_string_length(value)}, f);
    case FIELD_BOOL: *(bool *)field->out = json_is_true(value); return 0;
    case FIELD_INTEGER:
        if (json_integer_value(value) < field->min || json_integer_value(value) > field->max)
            return fault(f, ERR_RANGE, "%s must be %lld to %lld", field->name,
                         (long long)field->min, (long long)field->max);
        *(int64_t *)field->out = json_integer_value(value);
        return 0;
    case FIELD_ARRAY:
        if ((int64_t)json_array_size(value) > field->max)
            return fault(f, ERR_RANGE, "%s has %zu items, %lld are allowed", field->name,
                         json_array_size(value), (long long)field->max);
        *(json_t **)field->out = value;
        return 0;
    }
    return 0;
}

static int refuse_unknown(struct reader *r, const char *at, const char *key,
                          const struct field *fields, size_t n, struct fault *f)
{
    char allowed[400];
    char name[80];
    size_t used = 0;

    allowed[0] = 0;
    for (size_t i = 0; i < n && used < sizeof(allowed); i++) {
        int added =
            snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i ? ", " : "", fields[i].name);

        used += added > 0 ? (size_t)added : 0;
    }
    escape(span_of(key), name, sizeof(name));
    if (!n)
        return reader_refuse(r, at, NULL, f, ERR_RANGE,
                             "there is no field \"%s\" here, none is allowed", name);
    return reader_refuse(r, at, NULL, f, ERR_RANGE, "there is no field \"%s\" here; allowed are %s",
                         name, allowed);
}

int reader_fields(struct reader *r, const char *at, json_t *object, const struct field *fields,
                  size_t n, struct fault *f)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return reader_refuse(r, at, NULL, f, ERR_SYNTAX, "this must be a JSON object");
    for (size_t i = 0; i < n; i++) {
        struct fault why;
        int rc = 0;

        value = json_object_get(object, fields[i].name);
        if (value)
            rc = read_value(&fields[i], value, &why);
        else if (fields[i].required)
            rc = fault(&why, ERR_RANGE, "%s is missing", fields[i].name);
        if (rc)
            return reader_refuse(r, at, fields[i].name, f, rc, "%s", why.text);
    }
    json_object_foreach(object, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(fields[i].name, key) != 0)
            i++;
        if (i == n)
            return refuse_unknown(r, at, key, fields, n, f);
    }
    return 0;
}
