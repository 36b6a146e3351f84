/* axes.h -- views a tensor and the axes to reduce as (outer, len, inner), the form that the reduce kernels take. */
#ifndef PN_OPS_AXES_H
#define PN_OPS_AXES_H

#include "ops/op.h"

/* If the reduced axes are adjacent (ignoring axes of length 1), x is (outer, len, inner) in place.  Otherwise it must
 * be copied first: `order` does that, and gives (outer, len), with the kept axes first, in order. */
typedef struct pn_axes {
    pn_index outer, len, inner;
    bool permuted;
    pn_copy order; /* src: as the tensor lies; dst: permuted; the caller fills both */
} pn_axes;

#define PN_AXES_SIZES(a) .outer = (a)->outer, .len = (a)->len, .inner = (a)->inner

#define PN_AXIS_DOC "the axes to reduce; None: all of them"
#define PN_KEEPDIMS_DOC "keep the reduced axes, with length 1"

/* reduced: bit mask of axes of x. */
pn_axes pn_axes_plan(const pn_view *x, unsigned reduced);

/* The bit mask of a list of axes (None: all axes); fails for an invalid or repeated axis. */
int pn_axes_mask(const pn_call *c, int i, const pn_list *list, unsigned *mask, pn_error *err);

/* Output 0 has the shape of input 0 without the reduced axes, or with length 1 for them (keepdims). */
int pn_axes_output(pn_call *c, pn_dtype dtype, unsigned reduced, bool keepdims, pn_error *err);

#endif
