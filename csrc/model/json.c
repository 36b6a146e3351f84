/* json.c -- reads JSON in place, value by value.  Source: RFC 8259. */
#include "model/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void skip_space(pn_json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

static bool take(pn_json *j, char c)
{
    skip_space(j);
    if (j->at >= j->end || *j->at != c)
        return false;
    j->at++;
    return true;
}

bool pn_json_open(pn_json *j, char bracket) { return take(j, bracket); }

int pn_json_more(pn_json *j, char closing, bool *first)
{
    if (*first && take(j, closing))
        return 0;
    if (*first) {
        *first = false;
        return 1;
    }
    if (take(j, ','))
        return 1;
    return take(j, closing) ? 0 : -1;
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* Four hexadecimal digits. */
static int hex4(pn_json *j)
{
    static const char digits[] = "0123456789abcdef";
    int value = 0;
    if (j->end - j->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char c = *j->at++;
        const bool upper = c >= 'A' && c <= 'F';
        const char *digit = strchr(digits, upper ? c - 'A' + 'a' : c);
        if (!c || !digit)
            return -1;
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

/* After "\u": the code point, of two escapes where the first is half of a pair.  Half a pair alone, which Python writes
 * for bytes of file names that are not UTF-8, becomes the replacement character. */
static int code_point(pn_json *j)
{
    const int high = hex4(j);
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    pn_json ahead = *j;
    if (high > 0xDBFF || ahead.end - ahead.at < 6 || ahead.at[0] != '\\' || ahead.at[1] != 'u')
        return 0xFFFD;
    ahead.at += 2;
    const int low = hex4(&ahead);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    *j = ahead;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* Writes a code point as UTF-8; returns its bytes, at most 4. */
static size_t encode(int point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    const size_t bytes = (size_t)2 + (point >= 0x800) + (point >= 0x10000);
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    static const int lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    out[0] = (char)(lead[bytes] | point);
    return bytes;
}

/* One character, plain or escaped: its bytes, or 0 where the string is malformed. */
static size_t character(pn_json *j, char out[4])
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char c = *j->at++;
    if ((unsigned char)c < 0x20)
        return 0;
    out[0] = c;
    if (c != '\\')
        return 1;
    if (j->at >= j->end)
        return 0;
    const char escape = *j->at++;
    if (escape == 'u') {
        const int point = code_point(j);
        return point > 0 ? encode(point, out) : 0; /* 0 would end the text early */
    }
    const char *name = escape ? strchr(names, escape) : NULL;
    if (!name)
        return 0;
    out[0] = meanings[name - names];
    return 1;
}

/* out may be NULL: then the string is only checked. */
static int read_string(pn_json *j, char *out, size_t size)
{
    size_t used = 0;
    if (!take(j, '"'))
        return -1;
    while (j->at < j->end && *j->at != '"') {
        char bytes[4];
        const size_t n = character(j, bytes);
        if (n == 0 || (out && used + n + 1 > size))
            return -1;
        if (out)
            memcpy(out + used, bytes, n);
        used += n;
    }
    if (j->at >= j->end || (out && size == 0))
        return -1;
    j->at++;
    if (out)
        out[used] = '\0';
    return 0;
}

int pn_json_string(pn_json *j, char *out, size_t size) { return read_string(j, out, size); }

int pn_json_key(pn_json *j, char *out, size_t size) { return read_string(j, out, size) || !take(j, ':') ? -1 : 0; }

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

pn_decimal_point pn_read_decimal_point(void)
{
    pn_decimal_point point;
    const int n = snprintf(point.s, sizeof point.s, "%.1f", 0.5); /* "0.5", or "0,5" */
    memmove(point.s, point.s + 1, (size_t)n);
    point.s[n - 2] = '\0';
    return point;
}

static bool pass(pn_json *j, const char *any)
{
    const bool found = j->at < j->end && *j->at && strchr(any, *j->at);
    j->at += found;
    return found;
}

/* One digit or more. */
static bool pass_digits(pn_json *j)
{
    const bool found = pass(j, "0123456789");
    while (pass(j, "0123456789")) {
    }
    return found;
}

static int skip_number(pn_json *j)
{
    skip_space(j);
    (void)pass(j, "-");
    if (!pass(j, "0") && !pass_digits(j))
        return -1;
    if (pass(j, ".") && !pass_digits(j))
        return -1;
    if (!pass(j, "eE"))
        return 0;
    (void)pass(j, "+-");
    return pass_digits(j) ? 0 : -1;
}

int pn_json_number(pn_json *j, double *out)
{
    char text[64];
    skip_space(j);
    const char *start = j->at;
    if (skip_number(j) || j->at - start > (ptrdiff_t)(sizeof text - sizeof(pn_decimal_point)))
        return -1;
    const int n = (int)(j->at - start);
    const char *dot = memchr(start, '.', (size_t)n);
    const int whole = dot ? (int)(dot - start) : n;
    snprintf(text, sizeof text, "%.*s%s%.*s", whole, start, dot ? pn_read_decimal_point().s : "",
             dot ? n - whole - 1 : 0, dot ? dot + 1 : start);
    *out = strtod(text, NULL);
    return isfinite(*out) ? 0 : -1;
}

int pn_json_size(pn_json *j, pn_index *out)
{
    double value;
    if (pn_json_number(j, &value) || !(value >= 0) || value > 0x1p53 || value != floor(value))
        return -1;
    *out = (pn_index)value;
    return 0;
}

/* ---- whole values ------------------------------------------------------------------------------------------------ */

/* A word or a number; Python also writes those that are not finite. */
static int skip_word(pn_json *j)
{
    static const char *const words[] = { "true", "false", "null", "NaN", "Infinity", "-Infinity" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (pn_json_word(j, words[i]))
            return 0;
    return skip_number(j);
}

static int skip_value(pn_json *j, int depth)
{
    skip_space(j);
    if (j->at >= j->end || depth > PN_JSON_DEPTH)
        return -1;
    const char open = *j->at;
    if (open == '"')
        return read_string(j, NULL, 0);
    if (open != '{' && open != '[')
        return skip_word(j);
    j->at++;
    bool first = true;
    for (;;) {
        const int more = pn_json_more(j, open == '{' ? '}' : ']', &first);
        if (more <= 0)
            return more;
        if (open == '{' && pn_json_key(j, NULL, 0))
            return -1;
        if (skip_value(j, depth + 1))
            return -1;
    }
}

int pn_json_skip(pn_json *j) { return skip_value(j, 0); }

int pn_json_find(pn_json *j, const char *key)
{
    bool first = true;
    if (!pn_json_open(j, '{'))
        return -1;
    for (;;) {
        char name[128];
        const int more = pn_json_more(j, '}', &first);
        if (more <= 0)
            return more;
        pn_json start = *j;
        if (pn_json_key(j, NULL, 0))
            return -1;
        if (pn_json_key(&start, name, sizeof name) == 0 && strcmp(name, key) == 0)
            return 1;
        if (pn_json_skip(j))
            return -1;
    }
}

bool pn_json_get(const pn_json *object, const char *key, pn_json *value)
{
    *value = *object;
    return pn_json_find(value, key) == 1;
}

bool pn_json_word(pn_json *j, const char *word)
{
    const size_t n = strlen(word);
    skip_space(j);
    if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n) != 0)
        return false;
    j->at += n;
    return true;
}

int pn_json_bool(pn_json *j, bool *out)
{
    *out = pn_json_word(j, "true");
    return *out || pn_json_word(j, "false") ? 0 : -1;
}

int pn_json_text(pn_json *j, pn_arena *arena, char **out, pn_error *err)
{
    pn_json after = *j;
    if (read_string(&after, NULL, 0))
        return -1;
    const size_t room = (size_t)(after.at - j->at) + 1;
    *out = pn_arena_get(arena, room, err);
    return *out ? read_string(j, *out, room) : -1;
}
