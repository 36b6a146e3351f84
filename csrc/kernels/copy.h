/* copy.h -- arguments of copies and lines: strided copy, axpy, fill.
 *
 * axpy: y may be x.  Otherwise src and dst do not overlap; destination elements are distinct. */
#ifndef PN_KERNELS_COPY_H
#define PN_KERNELS_COPY_H

#include "pn.h"

typedef struct pn_axpy { /* y = a x, or y += a x; y may be x */
    pn_index n;
    double a;
    const void *x;
    void *y;
    bool add;
} pn_axpy;

typedef struct pn_fill {
    pn_index n;
    double value;
    void *y;
} pn_fill;

/* Strided copy: dst[...] (+)= src[...] over `shape`.  item: bytes of an element (1, or 8 for int64, else sizeof real);
 * add needs the table's real.  A source stride of 0 repeats (expand); destination elements are distinct. */
typedef struct pn_copy {
    int ndim;
    pn_index shape[PN_MAX_DIMS], dst_stride[PN_MAX_DIMS], src_stride[PN_MAX_DIMS];
    const void *src;
    void *dst;
    int item;
    bool add;
} pn_copy;

#endif
