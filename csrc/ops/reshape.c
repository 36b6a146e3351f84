/* reshape.c -- the same values with another shape, sharing storage; passes its gradient through. */
#include "ops/op.h"

typedef struct reshape_params {
    pn_list shape;
} reshape_params;

static const reshape_params defaults;
static const pn_param params[] = {
    PN_REQUIRED(shape, SHAPE, "the new shape; one length may be -1, and is then inferred"),
};

/* Replaces a -1 by the length that follows from the others. */
static int find_unknown(const pn_call *c, pn_index *shape, int n, pn_error *err)
{
    pn_index known = 1;
    int unknown = -1;
    for (int i = 0; i < n; i++) {
        if (shape[i] != -1) {
            if (shape[i] < 0 || __builtin_mul_overflow(known, shape[i], &known))
                return pn_fail(err, PN_ESHAPE, "reshape: %s is not a shape", pn_shape_text(n, shape).s);
        } else if (unknown >= 0) {
            return pn_fail(err, PN_ESHAPE, "reshape: %s has more than one -1", pn_shape_text(n, shape).s);
        } else {
            unknown = i;
        }
    }
    if (unknown >= 0 && known > 0)
        shape[unknown] = c->x[0]->size / known;
    if (unknown >= 0 && known == 0)
        return pn_fail(err, PN_ESHAPE, "reshape: the -1 in %s could be anything, as another length is 0",
                       pn_shape_text(n, shape).s);
    return 0;
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_list *wanted = &((const reshape_params *)c->params)->shape;
    pn_list shape = *wanted;
    if (find_unknown(c, shape.v, shape.n, err) || pn_call_output(c, 0, c->x[0]->dtype, shape.n, shape.v, err))
        return -1;
    if (c->y[0].size != c->x[0]->size)
        return pn_fail(err, PN_ESHAPE, "reshape: x is %s, %td values, which do not fill %s", pn_view_text(c->x[0]).s,
                       c->x[0]->size, pn_shape_text(wanted->n, wanted->v).s);
    c->alias = 1;
    return 0;
}

static void backward(const pn_call *c) { pn_call_pass(c, 0); }

const pn_op pn_op_reshape = {
    .name = "reshape",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .passes = 1,
    .doc = "The same values in the same order with another shape, without copying.\n\n"
           "x: any shape and dtype; returns shape, which must have the same number of values.\n\n"
           ">>> pn.ops.reshape(np.zeros((2, 6), \"float32\"), (3, -1)).shape\n(3, 4)",
    PN_PARAMS,
    .rule = rule,
    .backward = backward,
};
