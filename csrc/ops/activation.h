/* activation.h -- the activation that linear, conv2d and batch_norm fuse: its parameters, and the way back through
 * it. */
#ifndef PN_OPS_ACTIVATION_H
#define PN_OPS_ACTIVATION_H

#include "ops/op.h"

/* The gradient follows from y alone, so leaky_relu's slope must not change a sign: checks slope >= 0. */
int pn_call_check_activation(const pn_call *c, pn_activation act, double slope, pn_error *err);

/* dz, the gradient before the activation: dy itself where there is none, else dy * act'(y), computed into dz. */
const void *pn_call_act_backward(const pn_call *c, pn_activation act, double slope, void *dz);

#define PN_ACTIVATION_DOC "None, \"relu\", \"leaky_relu\", \"sigmoid\" or \"tanh\": applied to the result"
#define PN_SLOPE_DOC "leaky_relu's factor of negative values, at least 0"

#endif
