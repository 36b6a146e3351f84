/* argmax.c -- index of the largest value along an axis: the first of several equal ones; NaN counts as the largest. */
#include "kernels/reduce.h"
#include "ops/op.h"

typedef struct argmax_params {
    pn_index axis;
    bool keepdims;
} argmax_params;

static const argmax_params defaults = { .axis = -1 };
static const pn_param params[] = {
    PN_PARAM(axis, INT, "the axis to search; -1: the last"),
    PN_PARAM(keepdims, BOOL, "keep the axis, with length 1"),
};

static int rule(pn_call *c, pn_error *err)
{
    const argmax_params *p = c->params;
    const pn_view *x = c->x[0];
    int axis;
    if (pn_call_check_promoted(c, err) || pn_call_axis(c, 0, p->axis, &axis, err))
        return -1;
    if (x->shape[axis] == 0)
        return pn_fail(err, PN_ESHAPE, "argmax: x is %s: axis %d holds no values", pn_view_text(x).s, axis);
    pn_index shape[PN_MAX_DIMS];
    int ndim = 0;
    for (int i = 0; i < x->ndim; i++)
        if (i != axis)
            shape[ndim++] = x->shape[i];
        else if (p->keepdims)
            shape[ndim++] = 1;
    *(pn_argmax *)c->plan = (pn_argmax){ .outer = pn_view_count(x, 0, axis),
                                         .len = x->shape[axis],
                                         .inner = pn_view_count(x, axis + 1, x->ndim) };
    return pn_call_output(c, 0, PN_INT64, ndim, shape, err);
}

static void forward(const pn_call *c)
{
    pn_argmax job = *(const pn_argmax *)c->plan;
    job.x = c->x[0]->data;
    job.y = c->y[0].data;
    c->k->argmax(c->team, &job);
}

const pn_op pn_op_argmax = {
    .name = "argmax",
    .inputs = "x",
    .n_out = 1,
    .differentiable = false,
    .promotion = PN_EXACT,
    .promotes = 1,
    .doc = "Index of the largest value along an axis: the first of several equal ones, or the first NaN.\n\n"
           "x: at least 1 axis; returns int64, x's shape without the axis (or with length 1: keepdims).\n\n"
           ">>> pn.ops.argmax(np.float32([[1, 3, 2], [9, 8, 7]])).numpy().tolist()\n[1, 0]",
    PN_PARAMS,
    PN_PLAN(pn_argmax),
    .rule = rule,
    .forward = forward,
};
