/* conv_pool.h -- a convolution and the max pooling of its result, a few images at a time.
 *
 * Only the maxima are kept.  The intermediate result, which is several times larger, goes through a buffer that stays
 * in the cache, and so does its gradient.  Inputs 0 and 1 of the call are x and weight of the convolution. */
#ifndef PN_OPS_CONV_POOL_H
#define PN_OPS_CONV_POOL_H

#include "kernels/conv.h"
#include "kernels/pool2d.h"
#include "ops/op.h"

/* conv has no y, pool has no x. */
typedef struct pn_conv_pool {
    pn_conv conv;
    pn_pool2d pool;
} pn_conv_pool;

/* How the images are cut: how many lanes, and images at a time; where in scratch lane 0 has its parts (between, work,
 * dw_work), `lane` bytes in all; behind the lanes their dW together and the work of adding them. */
typedef struct pn_conv_pool_plan {
    pn_index lanes, images;
    size_t between, work, dw_work, lane;
    size_t dw, sums, total;
} pn_conv_pool_plan;

pn_conv_pool_plan pn_conv_pool_plan_forward(const pn_call *c, const pn_conv *v);
pn_conv_pool_plan pn_conv_pool_plan_backward(const pn_call *c, const pn_conv *v);

/* scratch: the plan's total. */
void pn_conv_pool_forward(const pn_call *c, const pn_conv_pool *a, const pn_conv_pool_plan *p, void *scratch);

/* Computes dx and dW, if wanted, from pool.dy: the gradient of the maxima before the activation. */
void pn_conv_pool_backward(const pn_call *c, const pn_conv_pool *a, const pn_conv_pool_plan *p, void *scratch);

#endif
