/* linear.c -- y = act(x W + b).  x: (..., in), W: (in, out), b: (out), y: (..., out).
 *
 * With dz = dy act'(y): dx = dz W', dW = x' dz, db = the column sums of dz. */
#include "kernels/gemm.h"
#include "ops/activation.h"

enum { X, WEIGHT, BIAS };

typedef struct linear_params {
    pn_activation activation;
    double slope;
} linear_params;

static const linear_params defaults = { .slope = 0.01 };
static const pn_param params[] = {
    PN_PARAM(activation, ACTIVATION, PN_ACTIVATION_DOC),
    PN_PARAM(slope, FLOAT, PN_SLOPE_DOC),
};

/* The three products, without their pointers; scratch of backward, whose work is used in turn. */
typedef struct plan {
    pn_gemm y, dx, dw;
    pn_layer_act act;
    size_t dz, work, total;
} plan;

static void make_plan(const pn_call *c, plan *b)
{
    const linear_params *p = c->params;
    const pn_index in = c->x[WEIGHT]->shape[0], M = pn_view_count(c->x[X], 0, c->x[X]->ndim - 1),
                   out = c->x[WEIGHT]->shape[1];
    size_t work = 0;
    b->y = (pn_gemm){ .M = M, .N = out, .K = in, .rsa = in, .csa = 1, .rsb = out, .csb = 1, .rsc = out, .batch = 1 };
    if (c->wants[X]) {
        b->dx =
            (pn_gemm){ .M = M, .N = in, .K = out, .rsa = out, .csa = 1, .rsb = 1, .csb = out, .rsc = in, .batch = 1 };
        work = c->k->gemm_work(&b->dx);
    }
    if (c->wants[WEIGHT]) {
        b->dw =
            (pn_gemm){ .M = in, .N = out, .K = M, .rsa = 1, .csa = in, .rsb = out, .csb = 1, .rsc = out, .batch = 1 };
        work = pn_larger(work, c->k->gemm_work(&b->dw));
    }
    b->act = (pn_layer_act){ .act = p->activation, .slope = p->slope, .bias = BIAS, .C = out };
    b->total = 0;
    b->dz = pn_part(&b->total, p->activation != PN_ACT_NONE ? c->y[0].size : 0, pn_call_item(c));
    b->work = pn_part(&b->total, 1, pn_larger(work, pn_call_act_work(c, &b->act)));
}

static int check_shapes(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *w = c->x[WEIGHT];
    if (pn_call_check_ndim(c, WEIGHT, 2, "(in, out)", err))
        return -1;
    if (x->ndim < 1)
        return pn_fail(err, PN_ESHAPE, "linear: x is a scalar; give (..., %td)", w->shape[0]);
    const pn_index features = x->shape[x->ndim - 1];
    if (features != w->shape[0]) {
        const bool flat = x->ndim > 2 && pn_view_count(x, 1, x->ndim) == w->shape[0];
        return pn_fail(err, PN_ESHAPE, "linear: weight takes %td features, x has %td (x is %s, weight is %s)%s",
                       w->shape[0], features, pn_view_text(x).s, pn_view_text(w).s,
                       flat ? "; flatten x first: x.reshape(len(x), -1)" : "");
    }
    return c->x[BIAS] ? pn_call_check_shape(c, BIAS, 1, &w->shape[1], err) : 0;
}

static int rule(pn_call *c, pn_error *err)
{
    const linear_params *p = c->params;
    if (pn_call_check_real(c, err) || check_shapes(c, err) || pn_call_check_activation(c, p->activation, p->slope, err))
        return -1;
    pn_view y = *c->x[X];
    y.shape[y.ndim - 1] = c->x[WEIGHT]->shape[1];
    if (pn_call_output_like(c, 0, &y, err))
        return -1;
    plan *b = c->plan;
    make_plan(c, b);
    c->forward_scratch = c->k->gemm_work(&b->y);
    c->backward_scratch = b->total;
    c->keep_x = (c->wants[X] ? PN_KEEP_X(WEIGHT) : 0) | (c->wants[WEIGHT] ? PN_KEEP_X(X) : 0);
    c->keep_y = p->activation != PN_ACT_NONE ? PN_KEEP_Y(0) : 0;
    return 0;
}

static void forward(const pn_call *c)
{
    const linear_params *p = c->params;
    pn_gemm g = ((const plan *)c->plan)->y;
    g.a = c->x[X]->data;
    g.b = c->x[WEIGHT]->data;
    g.c = c->y[0].data;
    g.bias = c->x[BIAS] ? c->x[BIAS]->data : NULL;
    g.act = p->activation;
    g.slope = p->slope;
    g.work = c->scratch;
    c->k->gemm(c->team, &g);
}

/* The gradient of input i. */
static void multiply(const pn_call *c, int i, pn_gemm g, const void *a, const void *b, void *work)
{
    g.a = a;
    g.b = b;
    g.c = c->dx[i];
    g.add = c->add[i];
    g.work = work;
    c->k->gemm(c->team, &g);
}

static void backward(const pn_call *c)
{
    const plan *b = c->plan;
    void *work = pn_at(c->scratch, b->work);
    const void *dz = pn_call_act_backward(c, &b->act, pn_at(c->scratch, b->dz), work);
    if (c->dx[WEIGHT])
        multiply(c, WEIGHT, b->dw, c->x[X]->data, dz, work);
    if (c->dx[X])
        multiply(c, X, b->dx, dz, c->x[WEIGHT]->data, work);
}

const pn_op pn_op_linear = {
    .name = "linear",
    .inputs = "x weight bias?",
    .n_out = 1,
    .differentiable = true,
    .doc = "A dense layer: activation(x @ weight + bias).\n\n"
           "x: (..., in); weight: (in, out); bias: (out); returns (..., out).\n\n"
           ">>> x, weight = np.ones((4, 3), \"float32\"), np.ones((3, 2), \"float32\")\n"
           ">>> pn.ops.linear(x, weight, activation=\"relu\").shape\n(4, 2)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
