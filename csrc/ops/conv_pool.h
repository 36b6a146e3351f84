/* conv_pool.h -- a convolution and the max pooling of its result, some images at a time.
 *
 * Only the maxima are kept.  What lies between the two, several times as large, goes through a buffer that stays in the
 * cache; the gradient of the maxima likewise.  The call's inputs 0 and 1 are the convolution's x and weight. */
#ifndef PN_OPS_CONV_POOL_H
#define PN_OPS_CONV_POOL_H

#include "ops/op.h"

/* conv without y; pool without x. */
typedef struct pn_conv_pool {
    pn_conv conv;
    pn_pool2d pool;
} pn_conv_pool;

size_t pn_conv_pool_forward_scratch(const pn_call *c, const pn_conv_pool *a);
void pn_conv_pool_forward(const pn_call *c, const pn_conv_pool *a, void *scratch);

/* dx and dW, where wanted, from pool.dy: the gradient of the maxima before the activation. */
size_t pn_conv_pool_backward_scratch(const pn_call *c, const pn_conv_pool *a);
void pn_conv_pool_backward(const pn_call *c, const pn_conv_pool *a, void *scratch);

#endif
