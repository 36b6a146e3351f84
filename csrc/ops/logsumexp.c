/* logsumexp.c -- y = log(sum of exp(x)) over any axes, and dx = dy exp(x - y): dy times the softmax.
 *
 * With g the maximum, which occurs k times: y = g + log1p(sum of (exp(x - g) - [x = g] / k)), which neither overflows
 * nor loses small terms.  If g is infinite, the largest finite value replaces it in x - g, so that only infinities
 * count.  If all values are -inf, or there are none, y is -inf and the gradient is 0.
 * Source: P. Blanchard, D. Higham and N. Higham, "Accurately computing the log-sum-exp and softmax functions", 2021. */
#include "kernels/map.h"
#include "kernels/reduce.h"
#include "ops/axes.h"

#include <float.h>
#include <stdint.h>

typedef struct logsumexp_params {
    pn_list axis;
    bool keepdims;
} logsumexp_params;

static const logsumexp_params defaults;
static const pn_param params[] = {
    PN_PARAM(axis, AXES, PN_AXIS_DOC),
    PN_PARAM(keepdims, BOOL, PN_KEEPDIMS_DOC),
};

typedef struct plan {
    pn_axes axes;
    pn_index outputs;
    size_t x, terms, share, ones, work, total; /* scratch, forward and backward */
} plan;

static plan make_plan(const pn_call *c, unsigned mask)
{
    plan p = { .axes = pn_axes_plan(c->x[0], mask), .outputs = c->y[0].size };
    const pn_index n = c->x[0]->size;
    p.x = pn_part(&p.total, p.axes.permuted ? n : 0, pn_call_item(c));
    p.terms = pn_part(&p.total, n, pn_call_item(c));
    p.share = pn_part(&p.total, n, pn_call_item(c));
    p.ones = pn_part(&p.total, p.outputs, pn_call_item(c));
    p.work = pn_part(&p.total, 1, c->k->reduce_work(&(pn_reduce){ .f = PN_REDUCE_MAX, PN_AXES_SIZES(&p.axes) }));
    return p;
}

static int rule(pn_call *c, pn_error *err)
{
    const logsumexp_params *p = c->params;
    unsigned mask;
    if (pn_call_check_promoted(c, err) || pn_axes_mask(c, 0, &p->axis, &mask, err) ||
        pn_axes_output(c, c->x[0]->dtype, mask, p->keepdims, err))
        return -1;
    plan *made = c->plan;
    *made = make_plan(c, mask);
    c->forward_scratch = c->backward_scratch = made->total;
    c->keep_x = PN_KEEP_X(0);
    c->keep_y = PN_KEEP_Y(0);
    return 0;
}

static void map(const pn_call *c, pn_unary_f f, pn_index n, const void *x, void *y, double p0, double p1)
{
    c->k->unary_forward(c->team, &(pn_unary){ .f = f, .n = n, .x = x, .y = y, .p = { p0, p1 } });
}

static void combine(const pn_call *c, pn_binary_f f, pn_index n, const void *a, const void *b, void *y)
{
    c->k->binary_forward(c->team, &(pn_binary){ .f = f, .n = n, .na = n, .nb = n, .a = a, .b = b, .y = y });
}

static pn_reduce reduction(const pn_call *c, const plan *p, pn_reduce_f f)
{
    return (pn_reduce){ .f = f, PN_AXES_SIZES(&p->axes), .work = pn_at(c->scratch, p->work) };
}

/* Repeats one value per output along the reduced axes, like the gradient of a sum. */
static void repeat(const pn_call *c, const plan *p, const void *from, void *to)
{
    pn_reduce sum = reduction(c, p, PN_REDUCE_SUM);
    sum.dy = from;
    sum.dx = to;
    c->k->reduce_backward(c->team, &sum);
}

/* x with the reduced axes adjacent: in place, or copied. */
static const void *lay_out(const pn_call *c, const plan *p)
{
    if (!p->axes.permuted)
        return c->x[0]->data;
    pn_copy copy = p->axes.order;
    copy.src = c->x[0]->data;
    copy.dst = pn_at(c->scratch, p->x);
    c->k->copy(c->team, &copy);
    return copy.dst;
}

/* exp(x - g) with one g per output; infinite g are replaced by the largest finite values. */
static void *terms_of(const pn_call *c, const plan *p, const void *x, const void *g)
{
    const double most = c->k->real == PN_FLOAT64 ? DBL_MAX : (double)FLT_MAX;
    void *terms = pn_at(c->scratch, p->terms), *finite = pn_at(c->scratch, p->ones);
    map(c, PN_U_clip, p->outputs, g, finite, -most, most);
    repeat(c, p, finite, terms);
    combine(c, PN_B_sub, c->x[0]->size, x, terms, terms);
    map(c, PN_U_exp, c->x[0]->size, terms, terms, 0, 0);
    return terms;
}

/* [x = g] / k for the maximum g: the gradient of a maximum. */
static void *share_of(const pn_call *c, const plan *p, const void *x, const void *g)
{
    pn_reduce max = reduction(c, p, PN_REDUCE_MAX);
    max.x = x;
    max.y = (void *)(uintptr_t)g;
    max.dy = pn_at(c->scratch, p->ones);
    max.dx = pn_at(c->scratch, p->share);
    c->k->fill(c->team, &(pn_fill){ .n = p->outputs, .value = 1, .y = pn_at(c->scratch, p->ones) });
    c->k->reduce_backward(c->team, &max);
    return max.dx;
}

static void forward(const pn_call *c)
{
    const plan *p = c->plan;
    void *y = c->y[0].data, *rest = pn_at(c->scratch, p->ones);
    if (p->axes.len == 0) {
        c->k->fill(c->team, &(pn_fill){ .n = p->outputs, .value = -__builtin_inf(), .y = y });
        return;
    }
    pn_reduce max = reduction(c, p, PN_REDUCE_MAX), sum = reduction(c, p, PN_REDUCE_SUM);
    max.x = lay_out(c, p);
    max.y = y;
    c->k->reduce_forward(c->team, &max);
    void *terms = terms_of(c, p, max.x, y);
    combine(c, PN_B_sub, c->x[0]->size, terms, share_of(c, p, max.x, y), terms);
    sum.x = terms;
    sum.y = rest;
    c->k->reduce_forward(c->team, &sum);
    map(c, PN_U_clip, p->outputs, rest, rest, 0, __builtin_inf()); /* it is -1 where all are -inf */
    map(c, PN_U_log1p, p->outputs, rest, rest, 0, 0);
    combine(c, PN_B_add, p->outputs, y, rest, y);
}

static void backward(const pn_call *c)
{
    const plan *p = c->plan;
    const pn_index n = c->x[0]->size;
    if (!c->dx[0] || n == 0)
        return;
    void *terms = terms_of(c, p, lay_out(c, p), c->y[0].data), *dy = pn_at(c->scratch, p->share);
    repeat(c, p, c->dy[0], dy);
    combine(c, PN_B_mul, n, terms, dy, terms);
    if (!p->axes.permuted) {
        c->k->axpy(c->team, &(pn_axpy){ .n = n, .a = 1, .x = terms, .y = c->dx[0], .add = c->add[0] });
        return;
    }
    pn_copy back = pn_copy_back(&p->axes.order);
    back.src = terms;
    back.dst = c->dx[0];
    back.add = c->add[0];
    c->k->copy(c->team, &back);
}

const pn_op pn_op_logsumexp = {
    .name = "logsumexp",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .promotion = PN_REAL,
    .promotes = 1,
    .doc = "log(sum(exp(x))) over axes, without overflow; its gradient is the softmax (Blanchard et al. 2021).\n\n"
           "x: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).  If there are no "
           "values, or all are -inf, it is -inf.\n\n"
           ">>> pn.ops.logsumexp(np.float32([[1000, 1000], [0, 0]]), axis=0).numpy().tolist()\n[1000.0, 1000.0]",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
