/* batch_norm.c -- y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta + residual), per channel.
 *
 * x, residual, y: (..., C); gamma, beta, running_mean, running_var: (C).  Training uses the batch's mean and
 * variance, and moves the running ones towards them (the variance unbiased); otherwise the running ones are used.
 * Source: S. Ioffe and C. Szegedy, "Batch normalization", 2015. */
#include "kernels/norm.h"
#include "ops/activation.h"

enum { X, GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR, RESIDUAL };

typedef struct batch_norm_params {
    bool training;
    double momentum, epsilon;
    pn_activation activation;
    double slope;
} batch_norm_params;

static const batch_norm_params defaults = { .momentum = 0.9, .epsilon = 1e-5, .slope = 0.01 };
static const pn_param params[] = {
    PN_PARAM(training, BOOL, "use the statistics of the batch, and update the running ones"),
    PN_PARAM(momentum, FLOAT, "running = momentum * running + (1 - momentum) * batch"),
    PN_PARAM(epsilon, FLOAT, "added to the variance"),
    PN_PARAM(activation, ACTIVATION, PN_ACTIVATION_DOC),
    PN_PARAM(slope, FLOAT, PN_SLOPE_DOC),
};

/* The statistics used are kept for backward: saved, or in scratch when no backward follows. */
typedef struct plan {
    pn_norm job; /* without its pointers */
    size_t mean, rest, inv_std, work, total, kept;
} plan;

static plan make_plan(const pn_call *c)
{
    const batch_norm_params *p = c->params;
    const pn_view *x = c->x[X];
    plan b = { .job = { .rows = pn_view_count(x, 0, x->ndim - 1),
                        .C = x->shape[x->ndim - 1],
                        .act = p->activation,
                        .slope = p->slope,
                        .epsilon = p->epsilon,
                        .training = p->training,
                        .momentum = p->momentum } };
    size_t *kept = c->recording ? &b.kept : &b.total;
    b.mean = pn_part(kept, b.job.C, pn_call_item(c));
    b.rest = pn_part(kept, b.job.C, pn_call_item(c));
    b.inv_std = pn_part(kept, b.job.C, pn_call_item(c));
    b.work = pn_part(&b.total, 1, c->k->norm_work(&b.job));
    return b;
}

static int check_shapes(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X];
    if (x->ndim < 2)
        return pn_fail(err, PN_ESHAPE, "batch_norm: x is %s; give at least 2 axes, the last one the channels",
                       pn_view_text(x).s);
    const pn_index C = x->shape[x->ndim - 1];
    for (int i = GAMMA; i <= RUNNING_VAR; i++)
        if (c->x[i]->ndim != 1 || c->x[i]->shape[0] != C) {
            char name[64];
            return pn_fail(err, PN_ESHAPE, "batch_norm: %s is %s, x has %td channels (x is %s); give (%td,)",
                           pn_call_input_name(c, i, name, sizeof name), pn_view_text(c->x[i]).s, C, pn_view_text(x).s,
                           C);
        }
    return c->x[RESIDUAL] ? pn_call_check_shape(c, RESIDUAL, x->ndim, x->shape, err) : 0;
}

static int check_params(const pn_call *c, pn_error *err)
{
    const batch_norm_params *p = c->params;
    if (!(p->momentum >= 0 && p->momentum <= 1))
        return pn_fail(err, PN_EVALUE, "batch_norm: momentum is %g; give a value from 0 to 1", p->momentum);
    if (!(p->epsilon > 0) || !__builtin_isfinite(p->epsilon))
        return pn_fail(err, PN_EVALUE, "batch_norm: epsilon is %g; give a value greater than 0, such as 1e-5",
                       p->epsilon);
    const pn_view *x = c->x[X];
    if (p->training && pn_view_count(x, 0, x->ndim - 1) < 2)
        return pn_fail(err, PN_ESHAPE,
                       "batch_norm: x is %s; training needs at least 2 values a channel, else there is no variance: "
                       "give a larger batch",
                       pn_view_text(x).s);
    return pn_call_check_activation(c, p->activation, p->slope, err);
}

static int rule(pn_call *c, pn_error *err)
{
    const batch_norm_params *p = c->params;
    if (pn_call_check_real(c, err) || check_shapes(c, err) || check_params(c, err) ||
        pn_call_output_like(c, 0, c->x[X], err))
        return -1;
    if (pn_call_refuse_grad(c, RUNNING_MEAN, err) || pn_call_refuse_grad(c, RUNNING_VAR, err))
        return -1;
    plan *b = c->plan;
    *b = make_plan(c);
    c->saved_bytes = b->kept;
    c->forward_scratch = c->backward_scratch = b->total;
    c->keep_x = PN_KEEP_X(X) | PN_KEEP_X(GAMMA);
    c->keep_y = p->activation != PN_ACT_NONE ? PN_KEEP_Y(0) : 0;
    c->writes_x = p->training ? PN_KEEP_X(RUNNING_MEAN) | PN_KEEP_X(RUNNING_VAR) : 0;
    return 0;
}

static pn_norm job_of(const pn_call *c)
{
    const plan *b = c->plan;
    void *kept = c->recording ? c->saved : c->scratch;
    pn_norm job = b->job;
    job.x = c->x[X]->data;
    job.gamma = c->x[GAMMA]->data;
    job.mean = pn_at(kept, b->mean);
    job.rest = pn_at(kept, b->rest);
    job.inv_std = pn_at(kept, b->inv_std);
    job.work = pn_at(c->scratch, b->work);
    job.y = c->y[0].data;
    return job;
}

static void forward(const pn_call *c)
{
    pn_norm job = job_of(c);
    job.beta = c->x[BETA]->data;
    job.running_mean = c->x[RUNNING_MEAN]->data;
    job.running_var = c->x[RUNNING_VAR]->data;
    job.residual = c->x[RESIDUAL] ? c->x[RESIDUAL]->data : NULL;
    c->k->norm_forward(c->team, &job);
}

static void backward(const pn_call *c)
{
    pn_norm job = job_of(c);
    job.dy = c->dy[0];
    job.dx = c->dx[X], job.add_dx = c->add[X];
    job.dgamma = c->dx[GAMMA], job.add_dgamma = c->add[GAMMA];
    job.dbeta = c->dx[BETA], job.add_dbeta = c->add[BETA];
    job.dresidual = c->dx[RESIDUAL], job.add_dresidual = c->add[RESIDUAL];
    if (job.act == PN_ACT_NONE)
        job.y = (void *)(uintptr_t)job.dy; /* y is not kept; what stands there then has no weight */
    c->k->norm_backward(c->team, &job);
}

const pn_op pn_op_batch_norm = {
    .name = "batch_norm",
    .inputs = "x gamma beta running_mean running_var residual?",
    .n_out = 1,
    .differentiable = true,
    .doc = "Each channel to mean 0 and variance 1, then scaled and shifted (Ioffe and Szegedy 2015):\n"
           "activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta + residual).\n\n"
           "x: (..., C); gamma, beta, running_mean, running_var: (C); residual: as x; returns x's shape.  Training "
           "uses the batch's\n"
           "statistics and changes the running ones in place; otherwise the running ones are used.\n\n"
           ">>> one, zero = np.ones(3, \"float32\"), pn.tensor(np.zeros(3, \"float32\"))\n"
           ">>> pn.ops.batch_norm(np.ones((8, 3), \"float32\"), one, zero, zero, one).shape\n(8, 3)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
    .overwrites = true,
};
