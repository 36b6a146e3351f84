/* depthwise_conv2d.c -- y = act(x * W + b) with kernels for each channel, NHWC.  x: (N, H, W, C), weight:
 * (KH, KW, C, M), b: (C M), y: (N, OH, OW, C M).
 *
 * y[n, i, j, c M + m] = sum over kh, kw of x[n, i s + kh - pad, j s + kw - pad, c] weight[kh, kw, c, m].  The kernels
 * take M = 1: for more, each channel of x is repeated M times in scratch, and its gradient summed over them. */
#include "kernels/conv.h"
#include "kernels/reduce.h"
#include "ops/activation.h"
#include "ops/window.h"

enum { X, WEIGHT, BIAS };

typedef struct depthwise_conv2d_params {
    pn_index stride[2];
    pn_padding padding;
    pn_activation activation;
    double slope;
} depthwise_conv2d_params;

static const depthwise_conv2d_params defaults = {
    .stride = { 1, 1 },
    .padding = { .mode = PN_PAD_VALID },
    .slope = 0.01,
};
static const pn_param params[] = {
    PN_PARAM(stride, PAIR, "step size of the kernel: an int, or (height, width)"),
    PN_PARAM(padding, PADDING, PN_PADDING_DOC),
    PN_PARAM(activation, ACTIVATION, PN_ACTIVATION_DOC),
    PN_PARAM(slope, FLOAT, PN_SLOPE_DOC),
};

typedef struct plan {
    pn_conv conv; /* of C M channels, without its pointers */
    pn_index inputs, M;
    size_t repeated, dz, work; /* offsets into scratch; forward has the first alone */
} plan;

static int check_shapes(const pn_call *c, pn_error *err)
{
    const pn_view *x = c->x[X], *w = c->x[WEIGHT];
    if (pn_call_check_ndim(c, WEIGHT, 4, "(KH, KW, C, M)", err) ||
        pn_call_check_ndim(c, X, 4, "(N, H, W, C); one image is a batch of 1: x.reshape(1, H, W, C)", err))
        return -1;
    if (x->shape[3] != w->shape[2] && x->shape[1] == w->shape[2])
        return pn_fail(err, PN_ESHAPE,
                       "depthwise_conv2d: x is %s, which looks channels-first: use x.transpose(0, 2, 3, 1)",
                       pn_view_text(x).s);
    if (x->shape[3] != w->shape[2])
        return pn_fail(err, PN_ESHAPE, "depthwise_conv2d: weight has %td channels, x has %td (x is %s, weight is %s)",
                       w->shape[2], x->shape[3], pn_view_text(x).s, pn_view_text(w).s);
    const pn_index outputs = w->shape[2] * w->shape[3];
    return c->x[BIAS] ? pn_call_check_shape(c, BIAS, 1, &outputs, err) : 0;
}

static pn_layer_act act_of(const pn_call *c)
{
    const depthwise_conv2d_params *p = c->params;
    const pn_index *y = c->y[0].shape;
    return (pn_layer_act){ .act = p->activation, .slope = p->slope, .bias = BIAS, .C = y[3] };
}

static pn_reduce sum_of(const plan *p)
{
    return (pn_reduce){ .f = PN_REDUCE_SUM, .outer = p->inputs, .len = p->M, .inner = 1 };
}

/* Scratch: the repeated x and its gradient share memory, and so do all work areas. */
static void lay_out(pn_call *c, plan *p)
{
    const pn_layer_act act = act_of(c);
    const pn_reduce sum = sum_of(p);
    const size_t of_act = pn_call_act_work(c, &act), of_sum = p->M > 1 ? c->k->reduce_work(&sum) : 0;
    const size_t of_dw = c->wants[WEIGHT] ? c->k->depthwise_dw_work(&p->conv) : 0;
    p->repeated = pn_part(&c->forward_scratch, p->M > 1 ? p->inputs : 0, (size_t)p->M * pn_call_item(c));
    c->backward_scratch = c->forward_scratch;
    p->dz = pn_part(&c->backward_scratch, act.act != PN_ACT_NONE ? c->y[0].size : 0, pn_call_item(c));
    p->work = pn_part(&c->backward_scratch, 1, pn_larger(of_act, pn_larger(of_sum, of_dw)));
}

static int rule(pn_call *c, pn_error *err)
{
    const depthwise_conv2d_params *p = c->params;
    if (pn_call_check_real(c, err) || check_shapes(c, err) || pn_call_check_activation(c, p->activation, p->slope, err))
        return -1;
    const pn_index *x = c->x[X]->shape, *k = c->x[WEIGHT]->shape;
    pn_window w = { .KH = k[0], .KW = k[1], .stride_h = p->stride[0], .stride_w = p->stride[1] };
    if (pn_window_place(c, &w, &p->padding, false, "kernel", err))
        return -1;
    const pn_index shape[4] = { x[0], w.OH, w.OW, k[2] * k[3] };
    if (pn_call_output(c, 0, c->x[X]->dtype, 4, shape, err))
        return -1;
    plan *made = c->plan;
    *made = (plan){
        .conv = pn_window_conv(&w, x),
        .inputs = c->x[X]->size,
        .M = k[3],
    };
    made->conv.C = shape[3];
    made->conv.act = p->activation;
    made->conv.slope = p->slope;
    lay_out(c, made);
    c->keep_x = (c->wants[X] ? PN_KEEP_X(WEIGHT) : 0) | (c->wants[WEIGHT] ? PN_KEEP_X(X) : 0);
    c->keep_y = p->activation != PN_ACT_NONE ? PN_KEEP_Y(0) : 0;
    return 0;
}

/* x with one channel per output channel: x itself, or each channel repeated M times. */
static const void *repeat(const pn_call *c, const plan *p)
{
    if (p->M == 1)
        return c->x[X]->data;
    void *to = pn_at(c->scratch, p->repeated);
    c->k->copy(c->team, &(pn_copy){ .ndim = 2,
                                    .shape = { p->inputs, p->M },
                                    .src = c->x[X]->data,
                                    .src_stride = { 1, 0 },
                                    .dst = to,
                                    .dst_stride = { p->M, 1 },
                                    .item = (int)pn_call_item(c) });
    return to;
}

static void forward(const pn_call *c)
{
    const plan *p = c->plan;
    pn_conv conv = p->conv;
    conv.x = repeat(c, p);
    conv.w = c->x[WEIGHT]->data;
    conv.bias = c->x[BIAS] ? c->x[BIAS]->data : NULL;
    conv.y = c->y[0].data;
    c->k->depthwise_forward(c->team, &conv);
}

/* Sums dx over the repeated channels. */
static void backward_x(const pn_call *c, const plan *p, pn_conv *conv)
{
    conv->w = c->x[WEIGHT]->data;
    conv->dx = p->M == 1 ? c->dx[X] : pn_at(c->scratch, p->repeated);
    conv->add = p->M == 1 && c->add[X];
    c->k->depthwise_dx(c->team, conv);
    if (p->M == 1)
        return;
    pn_reduce sum = sum_of(p);
    sum.x = conv->dx;
    sum.y = c->dx[X];
    sum.add = c->add[X];
    sum.work = conv->work;
    c->k->reduce_forward(c->team, &sum);
}

static void backward(const pn_call *c)
{
    const plan *p = c->plan;
    const pn_layer_act act = act_of(c);
    pn_conv conv = p->conv;
    conv.work = pn_at(c->scratch, p->work);
    conv.dy = pn_call_act_backward(c, &act, pn_at(c->scratch, p->dz), conv.work);
    if (c->dx[WEIGHT]) {
        conv.x = repeat(c, p);
        conv.dw = c->dx[WEIGHT];
        conv.add = c->add[WEIGHT];
        c->k->depthwise_dw(c->team, &conv);
    }
    if (c->dx[X])
        backward_x(c, p, &conv);
}

const pn_op pn_op_depthwise_conv2d = {
    .name = "depthwise_conv2d",
    .inputs = "x weight bias?",
    .n_out = 1,
    .differentiable = true,
    .doc = "A convolution of each image channel with its own kernels (Howard et al. 2017, MobileNets).\n\n"
           "x: (N, H, W, C); weight: (KH, KW, C, M), M kernels for each channel; bias: (C * M); "
           "returns (N, OH, OW, C * M), with OH = (H + padding - KH) // stride + 1; "
           "channel c gives outputs c * M to c * M + M - 1.\n\n"
           ">>> x, weight = np.ones((2, 28, 28, 8), \"float32\"), np.ones((3, 3, 8, 1), \"float32\")\n"
           ">>> pn.ops.depthwise_conv2d(x, weight, padding=\"same\", activation=\"relu\").shape\n(2, 28, 28, 8)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
