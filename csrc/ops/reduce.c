/* reduce.c -- sum, mean, max, min and var over any axes.
 *
 * x is seen as (outer, len, inner) and each len becomes one value; where the axes are no single run, a copy in scratch
 * makes them one.  No values at all: the sum is 0, mean and var are NaN, max and min are refused. */
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

typedef struct layout {
    pn_axes axes;
    pn_reduce job;
    size_t x, dx, work, total; /* scratch: x and dx permuted (where they are), and the kernel's workspace */
} layout;

static bool reads_x(pn_reduce_f f) { return f >= PN_REDUCE_MAX; }

static layout make_plan(const pn_call *c, pn_reduce_f f, unsigned mask, bool backward)
{
    const reduce_params *p = c->params;
    layout plan = { .axes = pn_axes_plan(c->x[0], mask) };
    const pn_axes *axes = &plan.axes;
    plan.job = (pn_reduce){ .f = f,
                            .outer = axes->outer,
                            .len = axes->len,
                            .inner = axes->inner,
                            .correction = f == PN_REDUCE_VAR ? p->correction : 0 };
    if (axes->permuted && (!backward || reads_x(f)))
        plan.x = pn_part(&plan.total, c->x[0]->size, pn_call_item(c));
    if (axes->permuted && backward)
        plan.dx = pn_part(&plan.total, c->x[0]->size, pn_call_item(c));
    plan.work = pn_part(&plan.total, 1, c->k->reduce_work(&plan.job));
    return plan;
}

static layout plan_of(const pn_call *c, pn_reduce_f f, bool backward)
{
    const reduce_params *p = c->params;
    unsigned mask = 0;
    pn_axes_mask(c, 0, &p->axis, &mask, NULL); /* the rule has checked it */
    return make_plan(c, f, mask, backward);
}

static int reduce_rule(pn_call *c, pn_reduce_f f, pn_error *err)
{
    const reduce_params *p = c->params;
    unsigned mask;
    const pn_dtype own = c->x[0]->dtype, dtype = f == PN_REDUCE_SUM && own == PN_UINT8 ? PN_INT64 : own;
    if (pn_call_check_promoted(c, err) || pn_axes_mask(c, 0, &p->axis, &mask, err) ||
        pn_axes_output(c, dtype, mask, p->keepdims, err))
        return -1;
    const layout plan = make_plan(c, f, mask, false);
    if (plan.job.len == 0 && c->y[0].size > 0 && (f == PN_REDUCE_MAX || f == PN_REDUCE_MIN))
        return pn_fail(err, PN_ESHAPE, "%s: x is %s: no values have no %s", c->op->name, pn_view_text(c->x[0]).s,
                       c->op->name);
    c->forward_scratch = plan.total;
    c->backward_scratch = make_plan(c, f, mask, true).total;
    c->keep_x = reads_x(f) ? PN_KEEP_X(0) : 0;
    c->keep_y = f == PN_REDUCE_MAX || f == PN_REDUCE_MIN ? PN_KEEP_Y(0) : 0;
    return 0;
}

/* x as the kernel wants it: as it lies, or copied into scratch. */
static const void *lay_out_x(const pn_call *c, const layout *plan)
{
    if (!plan->axes.permuted)
        return c->x[0]->data;
    pn_copy copy = plan->axes.order;
    copy.src = c->x[0]->data;
    copy.dst = pn_at(c->scratch, plan->x);
    c->k->copy(c->team, &copy);
    return copy.dst;
}

static void reduce_forward(const pn_call *c, pn_reduce_f f)
{
    layout plan = plan_of(c, f, false);
    plan.job.x = lay_out_x(c, &plan);
    plan.job.y = c->y[0].data;
    plan.job.work = pn_at(c->scratch, plan.work);
    c->k->reduce_forward(c->team, &plan.job);
}

static void reduce_backward(const pn_call *c, pn_reduce_f f)
{
    if (!c->dx[0])
        return;
    layout plan = plan_of(c, f, true);
    const bool permuted = plan.axes.permuted;
    plan.job.x = reads_x(f) ? lay_out_x(c, &plan) : NULL;
    plan.job.y = c->y[0].data;
    plan.job.dy = c->dy[0];
    plan.job.dx = permuted ? pn_at(c->scratch, plan.dx) : c->dx[0];
    plan.job.add_dx = !permuted && c->add[0];
    plan.job.work = pn_at(c->scratch, plan.work);
    c->k->reduce_backward(c->team, &plan.job);
    if (permuted) {
        pn_copy back = pn_axes_back(&plan.axes);
        back.src = plan.job.dx;
        back.dst = c->dx[0];
        back.add = c->add[0];
        c->k->copy(c->team, &back);
    }
}

#define REDUCE(op_, f_, params_, doc_)                                                                               \
    static int op_##_rule(pn_call *c, pn_error *err) { return reduce_rule(c, PN_REDUCE_##f_, err); }                 \
    static void op_##_forward(const pn_call *c) { reduce_forward(c, PN_REDUCE_##f_); }                               \
    static void op_##_backward(const pn_call *c) { reduce_backward(c, PN_REDUCE_##f_); }                             \
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
        .rule = op_##_rule,                                                                                          \
        .forward = op_##_forward,                                                                                    \
        .backward = op_##_backward,                                                                                  \
    };

REDUCE(sum, SUM, params, "Sum over axes; the sum of no values is 0.")
REDUCE(mean, MEAN, params, "Mean over axes; the mean of no values is NaN.")
REDUCE(max, MAX, params, "Greatest value over axes, NaN if there is one; equals share the gradient evenly.")
REDUCE(min, MIN, params, "Least value over axes, NaN if there is one; equals share the gradient evenly.")
REDUCE(var, VAR, var_params, "Variance over axes: sum((x - mean)^2) / (n - correction).")
