/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/rule.h"

#include "base/bytes.h"
#include "base/utf8.h"
#include "policy/schedule.h"

static bool is_symbol(uint32_t c)
{
    return (c >= '0' && c <= '9') || c == '*' || c == '#' || c == '+';
}

int rule_check(const struct rule *rule, struct fault *f)
{
    if (rule->action != RULE_RESTRICT && rule->action != RULE_EXCEPT)
        return fault(f, ERR_SYNTAX, "a rule's action is restrict or except");
    if (rule->prefix.n == 0 || rule->prefix.n > RULE_PREFIX_MAX)
        return fault(f, ERR_RANGE, "the prefix \"%s\" has %zu digits; it must have 1 to %d",
                     ESCAPED(rule->prefix), rule->prefix.n, RULE_PREFIX_MAX);
    for (size_t i = 0; i < rule->prefix.n; i++)
        if (!is_symbol((unsigned char)rule->prefix.p[i]))
            return fault(f, ERR_SYNTAX,
                         "the prefix \"%s\" may hold only digits, \"*\", \"#\" and \"+\"",
                         ESCAPED(rule->prefix));
    if (rule->mandatory && rule->action != RULE_RESTRICT)
        return fault(f, ERR_RANGE,
                     "the exception %s cannot be mandatory; a mandatory rule only restricts",
                     ESCAPED(rule->prefix));
    if (rule->until < 0)
        return fault(f, ERR_RANGE, "rule %s: \"until\" must not be before 1970",
                     ESCAPED(rule->prefix));
    if (rule->schedule.n && schedule_check(rule->schedule, f))
        return fault_in(f, "rule %s", ESCAPED(rule->prefix));
    return 0;
}

/* What people put between digits to read them better; hyphens and spaces of other scripts too. */
static bool is_separator(uint32_t c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '-':
    case '.':
    case '/':
    case '(':
    case ')':
    case 0xa0:   /* no-break space */
    case 0x30fc: /* ー, where － was meant */
    case 0x3000: /* ideographic space */
    case 0xff08: /* （ */
    case 0xff09: /* ） */
    case 0xff0d: /* － */
    case 0x2212: /* minus */ return true;
    }
    return c >= 0x2000 && c <= 0x2015; /* spaces, zero-width marks, hyphens and dashes */
}

static uint32_t fold(uint32_t c)
{
    return c >= 0xff01 && c <= 0xff5e ? c - 0xff00 + 0x20 : c; /* full-width forms */
}

int rule_prefix_clean(struct span text, char out[RULE_PREFIX_MAX + 1], struct fault *f)
{
    char digits[RULE_PREFIX_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < text.n;) {
        uint32_t c = 0;
        size_t len = utf8_decode(span_skip(text, i), &c);

        if (len == 0 || (!is_separator(c) && !is_symbol(fold(c))))
            return fault(f, ERR_SYNTAX,
                         "the prefix \"%s\" may hold only digits, \"*\", \"#\" and \"+\"",
                         ESCAPED(text));
        i += len;
        if (is_separator(c))
            continue;
        if (n == RULE_PREFIX_MAX)
            return fault(f, ERR_RANGE, "the prefix \"%s\" has more than %d digits", ESCAPED(text),
                         RULE_PREFIX_MAX);
        digits[n++] = (char)fold(c);
    }
    if (n == 0)
        return fault(f, ERR_RANGE, "a prefix must have at least one digit");
    /* Nobody's canonical form begins with "+": such a rule would look as if it held, and hold only for
     * who dials the plus. */
    if (n > 1 && digits[0] == '+')
        return fault(f, ERR_SYNTAX,
                     "the prefix \"%s\" must be written as it is dialled, with the access prefix"
                     " instead of \"+\" (in Japan 0101212 for +1212)",
                     ESCAPED(text));
    memcpy(out, digits, n);
    out[n] = '\0';
    return 0;
}

int rule_prefix_digits(struct span text, const char *what, struct fault *f)
{
    if (text.n == 0)
        return fault(f, ERR_SYNTAX, "%s is empty; it must have 1 to %d digits", what,
                     RULE_PREFIX_MAX);
    if (text.n > RULE_PREFIX_MAX)
        return fault(f, ERR_RANGE, "%s \"%s\" has %zu digits; at most %d are allowed", what,
                     ESCAPED(text), text.n, RULE_PREFIX_MAX);
    if (!span_all_digits(text))
        return fault(f, ERR_SYNTAX, "%s \"%s\" may hold only digits", what, ESCAPED(text));
    return 0;
}

const char *rule_action_name(enum rule_action action)
{
    switch (action) {
    case RULE_RESTRICT: return "restrict";
    case RULE_EXCEPT: return "except";
    }
    return NULL;
}

const char *rule_level_name(enum rule_level level)
{
    switch (level) {
    case LEVEL_ACCOUNT: return "account";
    case LEVEL_TENANT: return "tenant";
    case LEVEL_OPERATOR: return "operator";
    }
    return NULL;
}
