/* take.c -- y[i, j, ...] = x[indices[i, j, ...]]: selects rows of x by number, like an embedding lookup.
 *
 * x: (n, ...) of any dtype; indices: int64 of any shape; y: the shape of indices, then that of a row.  Backward adds up
 * the gradients of each row in the order of the indices. */
#include "kernels/image.h"
#include "ops/op.h"

#include <string.h>

enum { X, INDICES };

typedef struct plan {
    pn_take job;  /* without its pointers */
    size_t bytes; /* of a row */
} plan;

static int check_indices(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *indices = c->x[INDICES];
    if (indices->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "take: indices is %s; give int64 row numbers (astype(\"int64\") converts)",
                       pn_dtype_name(indices->dtype));
    const pn_index n = x->shape[0], wrong = pn_call_numbers_wrong(c, INDICES, n);
    if (wrong < 0)
        return 0;
    if (n == 0)
        return pn_fail(err, PN_EVALUE, "take: x is %s, which has no rows to take", pn_view_text(x).s);
    return pn_fail(err, PN_EVALUE, "take: value %td of indices is %lld, but x has rows 0..%td (x is %s)", wrong,
                   (long long)((const int64_t *)indices->data)[wrong], n - 1, pn_view_text(x).s);
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
    plan *p = c->plan;
    p->job = (pn_take){ .rows = x->shape[0], .len = pn_view_count(x, 1, x->ndim), .n = indices->size };
    p->bytes = (size_t)p->job.len * pn_dtype_size(x->dtype);
    *(c->recording ? &c->saved_bytes : &c->forward_scratch) = pn_view_bytes(indices);
    c->backward_scratch = c->k->take_work(&p->job);
    return 0;
}

static void forward(const pn_call *c)
{
    const plan *p = c->plan;
    const pn_view *x = c->x[X];
    const int64_t *index = pn_call_numbers(c, INDICES, p->job.rows, NULL, c->recording ? c->saved : c->scratch);
    if (pn_dtype_is_real(x->dtype)) {
        c->k->gather(c->team, &(pn_gather){ .from = x->dtype,
                                            .rows = p->job.n,
                                            .len = p->job.len,
                                            .channels = 1,
                                            .index = index,
                                            .x = x->data,
                                            .y = c->y[0].data });
        return;
    }
    for (pn_index i = 0; i < p->job.n; i++)
        memcpy((char *)c->y[0].data + (size_t)i * p->bytes, (const char *)x->data + (size_t)index[i] * p->bytes,
               p->bytes);
}

static void backward(const pn_call *c)
{
    pn_take job = ((const plan *)c->plan)->job;
    job.index = c->saved;
    job.dy = c->dy[0];
    job.dx = c->dx[X];
    job.add = c->add[X];
    job.work = c->scratch;
    c->k->take_backward(c->team, &job);
}

const pn_op pn_op_take = {
    .name = "take",
    .inputs = "x indices",
    .n_out = 1,
    .differentiable = true,
    .doc = "Selects rows of x by number: x[indices].\n\n"
           "x: (n, ...), any dtype; indices: int64, any shape, each from 0 to n - 1; returns the shape of indices,\n"
           "then that of a row.  Where a row is taken more than once, its gradients are added.\n\n"
           ">>> pn.ops.take(np.float32([[1, 2], [3, 4]]), np.array([1, 1, 0])).numpy().tolist()\n"
           "[[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]",
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
