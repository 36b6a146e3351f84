/* activation.c -- the activation fused into linear, conv2d and batch_norm. */
#include "kernels/act.h"
#include "ops/activation.h"

int pn_call_check_activation(const pn_call *c, pn_activation act, double slope, pn_error *err)
{
    if (act == PN_ACT_LEAKY_RELU && !(slope >= 0))
        return pn_fail(err, PN_EVALUE, "%s: slope is %g; give 0 or more (the op leaky_relu takes any)", c->op->name,
                       slope);
    return 0;
}

static pn_act act_of(const pn_call *c, const pn_layer_act *a)
{
    return (pn_act){ .act = a->act, .slope = a->slope, .n = c->y[0].size, .C = a->C };
}

size_t pn_call_act_work(const pn_call *c, const pn_layer_act *a)
{
    if (!c->wants[a->bias])
        return 0;
    const pn_act act = act_of(c, a);
    const size_t alone = pn_call_sum_rows_work(c, c->y[0].size, a->C), both = c->k->act_work(&act);
    return pn_larger(alone, both);
}

const void *pn_call_act_backward(const pn_call *c, const pn_layer_act *a, void *dz, void *work)
{
    void *sums = c->dx[a->bias];
    if (a->act == PN_ACT_NONE) {
        if (sums)
            pn_call_sum_rows(c, c->dy[0], c->y[0].size, a->C, sums, c->add[a->bias], work);
        return c->dy[0];
    }
    if (c->owns_dy && a->act == PN_ACT_RELU)
        dz = (void *)(uintptr_t)c->dy[0];
    pn_act act = act_of(c, a);
    act.dy = c->dy[0];
    act.y = c->y[0].data;
    act.dz = dz;
    act.sums = sums;
    act.add = sums && c->add[a->bias];
    act.work = work;
    (sums ? c->k->act_sum : c->k->act_backward)(c->team, &act);
    return dz;
}
