/* activation.h -- the activation fused into linear, conv2d and batch_norm: its parameters and its gradient. */
#ifndef PN_OPS_ACTIVATION_H
#define PN_OPS_ACTIVATION_H

#include "ops/op.h"

/* The gradient is computed from y alone, so the slope of leaky_relu must not change the sign: checks slope >= 0. */
int pn_call_check_activation(const pn_call *c, pn_activation act, double slope, pn_error *err);

/* Backward through the activation of a layer whose bias is input `bias`, over C columns: returns dz, the gradient
 * before the activation, and computes the gradient of the bias (its column sums) if wanted.  dz is dy itself if there
 * is no activation or dy may be overwritten, else it is written to `dz`.  work: pn_call_act_work bytes. */
typedef struct pn_layer_act {
    pn_activation act;
    double slope;
    int bias;
    pn_index C;
} pn_layer_act;
size_t pn_call_act_work(const pn_call *c, const pn_layer_act *a);
const void *pn_call_act_backward(const pn_call *c, const pn_layer_act *a, void *dz, void *work);

#define PN_ACTIVATION_DOC "None, \"relu\", \"leaky_relu\", \"sigmoid\" or \"tanh\": applied to the result"
#define PN_SLOPE_DOC "factor of negative values for leaky_relu, at least 0"

#endif
