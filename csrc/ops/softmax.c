/* softmax.c -- softmax and its logarithm, along an axis.  Source: Bridle 1990.
 *
 * softmax:      y = exp(x - max) / sum,   dx = y (dy - <y, dy>)
 * log_softmax:  y = x - max - log(sum),   dx = dy - exp(y) sum(dy)
 *
 * The kernels work on rows: if the axis is not the last, the data is transposed in scratch. */
#include "kernels/loss.h"
#include "ops/op.h"

typedef struct softmax_params {
    pn_index axis;
} softmax_params;

static const softmax_params defaults = { .axis = -1 };
static const pn_param params[] = {
    PN_PARAM(axis, INT, "the axis whose values sum to 1; -1: the last"),
};

typedef struct plan {
    pn_index outer, len, inner; /* x round the axis */
    size_t parts[3], total;     /* scratch, where inner > 1: x and y; backward: y, dy and dx */
} plan;

typedef void kernel(const pn_team *team, const pn_softmax *job);

static int rule(pn_call *c, pn_error *err)
{
    const softmax_params *p = c->params;
    const pn_view *x = c->x[0];
    plan *made = c->plan;
    int axis;
    if (pn_call_check_promoted(c, err))
        return -1;
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "%s: x needs at least 1 axis, got a scalar", c->op->name);
    if (pn_call_axis(c, 0, p->axis, &axis, err))
        return -1;
    *made = (plan){ .outer = pn_view_count(x, 0, axis),
                    .len = x->shape[axis],
                    .inner = pn_view_count(x, axis + 1, x->ndim) };
    for (int i = 0; made->inner > 1 && i < 3; i++) {
        made->parts[i] = pn_part(&made->total, x->size, pn_call_item(c));
        c->forward_scratch = i == 1 ? made->total : c->forward_scratch;
    }
    c->backward_scratch = made->total;
    c->keep_y = PN_KEEP_Y(0);
    return pn_call_output_like(c, 0, x, err);
}

/* From as the tensor lies to rows along the axis, in part i of the scratch. */
static void *rows_of(const pn_call *c, const void *tensor, int i)
{
    const plan *p = c->plan;
    const pn_copy copy = { .ndim = 3,
                           .shape = { p->outer, p->inner, p->len },
                           .src_stride = { p->len * p->inner, 1, p->inner },
                           .dst_stride = { p->len * p->inner, p->len, 1 },
                           .item = (int)pn_call_item(c),
                           .src = tensor,
                           .dst = pn_at(c->scratch, p->parts[i]) };
    c->k->copy(c->team, &copy);
    return copy.dst;
}

/* And back. */
static void put_rows(const pn_call *c, int i, void *tensor, bool add)
{
    const plan *p = c->plan;
    c->k->copy(c->team, &(pn_copy){ .ndim = 3,
                                    .shape = { p->outer, p->len, p->inner },
                                    .src_stride = { p->len * p->inner, 1, p->len },
                                    .dst_stride = { p->len * p->inner, p->inner, 1 },
                                    .item = (int)pn_call_item(c),
                                    .src = pn_at(c->scratch, p->parts[i]),
                                    .dst = tensor,
                                    .add = add });
}

static void forward(const pn_call *c, kernel *run)
{
    const plan *p = c->plan;
    const bool rows = p->inner > 1;
    const pn_softmax job = { .rows = p->outer * p->inner,
                             .C = p->len,
                             .x = rows ? rows_of(c, c->x[0]->data, 0) : c->x[0]->data,
                             .y = rows ? pn_at(c->scratch, p->parts[1]) : c->y[0].data };
    run(c->team, &job);
    if (rows)
        put_rows(c, 1, c->y[0].data, false);
}

static void backward(const pn_call *c, kernel *run)
{
    const plan *p = c->plan;
    const bool rows = p->inner > 1;
    if (!c->dx[0])
        return;
    const pn_softmax job = { .rows = p->outer * p->inner,
                             .C = p->len,
                             .y = rows ? rows_of(c, c->y[0].data, 0) : c->y[0].data,
                             .dy = rows ? rows_of(c, c->dy[0], 1) : c->dy[0],
                             .dx = rows ? pn_at(c->scratch, p->parts[2]) : c->dx[0],
                             .add = !rows && c->add[0] };
    run(c->team, &job);
    if (rows)
        put_rows(c, 2, c->dx[0], c->add[0]);
}

#define SOFTMAX(op_, doc_)                                                                   \
    static void op_##_forward_rows(const pn_call *c) { forward(c, c->k->op_##_forward); }    \
    static void op_##_backward_rows(const pn_call *c) { backward(c, c->k->op_##_backward); } \
    const pn_op pn_op_##op_ = {                                                              \
        .name = #op_,                                                                        \
        .inputs = "x",                                                                       \
        .n_out = 1,                                                                          \
        .differentiable = true,                                                              \
        .promotion = PN_REAL,                                                                \
        .promotes = 1,                                                                       \
        .doc = doc_,                                                                         \
        PN_PARAMS,                                                                           \
        PN_PLAN(plan),                                                                       \
        .rule = rule,                                                                        \
        .forward = op_##_forward_rows,                                                       \
        .backward = op_##_backward_rows,                                                     \
    };

SOFTMAX(softmax, "Probabilities along an axis: exp(x - max) / sum (Bridle 1990).\n\n"
                 "x: (..., C); returns the same shape, whose rows sum to 1.\n\n"
                 ">>> pn.ops.softmax(np.float32([[0, 0]])).numpy().tolist()\n[[0.5, 0.5]]")
SOFTMAX(log_softmax, "Logarithm of the softmax along an axis, without overflow: x - max - log(sum(exp(x - max))).\n\n"
                     "x: (..., C); returns the same shape.\n\n"
                     ">>> pn.ops.log_softmax(np.float32([[0, 0, 0]])).shape\n(1, 3)")
