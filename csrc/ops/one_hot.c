/* one_hot.c -- y[..., k] = 1 where k is the index, else 0.  indices: int64 (...); y: (..., classes). */
#include "ops/targets.h"

#include <string.h>

typedef struct one_hot_params {
    pn_index classes;
    pn_dtype dtype;
} one_hot_params;

static const one_hot_params defaults = { .dtype = PN_FLOAT32 };
static const pn_param params[] = {
    PN_REQUIRED(classes, INT, "number of classes, at least 1"),
    PN_PARAM(dtype, DTYPE, "dtype of the result"),
};

static int rule(pn_call *c, pn_error *err)
{
    const one_hot_params *p = c->params;
    const pn_view *indices = c->x[0];
    pn_index shape[PN_MAX_DIMS + 1];
    if (indices->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "one_hot: indices is %s; give int64 class numbers (astype(\"int64\") converts)",
                       pn_dtype_name(indices->dtype));
    if (p->classes < 1)
        return pn_fail(err, PN_EVALUE, "one_hot: classes is %td; give at least 1", p->classes);
    if (pn_targets_check_classes(c, 0, p->classes, (pn_optional){ .given = false }, err))
        return -1;
    memcpy(shape, indices->shape, (size_t)indices->ndim * sizeof *shape);
    shape[indices->ndim] = p->classes;
    c->forward_scratch = pn_view_bytes(indices);
    return pn_call_output(c, 0, p->dtype, indices->ndim + 1, shape, err);
}

static void forward(const pn_call *c)
{
    const one_hot_params *p = c->params;
    void *y = c->y[0].data;
    const int64_t *index = pn_call_numbers(c, 0, p->classes, NULL, c->scratch);
    memset(y, 0, pn_view_bytes(&c->y[0]));
    for (pn_index i = 0, at = 0; i < c->x[0]->size; i++, at += p->classes) {
        const pn_index one = at + (pn_index)index[i];
        if (p->dtype == PN_FLOAT32)
            ((float *)y)[one] = 1;
        else if (p->dtype == PN_FLOAT64)
            ((double *)y)[one] = 1;
        else if (p->dtype == PN_INT64)
            ((int64_t *)y)[one] = 1;
        else
            ((uint8_t *)y)[one] = 1;
    }
}

const pn_op pn_op_one_hot = {
    .name = "one_hot",
    .inputs = "indices",
    .n_out = 1,
    .differentiable = false,
    .doc = "One-hot encoding: 1 at the position of the index, 0 elsewhere.\n\n"
           "indices: int64, any shape, each from 0 to classes - 1; returns that shape with an axis of length classes "
           "added.\n\n"
           ">>> pn.ops.one_hot(np.array([2, 0]), classes=3).numpy().tolist()\n[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]",
    PN_PARAMS,
    .rule = rule,
    .forward = forward,
};
