/* axes.h -- sees a tensor and the axes to reduce as (outer, len, inner), which is what the reduce kernels take. */
#ifndef PN_OPS_AXES_H
#define PN_OPS_AXES_H

#include "ops/op.h"

/* Where the reduced axes are one run (axes of length 1 do not count), x is (outer, len, inner) as it lies.  Elsewhere
 * it must be copied first: `order` does it, and gives (outer, len), the kept axes first, in order. */
typedef struct pn_axes {
    pn_index outer, len, inner;
    bool permuted;
    pn_copy order; /* src: as the tensor lies; dst: permuted; the caller fills both */
} pn_axes;

#define PN_AXES_SIZES(a) .outer = (a)->outer, .len = (a)->len, .inner = (a)->inner

#define PN_AXIS_DOC "the axes to reduce; None: all of them"
#define PN_KEEPDIMS_DOC "leave the reduced axes in place, with length 1"

/* reduced: a bit for each axis of x. */
pn_axes pn_axes_plan(const pn_view *x, unsigned reduced);

/* The bits of an axis list (none given: all axes); fails on a wrong or repeated axis. */
int pn_axes_mask(const pn_call *c, int i, const pn_list *list, unsigned *mask, pn_error *err);

/* Output 0 has the axes of input 0 that are not reduced, or all of them, the reduced ones of length 1 (keepdims). */
int pn_axes_output(pn_call *c, pn_dtype dtype, unsigned reduced, bool keepdims, pn_error *err);

#endif
