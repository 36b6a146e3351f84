/* expand.c -- broadcasting by NumPy's rules: repeats axes of length 1 and adds leading axes; backward sums the gradient
 * over the repetitions. */
#include "kernels/reduce.h"
#include "ops/axes.h"

typedef struct expand_params {
    pn_list shape;
} expand_params;

static const expand_params defaults;
static const pn_param params[] = {
    PN_REQUIRED(shape, SHAPE, "the shape to broadcast to"),
};

typedef struct plan {
    pn_copy copy;   /* forward */
    pn_axes axes;   /* of y, along which x is repeated: those x lacks, and those of which x has length 1 */
    pn_reduce sums; /* backward: over them */
    size_t dy, work, total;
} plan;

static pn_copy copy_of(const pn_view *x, const pn_view *y)
{
    pn_copy copy = { .ndim = y->ndim, .item = (int)pn_dtype_size(x->dtype) };
    pn_index dst = 1, src = 1;
    for (int i = y->ndim - 1, j = x->ndim - 1; i >= 0; i--, j--) {
        copy.shape[i] = y->shape[i];
        copy.dst_stride[i] = dst;
        dst *= y->shape[i];
        copy.src_stride[i] = j >= 0 && x->shape[j] == y->shape[i] ? src : 0;
        src *= j >= 0 ? x->shape[j] : 1;
    }
    return copy;
}

static void plan_backward(const pn_call *c, plan *b)
{
    const pn_view *x = c->x[0], *y = &c->y[0];
    unsigned repeated = 0;
    for (int i = 0, j = x->ndim - y->ndim; i < y->ndim; i++, j++)
        if (j < 0 || x->shape[j] != y->shape[i])
            repeated |= 1u << i;
    b->axes = pn_axes_plan(y, repeated);
    b->sums = (pn_reduce){ .f = PN_REDUCE_SUM, PN_AXES_SIZES(&b->axes) };
    b->total = 0;
    b->dy = pn_part(&b->total, b->axes.permuted ? y->size : 0, pn_call_item(c));
    b->work = pn_part(&b->total, 1, c->k->reduce_work(&b->sums));
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_list *shape = &((const expand_params *)c->params)->shape;
    const pn_view *x = c->x[0];
    bool fits = x->ndim <= shape->n;
    for (int i = 1; fits && i <= x->ndim; i++)
        fits = x->shape[x->ndim - i] == shape->v[shape->n - i] || x->shape[x->ndim - i] == 1;
    if (!fits)
        return pn_fail(err, PN_ESHAPE,
                       "expand: x is %s, which does not broadcast to %s; axes are matched from the last, "
                       "and each of x's must have the same length or 1",
                       pn_view_text(x).s, pn_shape_text(shape->n, shape->v).s);
    if (pn_call_output(c, 0, x->dtype, shape->n, shape->v, err))
        return -1;
    plan *b = c->plan;
    b->copy = copy_of(x, &c->y[0]);
    if (c->recording) {
        plan_backward(c, b);
        c->backward_scratch = b->total;
    }
    return 0;
}

static void forward(const pn_call *c)
{
    pn_copy copy = ((const plan *)c->plan)->copy;
    copy.src = c->x[0]->data;
    copy.dst = c->y[0].data;
    c->k->copy(c->team, &copy);
}

static void backward(const pn_call *c)
{
    const plan *b = c->plan;
    pn_reduce sums = b->sums;
    sums.x = c->dy[0];
    if (b->axes.permuted) {
        pn_copy copy = b->axes.order;
        copy.src = c->dy[0];
        copy.dst = pn_at(c->scratch, b->dy);
        c->k->copy(c->team, &copy);
        sums.x = copy.dst;
    }
    sums.y = c->dx[0];
    sums.add = c->add[0];
    sums.work = pn_at(c->scratch, b->work);
    c->k->reduce_forward(c->team, &sums);
}

const pn_op pn_op_expand = {
    .name = "expand",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "x broadcast to a shape, by NumPy's rules.\n\n"
           "x: each axis, matched from the last, has the length in shape, or 1; returns shape.\n\n"
           ">>> pn.ops.expand(np.float32([[1], [2]]), (2, 3)).numpy().tolist()\n[[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
