/* cross_entropy.c -- minus the log probability of the target, from logits.
 *
 * logits: (..., C); targets: class numbers int64 (...), or probabilities (..., C).  With p = softmax(logits) and q the
 * target (a one, or the probabilities) smoothed to (1 - s) q + s / C, a row's loss is
 *     row_weight * sum over c of class_weight[c] q[c] (-log p[c]);
 * the mean divides by the total weight: row_weight * class_weight[target] of each row, 0 for an ignored one; row_weight
 * alone for probabilities.  So a mean over nothing but ignored rows is NaN.  p is kept for backward. */
#include "kernels/loss.h"
#include "ops/targets.h"

enum { LOGITS, TARGETS, ROW_WEIGHTS, CLASS_WEIGHTS };

typedef struct cross_entropy_params {
    double label_smoothing;
    pn_optional ignore;
    pn_reduction reduction;
} cross_entropy_params;

static const cross_entropy_params defaults = { .reduction = PN_MEAN };
static const pn_param params[] = {
    PN_PARAM(label_smoothing, FLOAT, "s: targets become (1 - s) q + s / C"),
    PN_PARAM(ignore, OPTIONAL_INT, "a class number whose rows are ignored"),
    PN_PARAM(reduction, REDUCTION, PN_REDUCTION_DOC),
};

typedef struct plan {
    pn_index rows, C;
    size_t divisor, p, labels, kept;  /* saved, or in scratch when no backward follows */
    size_t loss, weight, work, total; /* scratch of forward */
} plan;

static bool are_classes(const pn_call *c) { return c->x[TARGETS]->dtype == PN_INT64; }

static plan make_plan(const pn_call *c)
{
    const pn_view *x = c->x[LOGITS];
    plan b = { .rows = pn_view_count(x, 0, x->ndim - 1), .C = x->shape[x->ndim - 1] };
    const size_t item = pn_call_item(c);
    size_t *kept = c->recording ? &b.kept : &b.total;
    b.divisor = pn_part(kept, 1, sizeof(double));
    b.p = pn_part(kept, x->size, item);
    b.labels = pn_part(kept, are_classes(c) ? b.rows : 0, sizeof(int64_t));
    b.loss = pn_part(&b.total, b.rows, item);
    b.weight = pn_part(&b.total, b.rows, item);
    b.work = pn_part(&b.total, 1, pn_targets_sum_work(c, b.rows));
    return b;
}

static int check_targets(const pn_call *c, pn_error *err)
{
    const cross_entropy_params *p = c->params;
    const pn_view *x = c->x[LOGITS], *t = c->x[TARGETS];
    if (are_classes(c))
        return pn_targets_check_rows(c, TARGETS, x->ndim - 1, x->shape, err) ||
                       pn_targets_check_classes(c, TARGETS, x->shape[x->ndim - 1], p->ignore, err)
                   ? -1
                   : 0;
    if (t->dtype == PN_UINT8 || (pn_dtype_is_real(t->dtype) && !pn_view_same_shape(t, x) && t->ndim < x->ndim))
        return pn_fail(err, PN_EDTYPE,
                       "cross_entropy: targets is %s %s; class numbers are int64: use targets.astype(\"int64\")",
                       pn_dtype_name(t->dtype), pn_view_text(t).s);
    if (p->ignore.given)
        return pn_fail(err, PN_EVALUE,
                       "cross_entropy: ignore leaves out class numbers, but targets are probabilities; "
                       "give such rows the weight 0");
    return pn_call_check_same_real(c, LOGITS, TARGETS, err) || pn_call_check_shape(c, TARGETS, x->ndim, x->shape, err)
               ? -1
               : 0;
}

static int check_weights(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[LOGITS];
    for (int i = ROW_WEIGHTS; i <= CLASS_WEIGHTS; i++)
        if (c->x[i] && pn_call_check_same_real(c, LOGITS, i, err))
            return -1;
    if (c->x[ROW_WEIGHTS] && pn_targets_check_rows(c, ROW_WEIGHTS, x->ndim - 1, x->shape, err))
        return -1;
    return c->x[CLASS_WEIGHTS] ? pn_call_check_shape(c, CLASS_WEIGHTS, 1, &x->shape[x->ndim - 1], err) : 0;
}

static int rule(pn_call *c, pn_error *err)
{
    const cross_entropy_params *p = c->params;
    const pn_view *x = c->x[LOGITS];
    if (pn_call_check_same_real(c, LOGITS, LOGITS, err))
        return -1;
    if (x->ndim < 1 || x->shape[x->ndim - 1] < 2)
        return pn_fail(err, PN_ESHAPE,
                       "cross_entropy: logits is %s; give (..., C) with at least 2 classes "
                       "(binary_cross_entropy takes one logit)",
                       pn_view_text(x).s);
    if (!(p->label_smoothing >= 0 && p->label_smoothing <= 1))
        return pn_fail(err, PN_EVALUE, "cross_entropy: label_smoothing is %g; give a value from 0 to 1",
                       p->label_smoothing);
    if (check_targets(c, err) || check_weights(c, err) ||
        pn_targets_output(c, p->reduction, x->ndim - 1, x->shape, err))
        return -1;
    for (int i = TARGETS; i <= CLASS_WEIGHTS; i++)
        if (pn_call_refuse_grad(c, i, err))
            return -1;
    plan *b = c->plan;
    *b = make_plan(c);
    c->saved_bytes = b->kept;
    c->forward_scratch = b->total;
    c->backward_scratch = (size_t)b->rows * pn_call_item(c);
    for (int i = are_classes(c) ? ROW_WEIGHTS : TARGETS; i <= CLASS_WEIGHTS; i++)
        c->keep_x |= c->x[i] ? PN_KEEP_X(i) : 0;
    return 0;
}

static pn_xent job_of(const pn_call *c)
{
    const cross_entropy_params *p = c->params;
    const plan *b = c->plan;
    void *kept = c->recording ? c->saved : c->scratch;
    return (pn_xent){ .rows = b->rows,
                      .C = b->C,
                      .smoothing = p->label_smoothing,
                      .has_ignore = p->ignore.given,
                      .ignore = p->ignore.v,
                      .labels = are_classes(c) ? pn_at(kept, b->labels) : NULL,
                      .t = are_classes(c) ? NULL : c->x[TARGETS]->data,
                      .row_weight = c->x[ROW_WEIGHTS] ? c->x[ROW_WEIGHTS]->data : NULL,
                      .class_weight = c->x[CLASS_WEIGHTS] ? c->x[CLASS_WEIGHTS]->data : NULL,
                      .p = pn_at(kept, b->p) };
}

static void forward(const pn_call *c)
{
    const cross_entropy_params *p = c->params;
    const plan *b = c->plan;
    pn_xent job = job_of(c);
    void *kept = c->recording ? c->saved : c->scratch, *work = pn_at(c->scratch, b->work);
    double *divisor = pn_at(kept, b->divisor);
    if (are_classes(c))
        pn_call_numbers(c, TARGETS, b->C, &p->ignore, pn_at(kept, b->labels));
    job.x = c->x[LOGITS]->data;
    job.loss = p->reduction == PN_NONE ? c->y[0].data : pn_at(c->scratch, b->loss);
    job.weight = pn_at(c->scratch, b->weight);
    c->k->xent_forward(c->team, &job);
    *divisor = 1;
    if (p->reduction == PN_NONE)
        return;
    if (p->reduction == PN_MEAN)
        *divisor = pn_targets_sum(c, job.weight, b->rows, work);
    pn_call_set(c, c->y[0].data, pn_targets_sum(c, job.loss, b->rows, work) / *divisor);
}

static void backward(const pn_call *c)
{
    const cross_entropy_params *p = c->params;
    const plan *b = c->plan;
    pn_xent job = job_of(c);
    pn_targets_scale(c, p->reduction, b->rows, *(const double *)pn_at(c->saved, b->divisor), c->scratch);
    job.scale = c->scratch;
    job.dx = c->dx[LOGITS];
    job.add = c->add[LOGITS];
    c->k->xent_backward(c->team, &job);
}

const pn_op pn_op_cross_entropy = {
    .name = "cross_entropy",
    .inputs = "logits targets row_weights? class_weights?",
    .n_out = 1,
    .differentiable = true,
    .doc = "Cross-entropy of logits: minus the log probability of the target, -sum(class_weights * targets * "
           "log_softmax(logits)).\n\n"
           "logits: (..., C); targets: class numbers int64 (...), or probabilities (..., C); row_weights: (...); "
           "class_weights: (C).\n"
           "The mean divides by the total weight; it is NaN when every row is ignored.\n\n"
           ">>> pn.ops.cross_entropy(np.zeros((2, 10), \"float32\"), np.array([3, 9]), reduction=\"none\").shape\n(2,)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
