/* conv2d.c -- y = act(x * W + b), NHWC.  x: (N, H, W, C), weight: (KH, KW, C, O), b: (O), y: (N, OH, OW, O).  With
 * `pool`, y is max_pool2d of that.
 *
 * A cross-correlation, as usual: y[n, i, j, o] = sum over kh, kw, c of x[n, i s + kh - pad, j s + kw - pad, c]
 * weight[kh, kw, c, o].  With dz = dy act'(y): dx comes from conv_dx, dW from conv_dw, and db is the column sums of dz.
 * The gradient of a window goes to its maximum, whose activation is y: so dz and db are computed on the maxima. */
#include "ops/activation.h"
#include "ops/conv_pool.h"
#include "ops/window.h"

enum { X, WEIGHT, BIAS };

typedef struct conv2d_params {
    pn_index stride[2];
    pn_padding padding;
    pn_activation activation;
    double slope;
    pn_index pool[2];
} conv2d_params;

static const conv2d_params defaults = { .stride = { 1, 1 }, .padding = { .mode = PN_PAD_VALID }, .slope = 0.01 };
static const pn_param params[] = {
    PN_PARAM(stride, PAIR, "step size of the kernel: an int, or (height, width)"),
    PN_PARAM(padding, PADDING, PN_PADDING_DOC),
    PN_PARAM(activation, ACTIVATION, PN_ACTIVATION_DOC),
    PN_PARAM(slope, FLOAT, PN_SLOPE_DOC),
    PN_PARAM(pool, PAIR,
             "max_pool2d of the result by windows of this size and stride: an int, or (height, width); 0: none"),
};

/* The convolution and the pooling behind it, whose windows are one cell, KH 0, where there is none: without pointers.
 * Scratch of backward: dz, then work that is used in turn. */
typedef struct plan {
    pn_conv_pool job;
    pn_conv_pool_plan forward, backward; /* where it is pooled */
    pn_layer_act act;
    size_t dz, work, total;
} plan;

static pn_conv_pool job_of(const pn_call *c, const pn_window *w)
{
    const conv2d_params *p = c->params;
    const pn_index O = c->x[WEIGHT]->shape[3];
    pn_conv_pool job = { .conv = pn_window_conv(w, c->x[X]->shape) };
    job.conv.O = O;
    job.conv.act = p->activation;
    job.conv.slope = p->slope;
    job.pool = (pn_pool2d){
        .N = job.conv.N,
        .H = w->OH,
        .W = w->OW,
        .C = O,
        .OH = w->OH / pn_max(1, p->pool[0]),
        .OW = w->OW / pn_max(1, p->pool[1]),
        .KH = p->pool[0],
        .KW = p->pool[1],
        .stride_h = p->pool[0],
        .stride_w = p->pool[1],
    };
    return job;
}

static bool pools(const pn_conv_pool *job) { return job->pool.KH > 0; }

static void make_plan(const pn_call *c, plan *b)
{
    const conv2d_params *p = c->params;
    const pn_conv *conv = &b->job.conv;
    size_t work;
    if (pools(&b->job)) {
        b->forward = pn_conv_pool_plan_forward(c, conv);
        b->backward = pn_conv_pool_plan_backward(c, conv);
        work = b->backward.total;
    } else {
        work = pn_larger(c->wants[X] ? c->k->conv_dx_work(conv) : 0, c->wants[WEIGHT] ? c->k->conv_dw_work(conv) : 0);
    }
    b->act = (pn_layer_act){ .act = p->activation, .slope = p->slope, .bias = BIAS, .C = conv->O };
    b->total = 0;
    b->dz = pn_part(&b->total, p->activation != PN_ACT_NONE ? c->y[0].size : 0, pn_call_item(c));
    b->work = pn_part(&b->total, 1, pn_larger(work, pn_call_act_work(c, &b->act)));
}

static int check_shapes(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *w = c->x[WEIGHT];
    if (pn_call_check_ndim(c, WEIGHT, 4, "(KH, KW, C, O)", err) ||
        pn_call_check_ndim(c, X, 4, "(N, H, W, C); one image is a batch of 1: x.reshape(1, H, W, C)", err))
        return -1;
    if (x->shape[3] != w->shape[2] && x->shape[1] == w->shape[2])
        return pn_fail(err, PN_ESHAPE, "conv2d: x is %s, which looks channels-first: use x.transpose(0, 2, 3, 1)",
                       pn_view_text(x).s);
    if (x->shape[3] != w->shape[2])
        return pn_fail(err, PN_ESHAPE, "conv2d: weight has %td input channels, x has %td (x is %s, weight is %s)",
                       w->shape[2], x->shape[3], pn_view_text(x).s, pn_view_text(w).s);
    return c->x[BIAS] ? pn_call_check_shape(c, BIAS, 1, &w->shape[3], err) : 0;
}

static int check_pool(const pn_call *c, const pn_window *w, pn_error *err)
{
    const pn_index *size = ((const conv2d_params *)c->params)->pool;
    if (size[0] == 0 && size[1] == 0)
        return 0;
    if (size[0] < 1 || size[1] < 1 || size[0] > PN_CELLS_MOST || size[1] > PN_CELLS_MOST / size[0])
        return pn_fail(err, PN_EVALUE,
                       "conv2d: pool is (%td, %td); give sizes of at least 1, at most %d cells, or 0 for none", size[0],
                       size[1], PN_CELLS_MOST);
    if (size[0] > w->OH || size[1] > w->OW)
        return pn_fail(err, PN_ESHAPE,
                       "conv2d: a %td x %td pool does not fit into the %td x %td result (x is %s); "
                       "make it smaller, or give padding=\"same\"",
                       size[0], size[1], w->OH, w->OW, pn_view_text(c->x[X]).s);
    return 0;
}

static int rule(pn_call *c, pn_error *err)
{
    const conv2d_params *p = c->params;
    if (pn_call_check_real(c, err) || check_shapes(c, err))
        return -1;
    const pn_index *k = c->x[WEIGHT]->shape;
    pn_window w = { .KH = k[0], .KW = k[1], .stride_h = p->stride[0], .stride_w = p->stride[1] };
    if (pn_window_place(c, &w, &p->padding, false, "kernel", err) || check_pool(c, &w, err) ||
        pn_call_check_activation(c, p->activation, p->slope, err))
        return -1;
    plan *b = c->plan;
    b->job = job_of(c, &w);
    const pn_pool2d *pool = &b->job.pool;
    const pn_index between[4] = { pool->N, pool->H, pool->W, pool->C };
    const pn_index result[4] = { pool->N, pool->OH, pool->OW, pool->C };
    if (pn_call_output(c, 0, c->x[X]->dtype, 4, between, err) || pn_call_output(c, 0, c->x[X]->dtype, 4, result, err))
        return -1;
    make_plan(c, b);
    c->saved_bytes = pools(&b->job) ? (size_t)c->y[0].size : 0;
    c->forward_scratch = pools(&b->job) ? b->forward.total : c->k->conv_work(&b->job.conv);
    c->backward_scratch = b->total;
    c->keep_x = (c->wants[X] ? PN_KEEP_X(WEIGHT) : 0) | (c->wants[WEIGHT] ? PN_KEEP_X(X) : 0);
    c->keep_y = p->activation != PN_ACT_NONE ? PN_KEEP_Y(0) : 0;
    return 0;
}

static void forward(const pn_call *c)
{
    const plan *b = c->plan;
    pn_conv_pool job = b->job;
    job.conv.x = c->x[X]->data;
    job.conv.w = c->x[WEIGHT]->data;
    job.conv.bias = c->x[BIAS] ? c->x[BIAS]->data : NULL;
    if (pools(&job)) {
        job.pool.y = c->y[0].data;
        job.pool.where = c->recording ? c->saved : NULL;
        pn_conv_pool_forward(c, &job, &b->forward, c->scratch);
        return;
    }
    job.conv.y = c->y[0].data;
    job.conv.work = c->scratch;
    c->k->conv_forward(c->team, &job.conv);
}

static void backward(const pn_call *c)
{
    const plan *b = c->plan;
    pn_conv_pool job = b->job;
    void *work = pn_at(c->scratch, b->work);
    const void *dz = pn_call_act_backward(c, &b->act, pn_at(c->scratch, b->dz), work);
    job.conv.x = c->x[X]->data;
    job.conv.w = c->x[WEIGHT]->data;
    if (pools(&job)) {
        job.pool.dy = dz;
        job.pool.where = c->saved;
        pn_conv_pool_backward(c, &job, &b->backward, work);
        return;
    }
    job.conv.dy = dz;
    job.conv.work = work;
    if (c->dx[WEIGHT]) {
        job.conv.dw = c->dx[WEIGHT];
        job.conv.add = c->add[WEIGHT];
        c->k->conv_dw(c->team, &job.conv);
    }
    if (c->dx[X]) {
        job.conv.dx = c->dx[X];
        job.conv.add = c->add[X];
        c->k->conv_dx(c->team, &job.conv);
    }
}

const pn_op pn_op_conv2d = {
    .name = "conv2d",
    .inputs = "x weight bias?",
    .n_out = 1,
    .differentiable = true,
    .doc = "A convolution layer over images: activation(x * weight + bias) (LeCun et al. 1989).\n\n"
           "x: (N, H, W, C); weight: (KH, KW, C, O); bias: (O); returns (N, OH, OW, O), with OH = (H + padding - KH) "
           "// stride + 1, or OH // pool with a pool: the same as max_pool2d(conv2d(...), pool), but the intermediate "
           "result is never stored as a whole.\n\n"
           ">>> x, weight = np.ones((2, 28, 28, 1), \"float32\"), np.ones((5, 5, 1, 8), \"float32\")\n"
           ">>> pn.ops.conv2d(x, weight, padding=\"same\", activation=\"relu\").shape\n(2, 28, 28, 8)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
