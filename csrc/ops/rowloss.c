/* rowloss.c -- losses of rows: binary_cross_entropy (summed within a row), mse, mae and huber (averaged within a row).
 *
 * x, targets: (N, ...), a row each; (N,) and (N, 1) count as one shape.  With x a logit and t its target in [0, 1]:
 * binary = log(1 + exp(x)) - x t, computed without overflow.  The mean over rows divides by the total weight. */
#include "kernels/loss.h"
#include "ops/targets.h"

enum { X, TARGETS, ROW_WEIGHTS };

typedef struct rowloss_params {
    double delta;
    pn_reduction reduction;
} rowloss_params;

static const rowloss_params defaults = { .delta = 1, .reduction = PN_MEAN };
#define REDUCTION PN_PARAM(reduction, REDUCTION, PN_REDUCTION_DOC)
static const pn_param params[] = { REDUCTION };
static const pn_param huber_params[] = {
    PN_PARAM(delta, FLOAT, "the error up to which the loss is quadratic"),
    REDUCTION,
};

typedef struct plan {
    pn_index rows, C;
    size_t divisor, t, kept;  /* saved, or in scratch when no backward follows; t: int64 targets as reals */
    size_t loss, work, total; /* scratch of forward */
} plan;

static plan make_plan(const pn_call *c)
{
    const pn_view *x = c->x[X];
    plan b = { .rows = x->ndim > 0 ? x->shape[0] : 1, .C = pn_view_count(x, x->ndim > 0, x->ndim) };
    const size_t item = pn_call_item(c);
    size_t *kept = c->recording ? &b.kept : &b.total;
    b.divisor = pn_part(kept, 1, sizeof(double));
    b.t = pn_part(kept, c->x[TARGETS]->dtype == PN_INT64 ? x->size : 0, item);
    b.loss = pn_part(&b.total, b.rows, item);
    b.work = pn_part(&b.total, 1, pn_targets_sum_work(c, b.rows));
    return b;
}

/* ---- rules ----------------------------------------------------------------------------------------------------- */

static bool is_column(const pn_view *v) { return v->ndim == 1 || (v->ndim == 2 && v->shape[1] == 1); }

static int check_shapes(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *t = c->x[TARGETS];
    const bool columns = is_column(x) && is_column(t) && x->shape[0] == t->shape[0];
    if (!columns && !pn_view_same_shape(x, t)) {
        char name[64];
        return pn_fail(err, PN_ESHAPE, "%s: targets is %s, but %s is %s; give one shape", c->op->name,
                       pn_view_text(t).s, pn_call_input_name(c, X, name, sizeof name), pn_view_text(x).s);
    }
    if (!c->x[ROW_WEIGHTS])
        return 0;
    return pn_call_check_same_real(c, X, ROW_WEIGHTS, err) ||
                   pn_targets_check_rows(c, ROW_WEIGHTS, x->ndim > 0, x->shape, err)
               ? -1
               : 0;
}

static int rowloss_rule(pn_call *c, pn_error *err)
{
    const rowloss_params *p = c->params;
    const pn_view *x = c->x[X];
    char name[64];
    if (check_shapes(c, err) || pn_targets_output(c, p->reduction, x->ndim > 0, x->shape, err) ||
        pn_call_refuse_grad(c, ROW_WEIGHTS, err))
        return -1;
    plan *b = c->plan;
    *b = make_plan(c);
    if (b->rows > 0 && b->C == 0)
        return pn_fail(err, PN_ESHAPE, "%s: %s is %s; a row of no values has no loss", c->op->name,
                       pn_call_input_name(c, X, name, sizeof name), pn_view_text(x).s);
    c->saved_bytes = b->kept;
    c->forward_scratch = b->total;
    c->backward_scratch = (size_t)b->rows * pn_call_item(c);
    c->keep_x = PN_KEEP_X(X) | (c->x[TARGETS]->dtype == PN_INT64 ? 0 : PN_KEEP_X(TARGETS)) |
                (c->x[ROW_WEIGHTS] ? PN_KEEP_X(ROW_WEIGHTS) : 0);
    return 0;
}

static int difference_rule(pn_call *c, pn_error *err)
{
    return pn_call_check_same_real(c, X, TARGETS, err) || rowloss_rule(c, err) ? -1 : 0;
}

static int huber_rule(pn_call *c, pn_error *err)
{
    const double delta = ((const rowloss_params *)c->params)->delta;
    if (!(delta > 0) || !__builtin_isfinite(delta))
        return pn_fail(err, PN_EVALUE, "huber: delta is %g; give a value greater than 0", delta);
    return difference_rule(c, err);
}

static double target_at(const pn_view *t, pn_index i)
{
    switch (t->dtype) {
    case PN_INT64: return (double)((const int64_t *)t->data)[i];
    case PN_FLOAT64: return ((const double *)t->data)[i];
    default: return (double)((const float *)t->data)[i];
    }
}

static int binary_rule(pn_call *c, pn_error *err)
{
    const pn_view *t = c->x[TARGETS];
    if (pn_call_check_same_real(c, X, t->dtype == PN_INT64 ? X : TARGETS, err) ||
        pn_call_refuse_grad(c, TARGETS, err) || rowloss_rule(c, err))
        return -1;
    const pn_index C = pn_max(pn_view_count(c->x[X], c->x[X]->ndim > 0, c->x[X]->ndim), 1);
    for (pn_index i = 0; t->data && i < t->size; i++) {
        const double v = target_at(t, i);
        if (!(v >= 0 && v <= 1))
            return pn_fail(err, PN_EVALUE, "binary_cross_entropy: target %g at row %td is outside 0..1", v, i / C);
    }
    return 0;
}

/* ---- forward and backward -------------------------------------------------------------------------------------- */

static void to_real(const pn_call *c, const int64_t *from, void *to)
{
    for (pn_index i = 0; i < c->x[X]->size; i++)
        if (c->k->real == PN_FLOAT64)
            ((double *)to)[i] = (double)from[i];
        else
            ((float *)to)[i] = (float)from[i];
}

static pn_rowloss job_of(const pn_call *c, pn_rowloss_f f)
{
    const plan *b = c->plan;
    const bool converted = c->x[TARGETS]->dtype == PN_INT64;
    void *const room = c->recording ? c->saved : c->scratch;
    const rowloss_params *p = c->params;
    return (pn_rowloss){ .f = f,
                         .delta = p->delta,
                         .rows = b->rows,
                         .C = b->C,
                         .x = c->x[X]->data,
                         .t = converted ? pn_at(room, b->t) : c->x[TARGETS]->data,
                         .row_weight = c->x[ROW_WEIGHTS] ? c->x[ROW_WEIGHTS]->data : NULL };
}

static void rowloss_forward(const pn_call *c, pn_rowloss_f f)
{
    const rowloss_params *p = c->params;
    const plan *b = c->plan;
    void *kept = c->recording ? c->saved : c->scratch, *work = pn_at(c->scratch, b->work);
    double *divisor = pn_at(kept, b->divisor);
    if (c->x[TARGETS]->dtype == PN_INT64)
        to_real(c, c->x[TARGETS]->data, pn_at(kept, b->t));
    pn_rowloss job = job_of(c, f);
    job.loss = p->reduction == PN_NONE ? c->y[0].data : pn_at(c->scratch, b->loss);
    c->k->rowloss_forward(c->team, &job);
    *divisor = 1;
    if (p->reduction == PN_NONE)
        return;
    if (p->reduction == PN_MEAN)
        *divisor = job.row_weight ? pn_targets_sum(c, job.row_weight, b->rows, work) : (double)b->rows;
    pn_call_set(c, c->y[0].data, pn_targets_sum(c, job.loss, b->rows, work) / *divisor);
}

static void rowloss_backward(const pn_call *c, pn_rowloss_f f)
{
    const rowloss_params *p = c->params;
    const plan *b = c->plan;
    pn_rowloss job = job_of(c, f);
    pn_targets_scale(c, p->reduction, b->rows, *(const double *)pn_at(c->saved, b->divisor), c->scratch);
    job.scale = c->scratch;
    job.dx = c->dx[X];
    job.add_dx = c->add[X];
    job.dt = c->dx[TARGETS];
    job.add_dt = c->add[TARGETS];
    c->k->rowloss_backward(c->team, &job);
}

#define ROWLOSS(op_, f_, rule_, params_, inputs_, doc_)                                 \
    static void op_##_forward(const pn_call *c) { rowloss_forward(c, PN_LOSS_##f_); }   \
    static void op_##_backward(const pn_call *c) { rowloss_backward(c, PN_LOSS_##f_); } \
    const pn_op pn_op_##op_ = {                                                         \
        .name = #op_,                                                                   \
        .inputs = inputs_,                                                              \
        .n_out = 1,                                                                     \
        .differentiable = true,                                                         \
        .doc = doc_,                                                                    \
        PN_PARAMS_OF(params_, defaults),                                                \
        PN_PLAN(plan),                                                                  \
        .rule = rule_,                                                                  \
        .forward = op_##_forward,                                                       \
        .backward = op_##_backward,                                                     \
    };

ROWLOSS(binary_cross_entropy, BINARY, binary_rule, params, "logits targets row_weights?",
        "Binary cross-entropy of logits, log(1 + exp(x)) - x * target, summed within a row.\n\n"
        "logits: (N,), (N, 1) or (N, K); targets: as many, int64 0 or 1, or real from 0 to 1; row_weights: (N,).\n"
        "The mean divides by the total weight.\n\n"
        ">>> pn.ops.binary_cross_entropy(np.float32([40, -40]), np.array([1, 0])).item() < 1e-6\nTrue")
ROWLOSS(mse, MSE, difference_rule, params, "x targets row_weights?",
        "Mean squared error, (x - target)^2 averaged within a row.\n\n"
        "x, targets: (N, ...), real, of one dtype; row_weights: (N,).  The mean divides by the total weight.\n\n"
        ">>> pn.ops.mse(np.float32([1, 2]), np.float32([1, 4])).item()\n2.0")
ROWLOSS(mae, MAE, difference_rule, params, "x targets row_weights?",
        "Mean absolute error, |x - target| averaged within a row; gradient 0 where they are equal.\n\n"
        "x, targets: (N, ...), real, of one dtype; row_weights: (N,).  The mean divides by the total weight.\n\n"
        ">>> pn.ops.mae(np.float32([1, 2]), np.float32([1, 4])).item()\n1.0")
ROWLOSS(huber, HUBER, huber_rule, huber_params, "x targets row_weights?",
        "Huber's loss (1964), averaged within a row: with d = x - target, d^2 / 2 where |d| <= delta, and beyond it\n"
        "delta * (|d| - delta / 2), so that the gradient of large errors is bounded.\n\n"
        "x, targets: (N, ...), real, of one dtype; row_weights: (N,).  The mean divides by the total weight.\n\n"
        ">>> pn.ops.huber(np.float32([1, 2]), np.float32([1, 5])).item()\n1.25")
