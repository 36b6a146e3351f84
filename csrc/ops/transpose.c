/* transpose.c -- axes in another order, as a copy.  y.shape[i] = x.shape[axes[i]]. */
#include "ops/op.h"

typedef struct transpose_params {
    pn_list axes;
} transpose_params;

static const transpose_params defaults;
static const pn_param params[] = {
    PN_PARAM(axes, AXES, "the order of x's axes in the result; None: reversed"),
};

/* The axis of x that becomes axis i. */
static int source(const pn_call *c, int i)
{
    const transpose_params *p = c->params;
    const int ndim = c->x[0]->ndim;
    if (!p->axes.given)
        return ndim - 1 - i;
    return (int)(p->axes.v[i] < 0 ? p->axes.v[i] + ndim : p->axes.v[i]);
}

/* The plan is the copy, over the axes of y. */
static int rule(pn_call *c, pn_error *err)
{
    const transpose_params *p = c->params;
    const pn_view *x = c->x[0];
    if (p->axes.given && p->axes.n != x->ndim)
        return pn_fail(err, PN_ESHAPE, "transpose: axes %s do not name each axis of x once; x is %s",
                       pn_shape_text(p->axes.n, p->axes.v).s, pn_view_text(x).s);
    unsigned seen = 0;
    pn_copy *copy = c->plan;
    *copy = (pn_copy){ .ndim = x->ndim, .item = (int)pn_dtype_size(x->dtype) };
    for (int i = 0; i < x->ndim; i++) {
        int axis;
        if (p->axes.given && pn_call_axis(c, 0, p->axes.v[i], &axis, err))
            return -1;
        axis = source(c, i);
        if (seen >> axis & 1)
            return pn_fail(err, PN_ESHAPE, "transpose: axes %s name axis %d twice",
                           pn_shape_text(p->axes.n, p->axes.v).s, axis);
        seen |= 1u << axis;
        copy->shape[i] = x->shape[axis];
        copy->src_stride[i] = pn_view_count(x, axis + 1, x->ndim);
    }
    if (pn_call_output(c, 0, x->dtype, x->ndim, copy->shape, err))
        return -1;
    for (int i = 0; i < x->ndim; i++)
        copy->dst_stride[i] = pn_view_count(&c->y[0], i + 1, x->ndim);
    return 0;
}

static void forward(const pn_call *c)
{
    pn_copy copy = *(const pn_copy *)c->plan;
    copy.src = c->x[0]->data;
    copy.dst = c->y[0].data;
    c->k->copy(c->team, &copy);
}

static void backward(const pn_call *c)
{
    pn_copy copy = pn_copy_back(c->plan);
    copy.src = c->dy[0];
    copy.dst = c->dx[0];
    copy.add = c->add[0];
    c->k->copy(c->team, &copy);
}

const pn_op pn_op_transpose = {
    .name = "transpose",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "x with its axes in another order, as a copy.\n\n"
           "x: any shape and dtype; axis i of the result is axis axes[i] of x.\n\n"
           ">>> pn.ops.transpose(np.zeros((2, 1, 28, 28), \"float32\"), (0, 2, 3, 1)).shape\n(2, 28, 28, 1)",
    PN_PARAMS,
    PN_PLAN(pn_copy),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
