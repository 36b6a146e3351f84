/* concat.c -- joins tensors along an existing axis (concat) or a new one (stack). */
#include "ops/op.h"

typedef struct concat_params {
    pn_index axis;
} concat_params;

static const concat_params defaults;
static const pn_param params[] = {
    PN_PARAM(axis, INT, "the axis along which they are joined; -1: the last"),
};
static const pn_param stack_params[] = {
    PN_PARAM(axis, INT, "the position of the new axis in the result; -1: the last"),
};

typedef struct plan {
    pn_index axis; /* from 0 */
} plan;

static bool fits(const pn_view *first, const pn_view *other, int axis)
{
    bool same = first->ndim == other->ndim;
    for (int i = 0; same && i < first->ndim; i++)
        same = i == axis || first->shape[i] == other->shape[i];
    return same;
}

static int concat_rule(pn_call *c, pn_error *err)
{
    const concat_params *p = c->params;
    const pn_view *first = c->x[0];
    int axis;
    if (pn_call_axis(c, 0, p->axis, &axis, err))
        return -1;
    ((plan *)c->plan)->axis = axis;
    pn_index shape[PN_MAX_DIMS] = { 0 }, length = 0;
    for (int i = 0; i < c->n_in; i++) {
        const pn_view *x = c->x[i];
        if (!x)
            return pn_fail(err, PN_EVALUE, "concat: tensors[%d] is missing", i);
        if (x->dtype != first->dtype)
            return pn_fail(err, PN_EDTYPE,
                           "concat: tensors[%d] is %s, but tensors[0] is %s; give one dtype (astype converts)", i,
                           pn_dtype_name(x->dtype), pn_dtype_name(first->dtype));
        if (!fits(first, x, axis))
            return pn_fail(err, PN_ESHAPE,
                           "concat: tensors[%d] is %s, but tensors[0] is %s; they may differ in axis %d only", i,
                           pn_view_text(x).s, pn_view_text(first).s, axis);
        if (__builtin_add_overflow(length, x->shape[axis], &length))
            return pn_fail(err, PN_ESHAPE, "concat: the joined axis is too long");
    }
    for (int i = 0; i < first->ndim; i++)
        shape[i] = i == axis ? length : first->shape[i];
    return pn_call_output(c, 0, first->dtype, first->ndim, shape, err);
}

static int stack_rule(pn_call *c, pn_error *err)
{
    const pn_view *first = c->x[0];
    const pn_index ndim = first->ndim + 1, given = ((const concat_params *)c->params)->axis;
    const pn_index axis = given < 0 ? given + ndim : given;
    pn_index shape[PN_MAX_DIMS + 1];
    if (axis < 0 || axis >= ndim)
        return pn_fail(err, PN_ESHAPE, "stack: axis %td is not an axis of the result, which has %td", given, ndim);
    for (int i = 0; i < c->n_in; i++) {
        const pn_view *x = c->x[i];
        if (!x)
            return pn_fail(err, PN_EVALUE, "stack: tensors[%d] is missing", i);
        if (!pn_view_same_shape(x, first) || x->dtype != first->dtype)
            return pn_fail(err, PN_ESHAPE, "stack: tensors[%d] is %s %s, but tensors[0] is %s %s; give one shape", i,
                           pn_dtype_name(x->dtype), pn_view_text(x).s, pn_dtype_name(first->dtype),
                           pn_view_text(first).s);
    }
    for (pn_index i = 0; i < ndim; i++)
        shape[i] = i == axis ? c->n_in : first->shape[i - (i > axis)];
    ((plan *)c->plan)->axis = axis;
    return pn_call_output(c, 0, first->dtype, (int)ndim, shape, err);
}

/* Each tensor is (outer, run), next to the others in the rows of y; at: where its run starts in a row. */
static pn_copy job(const pn_call *c, int i)
{
    const int axis = (int)((const plan *)c->plan)->axis;
    const pn_index run = pn_view_count(c->x[i], axis, c->x[i]->ndim), row = pn_view_count(&c->y[0], axis, c->y[0].ndim);
    return (pn_copy){ .ndim = 2,
                      .shape = { pn_view_count(c->x[i], 0, axis), run },
                      .src_stride = { run, 1 },
                      .dst_stride = { row, 1 },
                      .item = (int)pn_dtype_size(c->y[0].dtype) };
}

static void forward(const pn_call *c)
{
    char *at = c->y[0].data;
    for (int i = 0; i < c->n_in; i++) {
        pn_copy copy = job(c, i);
        copy.src = c->x[i]->data;
        copy.dst = at;
        c->k->copy(c->team, &copy);
        at += copy.shape[1] * copy.item;
    }
}

static void backward(const pn_call *c)
{
    const char *at = c->dy[0];
    for (int i = 0; i < c->n_in; i++) {
        const pn_copy there = job(c, i);
        pn_copy copy = pn_copy_back(&there);
        copy.src = at;
        copy.dst = c->dx[i];
        copy.add = c->add[i];
        if (copy.dst)
            c->k->copy(c->team, &copy);
        at += copy.shape[1] * copy.item;
    }
}

const pn_op pn_op_concat = {
    .name = "concat",
    .inputs = "tensors*",
    .n_out = 1,
    .differentiable = true,
    .promotion = PN_EXACT,
    .promotes = UINT64_MAX,
    .doc = "Tensors joined along an axis.\n\n"
           "tensors: 1 to 64, whose shapes differ in that axis only; returns the joined tensor.\n\n"
           ">>> pn.ops.concat([np.zeros((2, 3), \"float32\"), np.ones((2, 1), \"float32\")], axis=1).shape\n(2, 4)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = concat_rule,
    .forward = forward,
    .backward = backward,
};

const pn_op pn_op_stack = {
    .name = "stack",
    .inputs = "tensors*",
    .n_out = 1,
    .differentiable = true,
    .promotion = PN_EXACT,
    .promotes = UINT64_MAX,
    .doc = "Tensors of the same shape joined along a new axis.\n\n"
           "tensors: 1 to 64 of the same shape; returns that shape with one more axis, of length len(tensors).\n\n"
           ">>> pn.ops.stack([np.zeros(3, \"float32\"), np.ones(3, \"float32\")]).shape\n(2, 3)",
    PN_PARAMS_OF(stack_params, defaults),
    PN_PLAN(plan),
    .rule = stack_rule,
    .forward = forward,
    .backward = backward,
};
