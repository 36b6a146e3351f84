/* json.h -- reads the subset of JSON that model files need, in place, value by value; safe for any input.
 *
 * A cursor moves over UTF-8 text that need not be NUL-terminated.  Every function returns -1 (or false) if the text is
 * not of the requested form, and the cursor is then invalid; none reads past the end, whatever the text contains. */
#ifndef PN_MODEL_JSON_H
#define PN_MODEL_JSON_H

#include "model/arena.h"

typedef struct pn_json {
    const char *at, *end;
} pn_json;

enum { PN_JSON_DEPTH = 256 };

/* `{` or `[` opens; then pn_json_more before each member or element: 1 there is one, 0 the closing bracket was read. */
bool pn_json_open(pn_json *j, char bracket);
int pn_json_more(pn_json *j, char closing, bool *first);

/* A string, decoded to UTF-8 and NUL-terminated, in size bytes.  A decoded string is never longer than its encoding.
 * pn_json_key also reads the colon after it. */
int pn_json_string(pn_json *j, char *out, size_t size);
int pn_json_key(pn_json *j, char *out, size_t size);
int pn_json_number(pn_json *j, double *out); /* a finite one, the same in every locale */
int pn_json_size(pn_json *j, pn_index *out); /* a whole number from 0 to 2^53 */
int pn_json_skip(pn_json *j);                /* one value of any kind */

/* From an object to the value of one of its members: 1 found (the cursor stands there), 0 not. */
int pn_json_find(pn_json *j, const char *key);

/* The same with a cursor of its own; false also if the text is damaged. */
bool pn_json_get(const pn_json *object, const char *key, pn_json *value);

/* What stands before the fraction in numbers that strtod and printf take and give in the current locale. */
typedef struct pn_decimal_point {
    char s[16];
} pn_decimal_point;
pn_decimal_point pn_read_decimal_point(void);

bool pn_json_word(pn_json *j, const char *word); /* "null": whether it stands here; it is then read */
int pn_json_bool(pn_json *j, bool *out);
int pn_json_text(pn_json *j, pn_arena *arena, char **out, pn_error *err); /* a string of any length */

#endif
