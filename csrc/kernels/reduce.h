/* reduce.h -- arguments of reductions: x is (outer, len, inner), y is (outer, inner).
 *
 * What is written (y, dx, mean, rest, partial, work) overlaps nothing; what is read may be the same memory. */
#ifndef PN_KERNELS_REDUCE_H
#define PN_KERNELS_REDUCE_H

#include "pn.h"

typedef enum {
    PN_REDUCE_SUM,
    PN_REDUCE_MEAN,
    PN_REDUCE_MAX,
    PN_REDUCE_MIN,
    PN_REDUCE_VAR
} pn_reduce_f; /* VAR divides by len - correction */

typedef struct pn_reduce { /* NaN anywhere gives NaN.  Sums run in fixed cuts, pairwise across them */
    pn_reduce_f f;
    pn_index outer, len, inner;
    double correction;
    const void *x;
    void *y;
    bool add; /* forward, SUM only: y += */
    const void *dy;
    void *dx; /* reduce_backward: dx (+)=; max and min share dy evenly among equals */
    bool add_dx;
    void *mean,
        *rest;  /* VAR, (outer, inner): mean + rest is the mean; forward writes them unless NULL, backward reads them */
    void *work; /* reduce_work(this) bytes */
} pn_reduce;

typedef struct pn_argmax {
    pn_index outer, len, inner;
    const void *x;
    int64_t *y;
} pn_argmax; /* first of equals; NaN wins */

#endif
