/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/fold.h"

#include "base/utf8.h"

/* What a code point is, where it is not a key itself. */
enum { BAD = 0, DROP = 1, PAUSE = 2, LETTER = 3 };

/* Keys stand for themselves; everything that is not named is BAD. */
static const unsigned char ascii[128] = {
    [' '] = DROP,   ['-'] = DROP,   ['.'] = DROP,   ['('] = DROP,   [')'] = DROP,   ['/'] = DROP,
    ['['] = DROP,   [']'] = DROP,   [','] = PAUSE,  [';'] = PAUSE,  ['+'] = '+',    ['*'] = '*',
    ['#'] = '#',    ['0'] = '0',    ['1'] = '1',    ['2'] = '2',    ['3'] = '3',    ['4'] = '4',
    ['5'] = '5',    ['6'] = '6',    ['7'] = '7',    ['8'] = '8',    ['9'] = '9',    ['A'] = LETTER,
    ['B'] = LETTER, ['C'] = LETTER, ['D'] = LETTER, ['E'] = LETTER, ['F'] = LETTER, ['G'] = LETTER,
    ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER, ['K'] = LETTER, ['L'] = LETTER, ['M'] = LETTER,
    ['N'] = LETTER, ['O'] = LETTER, ['P'] = PAUSE,  ['Q'] = LETTER, ['R'] = LETTER, ['S'] = LETTER,
    ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER, ['W'] = PAUSE,  ['X'] = LETTER, ['Y'] = LETTER,
    ['Z'] = LETTER, ['a'] = LETTER, ['b'] = LETTER, ['c'] = LETTER, ['d'] = LETTER, ['e'] = LETTER,
    ['f'] = LETTER, ['g'] = LETTER, ['h'] = LETTER, ['i'] = LETTER, ['j'] = LETTER, ['k'] = LETTER,
    ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER, ['o'] = LETTER, ['p'] = PAUSE,  ['q'] = LETTER,
    ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER, ['u'] = LETTER, ['v'] = LETTER, ['w'] = PAUSE,
    ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
};

/* The zeros of Unicode's decimal digits (general category Nd); nine digits follow each. */
static const uint32_t zeros[] = {
    0x0660,  0x06f0,  0x07c0,  0x0966,  0x09e6,  0x0a66,  0x0ae6,  0x0b66,  0x0be6,  0x0c66,
    0x0ce6,  0x0d66,  0x0de6,  0x0e50,  0x0ed0,  0x0f20,  0x1040,  0x1090,  0x17e0,  0x1810,
    0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,  0xa8d0,
    0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
    0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950, 0x1fbf0,
};

/* Everything else outside ASCII that has a meaning; sorted. */
static const struct {
    uint32_t from, to;
    unsigned char meaning;
} marks[] = {
    {0x00a0, 0x00a0, DROP},  /* no-break space */
    {0x00ad, 0x00ad, DROP},  /* soft hyphen */
    {0x00b7, 0x00b7, DROP},  /* middle dot */
    {0x034f, 0x034f, DROP},  /* combining grapheme joiner */
    {0x058a, 0x058a, DROP},  /* Armenian hyphen */
    {0x05be, 0x05be, DROP},  /* Hebrew maqaf */
    {0x061c, 0x061c, DROP},  /* Arabic letter mark */
    {0x1680, 0x1680, DROP},  /* Ogham space */
    {0x180e, 0x180e, DROP},  /* Mongolian vowel separator */
    {0x2000, 0x2015, DROP},  /* spaces, zero-width, bidi marks, dashes */
    {0x2022, 0x2022, DROP},  /* bullet */
    {0x2027, 0x2027, DROP},  /* hyphenation point */
    {0x202a, 0x202f, DROP},  /* bidi embeddings, narrow no-break space */
    {0x2043, 0x2043, DROP},  /* hyphen bullet */
    {0x2044, 0x2044, DROP},  /* fraction slash */
    {0x204e, 0x204e, '*'},   /* low asterisk */
    {0x205f, 0x206f, DROP},  /* mathematical space, word joiner, bidi isolates */
    {0x207a, 0x207a, '+'},   /* superscript plus */
    {0x207b, 0x207b, DROP},  /* superscript minus */
    {0x208a, 0x208a, '+'},   /* subscript plus */
    {0x208b, 0x208b, DROP},  /* subscript minus */
    {0x20e3, 0x20e3, DROP},  /* enclosing keycap */
    {0x2212, 0x2212, DROP},  /* minus */
    {0x2215, 0x2215, DROP},  /* division slash */
    {0x2217, 0x2217, '*'},   /* asterisk operator */
    {0x2219, 0x2219, DROP},  /* bullet operator */
    {0x22c5, 0x22c5, DROP},  /* dot operator */
    {0x2500, 0x2501, DROP},  /* box drawing lines */
    {0x266f, 0x266f, '#'},   /* music sharp */
    {0x2795, 0x2795, '+'},   /* heavy plus */
    {0x2796, 0x2796, DROP},  /* heavy minus */
    {0x2e3a, 0x2e3b, DROP},  /* two- and three-em dash */
    {0x3000, 0x3000, DROP},  /* ideographic space */
    {0x301c, 0x301c, DROP},  /* wave dash */
    {0x3030, 0x3030, DROP},  /* wavy dash */
    {0x30fb, 0x30fc, DROP},  /* katakana middle dot and long-vowel mark */
    {0xfb29, 0xfb29, '+'},   /* Hebrew plus */
    {0xfe00, 0xfe0f, DROP},  /* variation selectors */
    {0xfe50, 0xfe50, PAUSE}, /* small comma */
    {0xfe52, 0xfe52, DROP},  /* small full stop */
    {0xfe54, 0xfe54, PAUSE}, /* small semicolon */
    {0xfe58, 0xfe58, DROP},  /* small em dash */
    {0xfe5f, 0xfe5f, '#'},   /* small number sign */
    {0xfe61, 0xfe61, '*'},   /* small asterisk */
    {0xfe62, 0xfe62, '+'},   /* small plus */
    {0xfe63, 0xfe63, DROP},  /* small hyphen-minus */
    {0xfeff, 0xfeff, DROP},  /* zero-width no-break space */
    {0xff03, 0xff03, '#'},   /* full-width # */
    {0xff08, 0xff09, DROP},  /* full-width parentheses */
    {0xff0a, 0xff0a, '*'},   /* full-width * */
    {0xff0b, 0xff0b, '+'},   /* full-width + */
    {0xff0c, 0xff0c, PAUSE}, /* full-width comma */
    {0xff0d, 0xff0f, DROP},  /* full-width - . / */
    {0xff1b, 0xff1b, PAUSE}, /* full-width semicolon */
    {0xff3b, 0xff3b, DROP},  /* full-width [ */
    {0xff3d, 0xff3d, DROP},  /* full-width ] */
    {0xff5e, 0xff5e, DROP},  /* full-width tilde */
    {0xff65, 0xff65, DROP},  /* half-width katakana middle dot */
    {0xff70, 0xff70, DROP},  /* half-width long-vowel mark */
};

static unsigned char digit_of(uint32_t c)
{
    size_t low = 0, high = sizeof(zeros) / sizeof(zeros[0]);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c < zeros[middle])
            high = middle;
        else if (c > zeros[middle] + 9)
            low = middle + 1;
        else
            return (unsigned char)('0' + (c - zeros[middle]));
    }
    return BAD;
}

static unsigned char meaning_of(uint32_t c)
{
    size_t low = 0, high = sizeof(marks) / sizeof(marks[0]);

    if (c < 0x80)
        return ascii[c];
    /* The full-width digits of Japanese keyboards. */
    if (c >= 0xff10 && c <= 0xff19)
        return (unsigned char)('0' + (c - 0xff10));
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (c < marks[middle].from)
            high = middle;
        else if (c > marks[middle].to)
            low = middle + 1;
        else
            return marks[middle].meaning;
    }
    return digit_of(c);
}

/* ITU-T E.161 */
static char letter_key(uint32_t c)
{
    static const char keys[] = "22233344455566677778889999";

    return keys[(c | 0x20) - 'a'];
}

/* A p or w is a pause, unless other letters say that the string spells a word. */
static bool spells(struct span bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if ((unsigned char)bytes.p[i] < 0x80 && ascii[(unsigned char)bytes.p[i]] == LETTER)
            return true;
    return false;
}

/* What has been folded. */
struct folded {
    char *key;
    size_t n, pause;
};

static bool take(struct folded *k, unsigned char meaning, uint32_t c, bool letters)
{
    bool is_letter = c < 0x80 && (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

    if (is_letter && letters) {
        k->key[k->n++] = letter_key(c);
        return true;
    }
    switch (meaning) {
    case BAD:
    case LETTER: return false;
    case DROP: return true;
    case PAUSE:
        if (!k->pause)
            k->pause = k->n;
        return true;
    default: k->key[k->n++] = (char)meaning; return true;
    }
}

/* Takes the first code point of `bytes`; the bytes that it is, 0 where it is none or cannot be dialled. */
static size_t take_first(struct folded *k, struct span bytes, bool letters)
{
    uint32_t c = (unsigned char)bytes.p[0];
    size_t n = c < 0x80 ? 1 : utf8_decode(bytes, &c);

    return n && take(k, meaning_of(c), c, letters) ? n : 0;
}

static bool plus_is_sound(struct span keys)
{
    const char *plus = memchr(keys.p, '+', keys.n);

    if (!plus)
        return true;
    struct span behind = span_skip(keys, (size_t)(plus - keys.p) + 1);

    return behind.n && behind.p[0] >= '0' && behind.p[0] <= '9' && !memchr(behind.p, '+', behind.n);
}

bool fold(struct span bytes, bool letters, char *room, struct keys *out)
{
    struct folded k = {room, 0, 0};

    if (fold_is_plain(bytes)) {
        *out = (struct keys){bytes, 0};
        return true;
    }
    letters = letters && spells(bytes);
    for (size_t i = 0, n; i < bytes.n; i += n) {
        n = take_first(&k, span_skip(bytes, i), letters);
        if (n == 0)
            return false;
    }
    while (k.n && (k.key[k.n - 1] == '#' || k.key[k.n - 1] == '*'))
        k.n--;
    *out = (struct keys){{room, k.n}, k.pause < k.n ? k.pause : 0};
    return k.n && plus_is_sound(out->all);
}
