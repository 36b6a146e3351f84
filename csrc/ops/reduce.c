/* reduce.c -- sum, mean, max, min and var over any axes.
 *
 * x is viewed as (outer, len, inner), and each len is reduced to one value; axes that are not adjacent are made so by a
 * copy in scratch.  Of no values, the sum is 0, mean and var are NaN, and max and min raise an error. */
#include "kernels/reduce.h"
#include "ops/axes.h"

typedef struct reduce_params {
    pn_list axis;
    bool keepdims;
    double correction;
} reduce_params;

static const reduce_params defaults;
#define AXIS PN_PARAM(axis, AXES, PN_AXIS_DOC)
#define KEEPDIMS PN_PARAM(keepdims, BOOL, PN_KEEPDIMS_DOC)
static const pn_param params[] = { AXIS, KEEPDIMS };
static const pn_param var_params[] = { AXIS, KEEPDIMS, PN_PARAM(correction, FLOAT, "the divisor is n - correction") };

/* If the axes are permuted, scratch holds x (in backward also dx) in the kernel's order, followed by its work
 * memory. */
typedef struct plan {
    pn_axes axes;
    pn_reduce job; /* without its pointers */
    size_t x, work, total;
    size_t back_x, back_dx, back_work, back_total;
    size_t mean, rest, saved; /* var's */
} plan;

static bool reads_x(pn_reduce_f f) { return f >= PN_REDUCE_MAX; }

static plan make_plan(const pn_call *c, pn_reduce_f f, unsigned mask)
{
    const reduce_params *p = c->params;
    plan b = { .axes = pn_axes_plan(c->x[0], mask) };
    b.job = (pn_reduce){ .f = f, PN_AXES_SIZES(&b.axes), .correction = f == PN_REDUCE_VAR ? p->correction : 0 };
    const pn_index moved = b.axes.permuted ? c->x[0]->size : 0;
    b.x = pn_part(&b.total, moved, pn_call_item(c));
    b.work = pn_part(&b.total, 1, c->k->reduce_work(&b.job));
    b.back_x = pn_part(&b.back_total, reads_x(f) ? moved : 0, pn_call_item(c));
    b.back_dx = pn_part(&b.back_total, moved, pn_call_item(c));
    b.back_work = pn_part(&b.back_total, 1, c->k->reduce_work(&b.job));
    b.mean = pn_part(&b.saved, f == PN_REDUCE_VAR ? c->y[0].size : 0, pn_call_item(c));
    b.rest = pn_part(&b.saved, f == PN_REDUCE_VAR ? c->y[0].size : 0, pn_call_item(c));
    return b;
}

static int reduce_rule(pn_call *c, pn_reduce_f f, pn_error *err)
{
    const reduce_params *p = c->params;
    unsigned mask;
    const pn_dtype own = c->x[0]->dtype, dtype = f == PN_REDUCE_SUM && own == PN_UINT8 ? PN_INT64 : own;
    if (pn_call_check_promoted(c, err) || pn_axes_mask(c, 0, &p->axis, &mask, err) ||
        pn_axes_output(c, dtype, mask, p->keepdims, err))
        return -1;
    plan *b = c->plan;
    *b = make_plan(c, f, mask);
    if (b->job.len == 0 && c->y[0].size > 0 && (f == PN_REDUCE_MAX || f == PN_REDUCE_MIN))
        return pn_fail(err, PN_ESHAPE, "%s: x is %s: no values have no %s", c->op->name, pn_view_text(c->x[0]).s,
                       c->op->name);
    c->forward_scratch = b->total;
    c->backward_scratch = b->back_total;
    c->saved_bytes = b->saved;
    c->keep_x = reads_x(f) ? PN_KEEP_X(0) : 0;
    c->keep_y = f == PN_REDUCE_MAX || f == PN_REDUCE_MIN ? PN_KEEP_Y(0) : 0;
    return 0;
}

/* x in the order that the kernel needs: in place, or copied to `moved`. */
static const void *lay_out_x(const pn_call *c, void *moved)
{
    const plan *b = c->plan;
    if (!b->axes.permuted)
        return c->x[0]->data;
    pn_copy copy = b->axes.order;
    copy.src = c->x[0]->data;
    copy.dst = moved;
    c->k->copy(c->team, &copy);
    return moved;
}

/* The kernel's job; var's means are where backward reads them. */
static pn_reduce job_of(const pn_call *c)
{
    const plan *b = c->plan;
    pn_reduce job = b->job;
    if (c->saved) {
        job.mean = pn_at(c->saved, b->mean);
        job.rest = pn_at(c->saved, b->rest);
    }
    job.y = c->y[0].data;
    return job;
}

static void reduce_forward(const pn_call *c)
{
    const plan *b = c->plan;
    pn_reduce job = job_of(c);
    job.x = lay_out_x(c, pn_at(c->scratch, b->x));
    job.work = pn_at(c->scratch, b->work);
    c->k->reduce_forward(c->team, &job);
}

static void reduce_backward(const pn_call *c)
{
    const plan *b = c->plan;
    const bool moved = b->axes.permuted;
    pn_reduce job = job_of(c);
    job.x = reads_x(job.f) ? lay_out_x(c, pn_at(c->scratch, b->back_x)) : NULL;
    job.dy = c->dy[0];
    job.dx = moved ? pn_at(c->scratch, b->back_dx) : c->dx[0];
    job.add_dx = !moved && c->add[0];
    job.work = pn_at(c->scratch, b->back_work);
    c->k->reduce_backward(c->team, &job);
    if (moved) {
        pn_copy back = pn_copy_back(&b->axes.order);
        back.src = job.dx;
        back.dst = c->dx[0];
        back.add = c->add[0];
        c->k->copy(c->team, &back);
    }
}

#define REDUCE(op_, f_, params_, doc_)                                                                               \
    static int op_##_rule(pn_call *c, pn_error *err) { return reduce_rule(c, PN_REDUCE_##f_, err); }                 \
    const pn_op pn_op_##op_ = {                                                                                      \
        .name = #op_,                                                                                                \
        .inputs = "x",                                                                                               \
        .n_out = 1,                                                                                                  \
        .differentiable = true,                                                                                      \
        .promotion = PN_REDUCE_##f_ == PN_REDUCE_MEAN || PN_REDUCE_##f_ == PN_REDUCE_VAR ? PN_REAL : PN_EXACT,       \
        .promotes = 1,                                                                                               \
        .doc = doc_ "\n\nx: any shape; returns x's shape without the reduced axes (or with length 1: keepdims).\n\n" \
                    ">>> x = np.float32([[1, 2], [3, 4]])\n>>> pn.ops." #op_ "(x, axis=0).shape\n(2,)",              \
        PN_PARAMS_OF(params_, defaults),                                                                             \
        PN_PLAN(plan),                                                                                               \
        .rule = op_##_rule,                                                                                          \
        .forward = reduce_forward,                                                                                   \
        .backward = reduce_backward,                                                                                 \
    };

REDUCE(sum, SUM, params, "Sum over axes; the sum of no values is 0.")
REDUCE(mean, MEAN, params, "Mean over axes; the mean of no values is NaN.")
REDUCE(max, MAX, params, "Maximum over axes, NaN if there is one; equal maxima share the gradient evenly.")
REDUCE(min, MIN, params, "Minimum over axes, NaN if there is one; equal minima share the gradient evenly.")
REDUCE(var, VAR, var_params, "Variance over axes: sum((x - mean)^2) / (n - correction).")
