/* error.c -- raises a pn_error as a Python exception; finds the closest match for a misspelt word. */
#include "binding/binding.h"

#include <string.h>

void *pnb_raise(const pn_error *err)
{
    PyObject *kind = PyExc_RuntimeError;
    switch (err->code) {
    case PN_ESHAPE:
    case PN_EVALUE: kind = PyExc_ValueError; break;
    case PN_EDTYPE: kind = PyExc_TypeError; break;
    case PN_EMEMORY: kind = PyExc_MemoryError; break;
    case PN_ESTOP: kind = PyExc_KeyboardInterrupt; break;
    case PN_ESTATE:
    case PN_OK: break;
    }
    PyErr_SetString(kind, err->text);
    return NULL;
}

enum { LONGEST = 40 };

/* The Levenshtein distance of two words; LONGEST if one is longer than that. */
static int distance(const char *a, const char *b)
{
    const int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    int row[LONGEST + 1];
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            const int above = row[j];
            const int change = diagonal + (a[i - 1] != b[j - 1]);
            const int shift = (above < row[j - 1] ? above : row[j - 1]) + 1;
            row[j] = change < shift ? change : shift;
            diagonal = above;
        }
    }
    return row[m];
}

static int longer_of(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    return (int)(n > m ? n : m);
}

const char *pnb_closest(const char *word, const char *const *words, int n)
{
    const char *best = NULL;
    int least = (int)strlen(word) / 2 + 1; /* with half of the letters wrong it is a different word */
    for (int i = 0; i < n; i++) {
        const int d = distance(word, words[i]);
        if (2 * d > longer_of(word, words[i]))
            continue;
        if (d < least || (d <= 3 && d == least && !best)) {
            least = d;
            best = words[i];
        }
    }
    return best;
}
