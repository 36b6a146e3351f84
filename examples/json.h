/* json.h -- reads JSON in place, value by value, as much of it as model files need; no allocation, any input.
 *
 * A cursor moves over UTF-8 text that need not end in 0.  Every function returns -1 (or false) where the text is not
 * what was asked for, and the cursor is then of no more use; none reads past the end, whatever the text holds. */
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

/* A string, decoded to UTF-8 and ended by 0, in size bytes.  A decoded string is never longer than what it is written
 * as.  json_key reads the colon after it, too. */
int json_string(json *j, char *out, size_t size);
int json_key(json *j, char *out, size_t size);
int json_number(json *j, double *out);
int json_size(json *j, pn_index *out); /* a whole number from 0 to 2^53 */
int json_skip(json *j);                /* one value of any kind */

/* From an object to the value of one of its members: 1 found (the cursor stands there), 0 not. */
int json_find(json *j, const char *key);

#endif
