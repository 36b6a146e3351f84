/* map.h -- arguments of elementwise kernels: the functions of elementwise.def, and select.
 *
 * y may be an operand that has n elements, and a gradient may be dy; otherwise what is written overlaps nothing, and
 * never in part.  What is read may be the same memory. */
#ifndef PN_KERNELS_MAP_H
#define PN_KERNELS_MAP_H

#include "kernels/elementwise.h"
#include "kernels/params.h"
#include "pn.h"

typedef struct pn_unary { /* forward: y = f(x);  backward: dx (+)= f'(...) dy */
    pn_unary_f f;
    pn_index n;
    const void *x;
    void *y; /* may be x.  backward reads x, y or neither, as the function's row says */
    const void *dy;
    void *dx; /* may be dy */
    bool add;
    double p[PN_MAP_PARAMS]; /* the function's parameters */
} pn_unary;

typedef struct pn_binary { /* y[i] = f(a[i % na], b[i % nb]), n outputs; na and nb divide n */
    pn_binary_f f;
    pn_index n, na, nb;
    const void *a, *b;
    void *y; /* may be an operand that has n elements */
    const void *dy;
    void *d;  /* binary_da, binary_db: d[i] = the gradient for that operand, full size n, written; may be dy */
    bool add; /* or added (only where the operand is full size) */
} pn_binary;

typedef struct pn_compare {
    pn_compare_f f;
    pn_index n, na, nb;
    const void *a, *b;
    uint8_t *y;
} pn_compare;

typedef struct pn_select {  /* select: y = c ? a : b.  select_da: d (+)= c ? dy : 0.  select_db: d (+)= c ? 0 : dy */
    pn_index n, nc, na, nb; /* periods as in pn_binary */
    const uint8_t *c;
    const void *a, *b;
    void *y; /* may be an operand that has n elements */
    const void *dy;
    void *d; /* may be dy */
    bool add;
} pn_select;

#endif
