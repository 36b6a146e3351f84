/* take.c -- y[i, j, ...] = x[indices[i, j, ...]]: rows of x by their numbers, as an embedding looks up its vectors.
 *
 * x: (n, ...) of any dtype; indices: int64 of any shape; y: indices' shape, then that of a row.  The gradient of x adds
 * up what came back to each row, in the order of the indices. */
#include "ops/op.h"

#include <string.h>

enum { X, INDICES };

static int check_indices(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *indices = c->x[INDICES];
    if (indices->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "take: indices is %s; give int64 row numbers (astype(\"int64\") converts)",
                       pn_dtype_name(indices->dtype));
    const int64_t *index = indices->data, n = x->shape[0];
    for (pn_index i = 0; index && i < indices->size; i++) {
        if (index[i] >= 0 && index[i] < n)
            continue;
        if (n == 0)
            return pn_fail(err, PN_EVALUE, "take: x is %s, which has no rows to take", pn_view_text(x).s);
        return pn_fail(err, PN_EVALUE, "take: value %td of indices is %lld, but x has rows 0..%lld (x is %s)", i,
                       (long long)index[i], (long long)n - 1, pn_view_text(x).s);
    }
    return 0;
}

static pn_take job_of(const pn_call *c)
{
    const pn_view *x = c->x[X];
    return (pn_take){ .rows = x->shape[0],
                      .len = pn_view_count(x, 1, x->ndim),
                      .n = c->x[INDICES]->size,
                      .index = c->x[INDICES]->data,
                      .dy = c->dy[0],
                      .dx = c->dx[X],
                      .add = c->add[X],
                      .work = c->scratch };
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *indices = c->x[INDICES];
    pn_index shape[2 * PN_MAX_DIMS];
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "take: x needs at least 1 axis, the rows; got a scalar");
    if (check_indices(c, err))
        return -1;
    memcpy(shape, indices->shape, (size_t)indices->ndim * sizeof *shape);
    memcpy(shape + indices->ndim, x->shape + 1, (size_t)(x->ndim - 1) * sizeof *shape);
    if (pn_call_output(c, 0, x->dtype, indices->ndim + x->ndim - 1, shape, err))
        return -1;
    const pn_take job = job_of(c);
    c->keep_x = PN_KEEP_X(INDICES);
    c->backward_scratch = c->wants[X] ? c->k->take_work(&job) : 0;
    return 0;
}

static void forward(const pn_call *c)
{
    const pn_view *x = c->x[X];
    const pn_take job = job_of(c);
    if (pn_dtype_is_real(x->dtype)) {
        c->k->gather(c->team, &(pn_gather){ .from = x->dtype,
                                            .rows = job.n,
                                            .len = job.len,
                                            .channels = 1,
                                            .index = job.index,
                                            .x = x->data,
                                            .y = c->y[0].data });
        return;
    }
    const size_t bytes = (size_t)job.len * pn_dtype_size(x->dtype);
    for (pn_index i = 0; i < job.n; i++)
        memcpy((char *)c->y[0].data + (size_t)i * bytes, (const char *)x->data + (size_t)job.index[i] * bytes, bytes);
}

static void backward(const pn_call *c)
{
    const pn_take job = job_of(c);
    if (job.dx)
        c->k->take_backward(c->team, &job);
}

const pn_op pn_op_take = {
    .name = "take",
    .inputs = "x indices",
    .n_out = 1,
    .differentiable = true,
    .doc = "Rows of x by their numbers: x[indices].\n\n"
           "x: (n, ...), any dtype; indices: int64, any shape, each from 0 to n - 1; returns the shape of indices,\n"
           "then that of a row.  Where a row is taken more than once, its gradients are added.\n\n"
           ">>> pn.ops.take(np.float32([[1, 2], [3, 4]]), np.array([1, 1, 0])).numpy().tolist()\n"
           "[[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]",
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
