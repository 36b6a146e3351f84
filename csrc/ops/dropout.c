/* dropout.c -- y = keep ? x / (1 - rate) : 0.  Source: Srivastava et al. 2014.
 *
 * Whether element j of a sample is kept is a function of (seed, stream, step, global index of the sample, j), so it
 * does not depend on threads or batch layout, and backward computes the mask again instead of storing it. */
#include "kernels/random.h"
#include "ops/op.h"

enum { X, SAMPLES };

typedef struct dropout_params {
    double rate;
    uint64_t seed, stream;
    pn_index step, first;
} dropout_params;

static const dropout_params defaults = { .rate = 0.5 };
static const pn_param params[] = {
    PN_PARAM(rate, FLOAT, "the fraction that is set to 0: 0 <= rate < 1"),
    PN_PARAM(seed, SEED, "together with the stream, the key of the random numbers"),
    PN_PARAM(stream, STREAM, "a name (such as a layer's path) or a number, different for each layer"),
    PN_PARAM(step, INT, "the training step, different for each step"),
    PN_PARAM(first, INT, "without samples, the index of x's first row"),
};

static int rule(pn_call *c, pn_error *err)
{
    const dropout_params *p = c->params;
    const pn_view *x = c->x[X], *samples = c->x[SAMPLES];
    if (pn_call_check_same_real(c, X, X, err))
        return -1;
    if (!(p->rate >= 0 && p->rate < 1))
        return pn_fail(err, PN_EVALUE, "dropout: rate is %g; give the fraction to drop, 0 <= rate < 1", p->rate);
    if (p->step < 0 || (uint64_t)p->step > UINT32_MAX || p->first < 0)
        return pn_fail(err, PN_EVALUE,
                       "dropout: step is %td and first is %td; give step from 0 to 2^32 - 1 and first from 0", p->step,
                       p->first);
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "dropout: x needs at least 1 axis, the samples; got a scalar");
    if (samples && samples->dtype != PN_INT64)
        return pn_fail(err, PN_EDTYPE, "dropout: samples is %s; give the rows' int64 sample numbers",
                       pn_dtype_name(samples->dtype));
    if (samples && pn_call_check_shape(c, SAMPLES, 1, x->shape, err))
        return -1;
    if ((uint64_t)pn_view_count(x, 1, x->ndim) > UINT32_MAX)
        return pn_fail(err, PN_ESHAPE, "dropout: x is %s; a sample has at most 2^32 - 1 values", pn_view_text(x).s);
    c->keep_x = samples ? PN_KEEP_X(SAMPLES) : 0;
    return pn_call_output_like(c, 0, x, err);
}

static void run(const pn_call *c, const void *x, void *y, bool add)
{
    const dropout_params *p = c->params;
    const pn_view *v = c->x[X];
    c->k->dropout(c->team, &(pn_dropout){ .rows = v->shape[0],
                                          .len = pn_view_count(v, 1, v->ndim),
                                          .first = p->first,
                                          .samples = c->x[SAMPLES] ? c->x[SAMPLES]->data : NULL,
                                          .key = pn_rng_key(p->seed, p->stream),
                                          .step = (uint32_t)p->step,
                                          .rate = p->rate,
                                          .x = x,
                                          .y = y,
                                          .add = add });
}

static void forward(const pn_call *c) { run(c, c->x[X]->data, c->y[0].data, false); }

static void backward(const pn_call *c)
{
    if (c->dx[X])
        run(c, c->dy[0], c->dx[X], c->add[X]);
}

const pn_op pn_op_dropout = {
    .name = "dropout",
    .inputs = "x samples?",
    .n_out = 1,
    .differentiable = true,
    .doc = "Sets a random fraction of the values to 0 and divides the others by 1 - rate (Srivastava et al. 2014).\n\n"
           "x: (N, ...); samples: int64 (N,), the row numbers in the whole dataset; returns x's shape.  The mask only "
           "depends\n"
           "on (seed, stream, step, sample, element).\n\n"
           ">>> pn.ops.dropout(np.ones((4, 3), \"float32\"), rate=0.0).numpy().sum().item()\n12.0",
    PN_PARAMS,
    .rule = rule,
    .forward = forward,
    .backward = backward,
    .overwrites = true,
};
