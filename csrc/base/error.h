/* error.h -- how functions report errors. */
#ifndef PN_BASE_ERROR_H
#define PN_BASE_ERROR_H

#include "pn.h"

typedef enum {
    PN_OK,
    PN_ESHAPE,  /* shapes, ranks, axes:              ValueError in Python */
    PN_EVALUE,  /* values, ranges, names:            ValueError */
    PN_EDTYPE,  /* dtypes:                           TypeError */
    PN_EMEMORY, /* out of memory, or over the limit: MemoryError */
    PN_ESTATE,  /* not allowed in this state:        RuntimeError */
    PN_ESTOP,   /* interrupted on request:           KeyboardInterrupt */
} pn_code;

typedef struct pn_error {
    pn_code code;
    char text[640];
} pn_error;

/* Fills err (which may be NULL) and returns -1, so that callers can write `return pn_fail(...)`. */
int pn_fail(pn_error *err, pn_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
