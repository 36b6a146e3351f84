/* softmax.c -- softmax and its logarithm, along the last axis.  Source: Bridle 1990.
 *
 * softmax:      y = exp(x - max) / sum,   dx = y (dy - <y, dy>)
 * log_softmax:  y = x - max - log(sum),   dx = dy - exp(y) sum(dy) */
#include "ops/op.h"

static int rule(pn_call *c, pn_error *err)
{
    if (pn_call_check_promoted(c, err))
        return -1;
    if (c->x[0]->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "%s: x needs at least 1 axis, got a scalar", c->op->name);
    c->keep_y = PN_KEEP_Y(0);
    return pn_call_output_like(c, 0, c->x[0], err);
}

static pn_softmax job(const pn_call *c)
{
    const pn_view *x = c->x[0];
    return (pn_softmax){ .rows = pn_view_count(x, 0, x->ndim - 1),
                         .C = x->shape[x->ndim - 1],
                         .x = x->data,
                         .y = c->y[0].data,
                         .dy = c->dy[0],
                         .dx = c->dx[0],
                         .add = c->add[0] };
}

static void softmax_forward(const pn_call *c)
{
    const pn_softmax softmax = job(c);
    c->k->softmax_forward(c->team, &softmax);
}

static void softmax_backward(const pn_call *c)
{
    const pn_softmax softmax = job(c);
    if (softmax.dx)
        c->k->softmax_backward(c->team, &softmax);
}

static void log_softmax_forward(const pn_call *c)
{
    const pn_softmax softmax = job(c);
    c->k->log_softmax_forward(c->team, &softmax);
}

static void log_softmax_backward(const pn_call *c)
{
    const pn_softmax softmax = job(c);
    if (softmax.dx)
        c->k->log_softmax_backward(c->team, &softmax);
}

const pn_op pn_op_softmax = {
    .name = "softmax",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .promotion = PN_REAL,
    .promotes = 1,
    .doc = "Probabilities along the last axis: exp(x - max) / sum (Bridle 1990).\n\n"
           "x: (..., C); returns (..., C), whose rows sum to 1.\n\n"
           ">>> pn.ops.softmax(np.float32([[0, 0]])).numpy().tolist()\n[[0.5, 0.5]]",
    .rule = rule,
    .forward = softmax_forward,
    .backward = softmax_backward,
};

const pn_op pn_op_log_softmax = {
    .name = "log_softmax",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .promotion = PN_REAL,
    .promotes = 1,
    .doc = "Logarithm of the softmax along the last axis, without overflow: x - max - log(sum(exp(x - max))).\n\n"
           "x: (..., C); returns (..., C).\n\n"
           ">>> pn.ops.log_softmax(np.float32([[0, 0, 0]])).shape\n(1, 3)",
    .rule = rule,
    .forward = log_softmax_forward,
    .backward = log_softmax_backward,
};
