/* accuracy.c -- how often the prediction is the target: the greatest logit's class, or, for one logit, whether it
 * reaches a threshold.  It has no gradient. */
#include "kernels/loss.h"
#include "ops/targets.h"

enum { X, TARGETS };

typedef struct accuracy_params {
    double threshold;
    pn_reduction reduction;
} accuracy_params;

static const accuracy_params defaults = { .reduction = PN_MEAN };
static const pn_param params[] = {
    PN_PARAM(threshold, FLOAT, "a single logit of at least this predicts 1"),
    PN_PARAM(reduction, REDUCTION, "\"mean\", \"sum\" (a count) or \"none\" (1 or 0 for each row)"),
};

/* If targets have the shape of x, there is one logit per target; else the last axis of x holds the classes. */
static bool is_binary(const pn_call *c) { return pn_view_same_shape(c->x[X], c->x[TARGETS]); }

typedef struct plan {
    pn_index rows, C;
    size_t hits, work, total;
} plan;

static plan make_plan(const pn_call *c)
{
    const pn_view *x = c->x[X];
    plan b = { .rows = c->x[TARGETS]->size, .C = is_binary(c) ? 1 : x->shape[x->ndim - 1] };
    b.hits = pn_part(&b.total, b.rows, pn_call_item(c));
    b.work = pn_part(&b.total, 1, pn_targets_sum_work(c, b.rows));
    return b;
}

static int rule(pn_call *c, pn_error *err)
{
    const accuracy_params *p = c->params;
    const pn_view *x = c->x[X], *t = c->x[TARGETS];
    if (pn_call_check_same_real(c, X, X, err))
        return -1;
    if (t->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "accuracy: targets is %s; give int64 class numbers: targets.astype(\"int64\")",
                       pn_dtype_name(t->dtype));
    const bool binary = is_binary(c);
    if (!binary && (x->ndim < 1 || x->shape[x->ndim - 1] < 1))
        return pn_fail(err, PN_ESHAPE, "accuracy: x is %s; give (..., C), or one logit for each target",
                       pn_view_text(x).s);
    if (!binary && pn_targets_check_rows(c, TARGETS, x->ndim - 1, x->shape, err))
        return -1;
    plan *b = c->plan;
    *b = make_plan(c);
    if (pn_targets_check_classes(c, TARGETS, b->C == 1 ? 2 : b->C, (pn_optional){ .given = false }, err))
        return -1;
    c->forward_scratch = b->total;
    return pn_targets_output(c, p->reduction, t->ndim, t->shape, err);
}

static void forward(const pn_call *c)
{
    const accuracy_params *p = c->params;
    const plan *b = c->plan;
    void *hits = p->reduction == PN_NONE ? c->y[0].data : pn_at(c->scratch, b->hits);
    c->k->hits(c->team, &(pn_hits){ .rows = b->rows,
                                    .C = b->C,
                                    .x = c->x[X]->data,
                                    .labels = c->x[TARGETS]->data,
                                    .threshold = p->threshold,
                                    .hits = hits });
    if (p->reduction == PN_NONE)
        return;
    const double count = pn_targets_sum(c, hits, b->rows, pn_at(c->scratch, b->work));
    pn_call_set(c, c->y[0].data, p->reduction == PN_MEAN ? count / (double)b->rows : count);
}

const pn_op pn_op_accuracy = {
    .name = "accuracy",
    .inputs = "x targets",
    .n_out = 1,
    .differentiable = false,
    .doc = "The fraction of rows whose prediction is the target; it has no gradient.\n\n"
           "x: logits (..., C) against class numbers int64 (...); or (N, 1) or (N,) against 0 or 1, by the "
           "threshold.\n\n"
           ">>> pn.ops.accuracy(np.float32([[1, 2], [4, 3]]), np.array([1, 1])).item()\n0.5",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
};
