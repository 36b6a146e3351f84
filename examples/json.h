/* json.h -- reads the subset of JSON that model files need, in place, value by value; no allocation; safe for any
 * input.
 *
 * A cursor moves over UTF-8 text that need not be NUL-terminated.  Every function returns -1 (or false) if the text is
 * not of the requested form, and the cursor is then invalid; none reads past the end, whatever the text contains. */
#ifndef PN_EXAMPLES_JSON_H
#define PN_EXAMPLES_JSON_H

#include "pn.h"

typedef struct json {
    const char *at, *end;
} json;

enum { JSON_MAX_DEPTH = 64 };

/* `{` or `[` opens; then json_more before each member or element: 1 there is one, 0 the closing bracket was read. */
bool json_open(json *j, char bracket);
int json_more(json *j, char closing, bool *first);

/* A string, decoded to UTF-8 and NUL-terminated, in size bytes.  A decoded string is never longer than its encoding.
 * json_key also reads the colon after it. */
int json_string(json *j, char *out, size_t size);
int json_key(json *j, char *out, size_t size);
int json_number(json *j, double *out);
int json_size(json *j, pn_index *out); /* a whole number from 0 to 2^53 */
int json_skip(json *j);                /* one value of any kind */

/* From an object to the value of one of its members: 1 found (the cursor stands there), 0 not. */
int json_find(json *j, const char *key);

#endif
