/* flatten.c -- flatten, squeeze and unsqueeze: the same values with a different shape, sharing storage. */
#include "ops/axes.h"

static int share(pn_call *c, int ndim, const pn_index *shape, pn_error *err)
{
    c->alias = 1;
    return pn_call_output(c, 0, c->x[0]->dtype, ndim, shape, err);
}

static void backward(const pn_call *c) { pn_call_pass(c, 0); }

#define VIEW(op_, table_, values_, doc_) \
    const pn_op pn_op_##op_ = {          \
        .name = #op_,                    \
        .inputs = "x",                   \
        .n_out = 1,                      \
        .differentiable = true,          \
        .passes = 1,                     \
        .doc = doc_,                     \
        PN_PARAMS_OF(table_, values_),   \
        .rule = op_##_rule,              \
        .backward = backward,            \
    };

/* ---- flatten ---- */

typedef struct axis_params {
    pn_index axis;
} axis_params;

static const axis_params axis_defaults;
static const pn_param flatten_params[] = {
    PN_PARAM_ROW("axis", axis_defaults, axis, PN_P_INT, false, "the first axis that is flattened"),
};

static int flatten_rule(pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[0];
    const pn_index given = ((const axis_params *)c->params)->axis;
    int axis = 0;
    if ((x->ndim > 0 || given != 0) && pn_call_axis(c, 0, given, &axis, err)) /* a scalar becomes (1,) */
        return -1;
    pn_index shape[PN_MAX_DIMS];
    for (int i = 0; i < axis; i++)
        shape[i] = x->shape[i];
    shape[axis] = pn_view_count(x, axis, x->ndim);
    return share(c, axis + 1, shape, err);
}

VIEW(flatten, flatten_params, axis_defaults,
     "Flattens all axes from `axis` on into one, without copying.\n\n"
     "x: any shape and dtype; returns (n,), or (n, m) with axis=1.\n\n"
     ">>> pn.ops.flatten(np.zeros((2, 3, 4), \"float32\")).shape\n(24,)\n"
     ">>> pn.ops.flatten(np.zeros((2, 3, 4), \"float32\"), 1).shape\n(2, 12)")

/* ---- squeeze ---- */

typedef struct squeeze_params {
    pn_list axis;
} squeeze_params;

static const squeeze_params squeeze_defaults;
static const pn_param squeeze_params_table[] = {
    PN_PARAM_ROW("axis", squeeze_defaults, axis, PN_P_AXES, false, "the axes to remove; None: all of length 1"),
};

static int squeeze_rule(pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[0];
    const pn_list *list = &((const squeeze_params *)c->params)->axis;
    unsigned mask = 0;
    pn_index shape[PN_MAX_DIMS];
    int ndim = 0;
    if (pn_axes_mask(c, 0, list, &mask, err))
        return -1;
    for (int i = 0; i < x->ndim; i++) {
        if (list->given && mask >> i & 1 && x->shape[i] != 1)
            return pn_fail(err, PN_ESHAPE, "squeeze: axis %d of x has length %td; only axes of length 1 go (x is %s)",
                           i, x->shape[i], pn_view_text(x).s);
        if (!(mask >> i & 1) || x->shape[i] != 1)
            shape[ndim++] = x->shape[i];
    }
    return share(c, ndim, shape, err);
}

VIEW(squeeze, squeeze_params_table, squeeze_defaults,
     "Removes axes of length 1, without copying.\n\n"
     "x: any shape and dtype; returns x's shape without them.\n\n"
     ">>> pn.ops.squeeze(np.zeros((2, 1, 3, 1), \"float32\")).shape\n(2, 3)\n"
     ">>> pn.ops.squeeze(np.zeros((1, 3, 1), \"float32\"), axis=-1).shape\n(1, 3)")

/* ---- unsqueeze ---- */

static const pn_param unsqueeze_params[] = {
    PN_PARAM_ROW("axis", axis_defaults, axis, PN_P_INT, true, "the position of the new axis; -1: the last"),
};

static int unsqueeze_rule(pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[0];
    const pn_index ndim = x->ndim + 1, given = ((const axis_params *)c->params)->axis;
    const pn_index axis = given < 0 ? given + ndim : given;
    pn_index shape[PN_MAX_DIMS + 1];
    if (axis < 0 || axis >= ndim)
        return pn_fail(err, PN_ESHAPE, "unsqueeze: axis %td is not an axis of the result, which has %td (x is %s)",
                       given, ndim, pn_view_text(x).s);
    for (pn_index i = 0; i < ndim; i++)
        shape[i] = i == axis ? 1 : x->shape[i - (i > axis)];
    return share(c, (int)ndim, shape, err);
}

VIEW(unsqueeze, unsqueeze_params, axis_defaults,
     "Adds an axis of length 1, without copying.\n\n"
     "x: at most 7 axes, any dtype; returns x's shape with the new axis.\n\n"
     ">>> pn.ops.unsqueeze(np.zeros((2, 3), \"float32\"), 1).shape\n(2, 1, 3)\n"
     ">>> pn.ops.unsqueeze(np.zeros((2, 3), \"float32\"), -1).shape\n(2, 3, 1)")
