/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/secret.h"

#include <ctype.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/md5.h"

#define SHORT 8
#define BRIEF 12
#define DIGITS_ENOUGH 16

/* What scanners try first, without the digits that people add. */
static const char *const common[] = {
    "password",  "passwd",
    "pass",      "secret",
    "asterisk",  "admin",
    "root",      "test",
    "guest",     "changeme",
    "default",   "welcome",
    "letmein",   "qwerty",
    "abc",       "abcdef",
    "voip",      "sip",
    "phone",     "pbx",
    "freepbx",   "elastix",
    "trixbox",   "system",
    "operator",  "manager",
    "user",      "mysecret",
    "amp",       "monitor",
    "p@ssw0rd",  "passw0rd",
    "dragon",    "master",
    "monkey",    "sakura",
    "ext",       "exten",
    "extension", "line",
    "trunk",     "account",
    "nihon",     "tokyo",
    "denwa",     "unsecurepassword",
    "digium",    "snom",
    "yealink",   "cisco",
    "polycom",   "hello",
    "server",    "office",
};

/* 1111, 12345678, 87654321, abcdefgh: each character follows from the one before. */
static bool is_run(struct span s)
{
    if (s.n < 2)
        return true;
    int step = s.p[1] - s.p[0];
    if (step < -1 || step > 1)
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] - s.p[i - 1] != step)
            return false;
    return true;
}

/* Without digits and marks at both ends, in which people hide a word. */
static struct span core(struct span s)
{
    while (s.n && !isalpha((unsigned char)s.p[0]))
        s = span_skip(s, 1);
    while (s.n && !isalpha((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool is_common(struct span s)
{
    struct span inner = core(s);

    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        if (span_eq_nocase(s, span_of(common[i])) || span_eq_nocase(inner, span_of(common[i])))
            return true;
    return false;
}

static bool contains(struct span s, struct span part)
{
    for (size_t i = 0; part.n && i + part.n <= s.n; i++)
        if (strncasecmp(s.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

static bool is_reversed(struct span s, struct span name)
{
    if (s.n != name.n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != name.p[name.n - 1 - i])
            return false;
    return s.n > 0;
}

const char *secret_weakness(struct span name, struct span secret, enum severity *severity)
{
    *severity = SERIOUS;
    if (!secret.n)
        return "is empty";
    if (span_eq_nocase(secret, name))
        return "is the same as the name";
    if (is_reversed(secret, name))
        return "is the name backwards";
    if (is_common(secret))
        return "is one that attackers try first";
    if (is_run(secret))
        return "is a row of characters such as 12345678";
    if (name.n >= 3 && contains(secret, name) && secret.n < name.n + SHORT)
        return "is little more than the name";
    if (secret.n < SHORT)
        return "is shorter than 8 characters";
    if (span_all_digits(secret) && secret.n < DIGITS_ENOUGH)
        return "is made of digits only";
    *severity = WARNING;
    if (secret.n < BRIEF)
        return "is shorter than 12 characters";
    return NULL;
}

static bool hashes_to(struct span name, struct span realm, struct span guess, struct span hash)
{
    const struct span parts[] = {name, SPAN(":"), realm, SPAN(":"), guess};
    char hex[MD5_HEX_SIZE];

    md5_hex(parts, sizeof(parts) / sizeof(*parts), hex);
    return span_eq_nocase(span_of(hex), hash);
}

const char *secret_weakness_md5(struct span name, struct span realm, struct span hash)
{
    char digits[12];

    if (hashes_to(name, realm, (struct span){NULL, 0}, hash))
        return "is empty";
    if (hashes_to(name, realm, name, hash))
        return "is the same as the name";
    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        if (hashes_to(name, realm, span_of(common[i]), hash))
            return "is one that attackers try first";
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(digits, sizeof(digits), "%04u", i);
        if (hashes_to(name, realm, span_of(digits), hash))
            return "is four digits";
    }
    return NULL;
}
