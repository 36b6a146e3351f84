/* activation.c -- the activation that linear, conv2d and batch_norm fuse. */
#include "ops/activation.h"

int pn_call_check_activation(const pn_call *c, pn_activation act, double slope, pn_error *err)
{
    if (act == PN_ACT_LEAKY_RELU && !(slope >= 0))
        return pn_fail(err, PN_EVALUE, "%s: slope is %g; give 0 or more (the op leaky_relu takes any)", c->op->name,
                       slope);
    return 0;
}

const void *pn_call_act_backward(const pn_call *c, pn_activation act, double slope, void *dz)
{
    if (act == PN_ACT_NONE)
        return c->dy[0];
    c->k->act_backward(c->team, &(pn_act){ .act = act, .slope = slope, .n = c->y[0].size, .dy = c->dy[0],
                                           .y = c->y[0].data, .dz = dz });
    return dz;
}
