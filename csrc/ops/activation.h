/* activation.h -- the activation that linear, conv2d and batch_norm fuse: its parameters, and the way back through
 * it. */
#ifndef PN_OPS_ACTIVATION_H
#define PN_OPS_ACTIVATION_H

#include "ops/op.h"

/* The gradient follows from y alone, so leaky_relu's slope must not change a sign: checks slope >= 0. */
int pn_call_check_activation(const pn_call *c, pn_activation act, double slope, pn_error *err);

/* The way back through the activation of a layer whose bias is input `bias`, over C columns: gives dz, the gradient
 * before the activation, and the bias its column sums, where wanted.  dz is dy itself where there is no activation or
 * dy may be changed, else it is computed into `dz`.  work: pn_call_act_work bytes. */
typedef struct pn_layer_act {
    pn_activation act;
    double slope;
    int bias;
    pn_index C;
} pn_layer_act;
size_t pn_call_act_work(const pn_call *c, const pn_layer_act *a);
const void *pn_call_act_backward(const pn_call *c, const pn_layer_act *a, void *dz, void *work);

#define PN_ACTIVATION_DOC "None, \"relu\", \"leaky_relu\", \"sigmoid\" or \"tanh\": applied to the result"
#define PN_SLOPE_DOC "leaky_relu's factor of negative values, at least 0"

#endif
