/* test_edges.c -- products, windows and rows at the edges of tiles and vectors (edges.h). */
#include "edges.h"

/* Activations that round nothing: results are compared for equality. */
static pn_activation exact_activation(trial *t)
{
    static const pn_activation exact[] = { PN_ACT_NONE, PN_ACT_RELU, PN_ACT_LEAKY_RELU };
    return exact[below(t, 3)];
}

/* ---- products, convolutions, pools ------------------------------------------------------------------------------- */

static void call_gemm(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_gemm a = *(const pn_gemm *)t->shape;
    a.a = p[0], a.b = p[1], a.bias = a.bias ? p[2] : NULL, a.c = p[3];
    a.work = work_block(t, k->gemm_work(&a));
    k->gemm(team, &a);
}

static void gemm_edge(trial *t, const pn_index *s, bool odd)
{
    static const int some = 0;
    const pn_index M = s[0], N = s[1], K = s[2], gap = below(t, 3);
    const bool ta = maybe(t), tb = maybe(t), add = maybe(t);
    const pn_gemm a = {
        .M = M,
        .N = N,
        .K = K,
        .rsa = ta ? 1 : K,
        .csa = ta ? M : 1,
        .rsb = tb ? 1 : N,
        .csb = tb ? K : 1,
        .rsc = N + gap,
        .add = add,
        .batch = 1,
        .slope = 0.25,
        .bias = !add && maybe(t) ? &some : NULL,
        .act = add ? PN_ACT_NONE : exact_activation(t),
    };
    t->tolerance = 0;
    whole_input(t, M * K, odd);
    whole_input(t, K * N, odd);
    whole_input(t, N, odd);
    whole_outputs(t, M * a.rsc);
    run(t, &a, call_gemm);
}

/* Operands: x, w, bias, dy; y, dx, dw. */
static void call_conv(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_conv a = *(const pn_conv *)t->shape;
    a.x = p[0], a.w = p[1], a.bias = a.add ? NULL : p[2], a.dy = p[3], a.y = p[4], a.dx = p[5], a.dw = p[6];
    a.work = work_block(t, k->conv_work(&a));
    k->conv_forward(team, &a);
    a.work = work_block(t, k->conv_dx_work(&a));
    k->conv_dx(team, &a);
    a.work = work_block(t, k->conv_dw_work(&a));
    k->conv_dw(team, &a);
}

/* How many windows of `kernel` fit, `stride` apart. */
static pn_index windows(pn_index size, pn_index pad, pn_index kernel, pn_index stride)
{
    return pn_max(0, size + 2 * pad - kernel + stride) / stride;
}

static void conv_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_index pad = s[7], kernel = s[5], stride = s[6];
    pn_conv a = {
        .N = s[0],
        .H = s[1],
        .W = s[2],
        .C = s[3],
        .O = s[4],
        .KH = kernel,
        .KW = 1 + below(t, kernel + 1),
        .stride_h = stride,
        .stride_w = 1 + below(t, stride),
        .pad_top = pad,
        .pad_left = below(t, pad + 1),
        .act = exact_activation(t),
        .slope = 0.25,
        .add = maybe(t),
    };
    a.OH = windows(a.H, a.pad_top, a.KH, a.stride_h);
    a.OW = windows(a.W, a.pad_left, a.KW, a.stride_w);
    const pn_index x = a.N * a.H * a.W * a.C, w = a.KH * a.KW * a.C * a.O, y = a.N * a.OH * a.OW * a.O;
    t->tolerance = 0;
    whole_input(t, x, odd);
    whole_input(t, w, odd);
    whole_input(t, a.O, odd);
    whole_input(t, y, odd);
    whole_outputs(t, y);
    whole_outputs(t, x);
    whole_outputs(t, w);
    run(t, &a, call_conv);
}

/* Operands: x, dy; y and dx of max, places, y and dx of avg. */
static void call_pools(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_pool2d a = *(const pn_pool2d *)t->shape;
    a.x = p[0], a.dy = p[1], a.y = p[2], a.dx = p[3], a.where = p[4];
    k->max_pool_forward(team, &a);
    k->max_pool_backward(team, &a);
    a.y = p[5], a.dx = p[6], a.where = NULL;
    k->avg_pool_forward(team, &a);
    k->avg_pool_backward(team, &a);
}

static void pool_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_index kernel = s[4], stride = s[5];
    pn_pool2d a = {
        .N = s[0],
        .H = s[1],
        .W = s[2],
        .C = s[3],
        .KH = kernel,
        .KW = 1 + below(t, kernel),
        .stride_h = stride,
        .stride_w = 1 + below(t, stride),
        .add = maybe(t),
    };
    a.pad_top = below(t, a.KH);
    a.pad_left = below(t, a.KW);
    a.OH = windows(a.H, a.pad_top, a.KH, a.stride_h);
    a.OW = windows(a.W, a.pad_left, a.KW, a.stride_w);
    const pn_index x = a.N * a.H * a.W * a.C, y = a.N * a.OH * a.OW * a.C;
    t->scale = 4;
    whole_input(t, x, odd);
    whole_input(t, y, odd);
    outputs(t, y);
    outputs(t, x);
    other_outputs(t, y, 1);
    outputs(t, y);
    outputs(t, x);
    run(t, &a, call_pools);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Operands: x, dy; y, dx, mean and rest. */
static void call_reductions(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_reduce a = *(const pn_reduce *)t->shape;
    a.x = p[0], a.dy = p[1], a.y = p[2], a.dx = p[3];
    a.mean = p[4], a.rest = real_at(t->real, p[4], a.outer * a.inner);
    a.work = work_block(t, k->reduce_work(&a));
    k->reduce_forward(team, &a);
    k->reduce_backward(team, &a);
}

static void reduce_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_reduce a = {
        .f = (pn_reduce_f)below(t, PN_REDUCE_VAR + 1), .outer = s[0], .len = s[1], .inner = s[2], .add_dx = maybe(t)
    };
    t->scale = 2 + sqrt((double)s[1]) / 8;
    whole_input(t, s[0] * s[1] * s[2], odd);
    input(t, s[0] * s[2], -1, 1, odd);
    outputs(t, s[0] * s[2]);
    outputs(t, s[0] * s[1] * s[2]);
    outputs(t, 2 * s[0] * s[2]);
    run(t, &a, call_reductions);
}

/* Operands: x, targets, labels, scale; p, loss, weight, dx of cross-entropy; loss, dx, dt of a row loss. */
static void call_losses(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_xent a = *(const pn_xent *)t->shape;
    a.x = p[0], a.t = a.labels ? NULL : p[1], a.labels = a.labels ? p[2] : NULL;
    a.p = p[4], a.loss = p[5], a.weight = p[6];
    k->xent_forward(team, &a);
    a.scale = p[3], a.dx = p[7];
    k->xent_backward(team, &a);
    pn_rowloss b = { .f = (pn_rowloss_f)(a.rows % 4),
                     .delta = 0.75,
                     .rows = a.rows,
                     .C = a.C,
                     .x = p[0],
                     .t = p[1],
                     .loss = p[8],
                     .scale = p[3],
                     .dx = p[9],
                     .add_dx = a.add };
    b.dt = b.f == PN_LOSS_BINARY ? NULL : p[10];
    k->rowloss_forward(team, &b);
    k->rowloss_backward(team, &b);
}

static void loss_edge(trial *t, const pn_index *s, bool odd)
{
    static const int64_t some = 0;
    const pn_index n = s[0] * s[1];
    const pn_xent a = {
        .rows = s[0], .C = s[1], .labels = maybe(t) ? &some : NULL, .smoothing = maybe(t) ? 0.1 : 0, .add = maybe(t)
    };
    t->scale = 20;
    input(t, n, -9, 9, odd);
    reals(t, n, 0, 1);
    labels(t, s[0], s[1], 0);
    reals(t, s[0], -1, 1);
    if (odd)
        strew(t, false); /* inf - inf or inf: a gradient that is infinite may be either */
    const pn_index sizes[] = { n, s[0], s[0], n, s[0], n, n };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        outputs(t, sizes[i]);
    run(t, &a, call_losses);
}

/* Operands: x, gamma, beta, dy; running mean and variance, y, mean and rest, inv_std; dx, dgamma, dbeta. */
static void call_norm(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_norm a = *(const pn_norm *)t->shape;
    a.x = p[0], a.gamma = p[1], a.beta = p[2], a.running_mean = p[4], a.running_var = p[5], a.y = p[6], a.mean = p[7];
    a.rest = real_at(t->real, p[7], a.C), a.inv_std = p[8], a.work = work_block(t, k->norm_work(&a));
    k->norm_forward(team, &a);
    a.dy = p[3], a.dx = p[9], a.dgamma = p[10], a.dbeta = p[11];
    k->norm_backward(team, &a);
}

static void norm_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_norm a = { .rows = s[0],
                        .C = s[1],
                        .act = exact_activation(t),
                        .slope = 0.25,
                        .epsilon = 1e-3,
                        .training = true,
                        .momentum = 0.9,
                        .add_dx = maybe(t),
                        .add_dgamma = maybe(t) };
    const pn_index n = s[0] * s[1], sizes[] = { s[1], s[1], n, 2 * s[1], s[1], n, s[1], s[1] };
    t->tolerance = t->real == PN_FLOAT32 ? 1e-5 : 1e-13; /* 1 / deviation may be large */
    t->scale = 3 + sqrt((double)s[0]);
    input(t, n, -3, 5, odd);
    reals(t, s[1], 0.5, 2);
    reals(t, s[1], -1, 1);
    input(t, n, -1, 1, odd);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        outputs(t, sizes[i]);
    run(t, &a, call_norm);
}

/* Operands: x, gamma, beta, dy; y, mean and rest, inv_std; dx, dgamma, dbeta. */
static void call_layer_norm(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_layer_norm a = *(const pn_layer_norm *)t->shape;
    a.x = p[0], a.gamma = p[1], a.beta = p[2], a.y = p[4], a.mean = p[5], a.inv_std = p[6];
    a.rest = real_at(t->real, p[5], a.rows);
    k->layer_norm_forward(team, &a);
    a.work = work_block(t, k->layer_norm_work(&a));
    a.dy = p[3], a.dx = p[7], a.dgamma = p[8], a.dbeta = p[9];
    k->layer_norm_backward(team, &a);
}

static void layer_norm_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_layer_norm a = { .rows = s[0], .C = s[1], .epsilon = 1e-3, .add_dx = maybe(t), .add_dbeta = maybe(t) };
    const pn_index n = s[0] * s[1], sizes[] = { n, 2 * s[0], s[0], n, s[1], s[1] };
    t->tolerance = t->real == PN_FLOAT32 ? 1e-5 : 1e-13;
    t->scale = 3 + sqrt((double)s[0]) + sqrt((double)s[1]) / 8;
    input(t, n, -3, 5, odd);
    reals(t, s[1], 0.5, 2);
    reals(t, s[1], -1, 1);
    input(t, n, -1, 1, odd);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        outputs(t, sizes[i]);
    run(t, &a, call_layer_norm);
}

/* ---- the sweeps -------------------------------------------------------------------------------------------------- */

static const edge EDGES[] = {
    { "gemm", gemm_edge, { { 0, EDGE, EDGE }, { 0, EDGE, EDGE }, { 0, EDGE, EDGE } } },
    /* N, H, W, C, O, kernel, stride, pad */
    { "conv_forward conv_dx conv_dw",
      conv_edge,
      { { 0, 20, 3 },
        { 1, EDGE, 7 },
        { 1, EDGE, 7 },
        { 1, EDGE, 17 },
        { 1, EDGE, 17 },
        { 1, 9, 4 },
        { 1, 5, 3 },
        { 0, 9, 3 } } },
    /* N, H, W, C, kernel, stride */
    { "max_pool_forward max_pool_backward avg_pool_forward avg_pool_backward",
      pool_edge,
      { { 0, 20, 3 }, { 1, EDGE, 9 }, { 1, EDGE, 9 }, { 1, EDGE, 17 }, { 1, 16, 4 }, { 1, 7, 3 } } },
    /* outer, len, inner */
    { "reduce_forward reduce_backward", reduce_edge, { { 0, EDGE, 9 }, { 1, EDGE, 20 }, { 0, EDGE, 20 } } },
    /* rows, C */
    { "xent_forward xent_backward rowloss_forward rowloss_backward", loss_edge, { { 0, EDGE, 20 }, { 1, EDGE, 40 } } },
    { "norm_forward norm_backward", norm_edge, { { 0, EDGE, 20 }, { 1, EDGE, 40 } } },
    { "layer_norm_forward layer_norm_backward", layer_norm_edge, { { 0, EDGE, 20 }, { 1, EDGE, 40 } } },
};

static void edges_each(trial *t) { sweep(t, EDGES, sizeof EDGES / sizeof EDGES[0]); }

TEST(kernels_hold_at_the_edges_of_tiles) { each_table(edges_each); }

TESTS(kernels_hold_at_the_edges_of_tiles)
