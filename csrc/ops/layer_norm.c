/* layer_norm.c -- y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per row, along the last axis.
 *
 * x, y: (..., C); gamma, beta: (C).  Training and prediction are the same.
 * Source: J. Ba, J. Kiros and G. Hinton, "Layer normalization", 2016. */
#include "kernels/norm.h"
#include "ops/op.h"

enum { X, GAMMA, BETA };

typedef struct layer_norm_params {
    double epsilon;
} layer_norm_params;

static const layer_norm_params defaults = { .epsilon = 1e-5 };
static const pn_param params[] = {
    PN_PARAM(epsilon, FLOAT, "added to the variance"),
};

/* Each row's mean and 1 / deviation are kept for backward: saved, or in scratch when no backward follows. */
typedef struct plan {
    pn_layer_norm job; /* without its pointers */
    size_t mean, rest, inv_std, kept;
} plan;

static plan make_plan(const pn_call *c)
{
    const layer_norm_params *p = c->params;
    const pn_view *x = c->x[X];
    plan b = { .job = { .rows = pn_view_count(x, 0, x->ndim - 1), .C = x->shape[x->ndim - 1], .epsilon = p->epsilon } };
    b.mean = pn_part(&b.kept, b.job.rows, pn_call_item(c));
    b.rest = pn_part(&b.kept, b.job.rows, pn_call_item(c));
    b.inv_std = pn_part(&b.kept, b.job.rows, pn_call_item(c));
    return b;
}

static int check_shapes(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X];
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "layer_norm: x needs at least 1 axis, got a scalar");
    const pn_index C = x->shape[x->ndim - 1];
    if (C == 0)
        return pn_fail(err, PN_ESHAPE, "layer_norm: x is %s; rows of no values have no mean", pn_view_text(x).s);
    for (int i = GAMMA; i <= BETA; i++)
        if (c->x[i]->ndim != 1 || c->x[i]->shape[0] != C) {
            char name[64];
            return pn_fail(err, PN_ESHAPE, "layer_norm: %s is %s, x has %td values a row (x is %s); give (%td,)",
                           pn_call_input_name(c, i, name, sizeof name), pn_view_text(c->x[i]).s, C, pn_view_text(x).s,
                           C);
        }
    return 0;
}

static int rule(pn_call *c, pn_error *err)
{
    const layer_norm_params *p = c->params;
    if (pn_call_check_real(c, err) || check_shapes(c, err) || pn_call_output_like(c, 0, c->x[X], err))
        return -1;
    if (!(p->epsilon > 0) || !__builtin_isfinite(p->epsilon))
        return pn_fail(err, PN_EVALUE, "layer_norm: epsilon is %g; give a value greater than 0, such as 1e-5",
                       p->epsilon);
    plan *b = c->plan;
    *b = make_plan(c);
    *(c->recording ? &c->saved_bytes : &c->forward_scratch) = b->kept;
    c->backward_scratch = c->wants[GAMMA] || c->wants[BETA] ? c->k->layer_norm_work(&b->job) : 0;
    c->keep_x = PN_KEEP_X(X) | PN_KEEP_X(GAMMA);
    return 0;
}

static pn_layer_norm job_of(const pn_call *c)
{
    const plan *b = c->plan;
    void *kept = c->recording ? c->saved : c->scratch;
    pn_layer_norm job = b->job;
    job.x = c->x[X]->data;
    job.gamma = c->x[GAMMA]->data;
    job.mean = pn_at(kept, b->mean);
    job.rest = pn_at(kept, b->rest);
    job.inv_std = pn_at(kept, b->inv_std);
    return job;
}

static void forward(const pn_call *c)
{
    pn_layer_norm job = job_of(c);
    job.beta = c->x[BETA]->data;
    job.y = c->y[0].data;
    c->k->layer_norm_forward(c->team, &job);
}

static void backward(const pn_call *c)
{
    pn_layer_norm job = job_of(c);
    job.work = c->scratch;
    job.dy = c->dy[0];
    job.dx = c->dx[X], job.add_dx = c->add[X];
    job.dgamma = c->dx[GAMMA], job.add_dgamma = c->add[GAMMA];
    job.dbeta = c->dx[BETA], job.add_dbeta = c->add[BETA];
    c->k->layer_norm_backward(c->team, &job);
}

const pn_op pn_op_layer_norm = {
    .name = "layer_norm",
    .inputs = "x gamma beta",
    .n_out = 1,
    .differentiable = true,
    .doc =
        "Each row to mean 0 and variance 1 along the last axis, then scaled and shifted (Ba, Kiros and Hinton 2016):\n"
        "gamma * (x - mean) / sqrt(variance + epsilon) + beta.\n\n"
        "x: (..., C); gamma, beta: (C,); returns x's shape.\n\n"
        ">>> pn.ops.layer_norm(np.float32([[1, 3]]), np.float32([1, 1]), np.float32([0, 10])).numpy().round(3)\n"
        "array([[-1., 11.]], dtype=float32)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
