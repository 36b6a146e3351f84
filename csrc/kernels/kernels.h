/* kernels.h -- the table of kernels: void functions on pointers, sizes and strides; none can fail, none allocates.
 *
 * Each kernel takes who may help (pn_team) and one struct of arguments, which is also the job its worker tasks read.
 * Pointers are to the table's real (float or double) unless a comment says otherwise; strides are in elements.
 * Bodies are compiled once per instruction set and real (kernels/isa/); the naive twin is one more such set.
 * The same bits for any number of threads: the order in which an output is summed depends on shapes alone. */
#ifndef PN_KERNELS_H
#define PN_KERNELS_H

#include "base/cpu.h"
#include "base/pool.h"
#include "base/rng.h"
#include "kernels/map.h"

/* ---- gemm: C = act(A B + bias), or C += A B ------------------------------------------------------------------- */

typedef struct pn_gemm {
    const void *a;
    pn_index rsa, csa; /* A (M, K): row and column strides, one of them 1 (or K or M is 1) */
    const void *b;
    pn_index rsb, csb; /* B (K, N): likewise */
    void *c;
    pn_index rsc;     /* C (M, N): rows rsc apart, columns adjacent; overlaps neither A nor B */
    pn_index M, N, K; /* any may be 0; K = 0 gives act(bias) */
    bool add;         /* C += A B; then bias is NULL and act is PN_ACT_NONE */
    const void *bias; /* (N) or NULL */
    pn_activation act;
    double slope;               /* slope: of leaky_relu */
    pn_index batch, sa, sb, sc; /* so many products, operands this far apart (0 repeats one); batch >= 0 */
    void *work;                 /* gemm_work(this) bytes, aligned; may be NULL when that is 0 */
} pn_gemm;

/* ---- conv: NHWC images, (KH, KW, C, O) weights; depthwise: (KH, KW, C) weights, and O is not read ---------------- */

typedef struct pn_conv {
    pn_index N, H, W, C, OH, OW, O, KH, KW;
    pn_index stride_h, stride_w, pad_top, pad_left; /* bottom and right padding follow from OH and OW */
    const void *x;                                  /* (N, H, W, C) */
    const void *w;                                  /* (KH, KW, C, O) */
    const void *bias;                               /* (O) or NULL */
    void *y;                                        /* forward: (N, OH, OW, O), written */
    pn_activation act;
    double slope;   /* forward only: y = act(x * w + bias) */
    const void *dy; /* backward: gradient before the activation, (N, OH, OW, O) */
    void *dx;
    void *dw; /* conv_dx writes or adds dx, conv_dw writes or adds dw */
    bool add;
    void *work;  /* conv_work / conv_dx_work / conv_dw_work(this) bytes, aligned */
    bool packed; /* conv_forward, conv_dx: work is that of a call with the same w and sizes but N */
    bool alone;  /* conv_dw: for one thread, one sum through all images */
} pn_conv;

/* ---- pool2d ---------------------------------------------------------------------------------------------------- */

typedef struct pn_pool2d {
    pn_index N, H, W, C, OH, OW, KH, KW, stride_h, stride_w, pad_top, pad_left;
    const void *x;
    void *y;        /* (N, H, W, C) -> (N, OH, OW, C) */
    uint8_t *where; /* max: offset kh * KW + kw of each maximum (the first of equals; NaN wins), or NULL */
    const void *dy;
    void *dx;
    bool add; /* backward; dx is written whole (zeros where nothing flows) or added to */
} pn_pool2d;  /* avg divides by the number of cells inside the image; KH * KW <= 256 for max */

/* ---- reduce: x is (outer, len, inner), y is (outer, inner) ------------------------------------------------------ */

typedef enum {
    PN_REDUCE_SUM,
    PN_REDUCE_MEAN,
    PN_REDUCE_MAX,
    PN_REDUCE_MIN,
    PN_REDUCE_VAR
} pn_reduce_f; /* VAR divides by len - correction */

typedef struct pn_reduce { /* NaN anywhere gives NaN.  Sums run in fixed cuts, pairwise across them */
    pn_reduce_f f;
    pn_index outer, len, inner;
    double correction;
    const void *x;
    void *y;
    bool add; /* forward, SUM only: y += */
    const void *dy;
    void *dx; /* reduce_backward: dx (+)=; max and min share dy evenly among equals */
    bool add_dx;
    void *mean,
        *rest;  /* VAR, (outer, inner): mean + rest is the mean; forward writes them unless NULL, backward reads them */
    void *work; /* reduce_work(this) bytes */
} pn_reduce;

typedef struct pn_argmax {
    pn_index outer, len, inner;
    const void *x;
    int64_t *y;
} pn_argmax; /* first of equals; NaN wins */

/* Sum of squares of n values in double, fixed cuts; result written to *y (double).  Infinite or NaN comes out so. */
typedef struct pn_sumsq {
    pn_index n;
    const void *x;
    double *y;
    double *partial; /* (n + 16383) / 16384 of them */
} pn_sumsq;

/* ---- rows: softmax and losses, x is (rows, C) ------------------------------------------------------------------ */

typedef struct pn_softmax { /* softmax, log_softmax and their _backward: dx (+)=, from y and dy */
    pn_index rows, C;
    const void *x;
    void *y;
    const void *dy;
    void *dx;
    bool add;
} pn_softmax;

/* Cross-entropy of logits, per row, as PyTorch's: p = softmax(x), e = smoothing, w_c = class_weight[c],
 * v = row_weight[r].
 * Integer targets: loss[r] = v ((1 - e) w_label (-log p_label) + e / C sum_c w_c (-log p_c)); label == ignore gives 0.
 * Probability targets t: loss[r] = v sum_c w_c q_c (-log p_c), q = (1 - e) t + e / C.
 * weight[r] receives the row's share of the divisor of a weighted mean: v w_label for integer targets (0 for ignored
 * rows), v for probability targets. */
typedef struct pn_xent {
    pn_index rows, C;
    const void *x;
    const int64_t *labels;    /* (rows), or NULL: then t */
    const void *t;            /* (rows, C) */
    const void *row_weight;   /* (rows) or NULL */
    const void *class_weight; /* (C) or NULL */
    double smoothing;
    bool has_ignore;
    int64_t ignore;
    void *p;             /* (rows, C): softmax, less 1 at the label; kept for backward */
    void *loss, *weight; /* (rows) each */
    const void *scale;   /* backward: (rows) what multiplies each row's gradient of loss[r] */
    void *dx;
    bool add; /* backward, from p */
} pn_xent;

/* Row losses: loss[r] = w_r * sum or mean over the row.  binary: logits x, targets t in [0, 1], summed within a row;
 * mse, mae, huber: averaged within a row. */
typedef enum { PN_LOSS_BINARY, PN_LOSS_MSE, PN_LOSS_MAE, PN_LOSS_HUBER } pn_rowloss_f;
typedef struct pn_rowloss {
    pn_rowloss_f f;
    double delta; /* huber: where the square becomes a line */
    pn_index rows, C;
    const void *x, *t;
    const void *row_weight; /* (rows) or NULL */
    void *loss;             /* (rows) */
    const void *scale;      /* backward: (rows), includes nothing of row_weight: the kernel multiplies it in */
    void *dx;
    bool add_dx; /* NULL: not wanted */
    void *dt;
    bool add_dt; /* not of binary; NULL: not wanted */
} pn_rowloss;

/* hits[r] = 1 when row r's prediction equals its target, else 0.
 * C > 1: argmax against labels[r]; C == 1: x >= threshold. */
typedef struct pn_hits {
    pn_index rows, C;
    const void *x;
    const int64_t *labels;
    double threshold;
    void *hits;
} pn_hits;

/* ---- norm: x is (rows, C), statistics a channel ---------------------------------------------------------------- */

typedef struct pn_norm {
    pn_index rows, C;
    const void *x, *gamma, *beta; /* (rows, C), (C), (C) */
    const void *residual;         /* (rows, C) or NULL: added before the activation */
    pn_activation act;
    double slope;
    double epsilon;
    bool training;                    /* batch statistics, and the running ones move; else the running ones are used */
    double momentum;                  /* running = momentum * running + (1 - momentum) * batch (variance unbiased) */
    void *running_mean, *running_var; /* (C) */
    void *y;                          /* (rows, C) */
    void *mean, *rest, *inv_std;      /* (C): what was used, kept for backward; mean + rest is the mean */
    const void *dy;                   /* backward: gradient of y, whose y is read unless act is NONE */
    void *dx, *dgamma, *dbeta, *dresidual; /* NULL where not wanted */
    bool add_dx, add_dgamma, add_dbeta, add_dresidual;
    void *work; /* norm_work(this) bytes, forward and backward alike */
} pn_norm;

typedef struct pn_layer_norm { /* y = gamma (x - mean) inv_std + beta, statistics a row */
    pn_index rows, C;
    const void *x, *gamma, *beta; /* (rows, C), (C), (C) */
    double epsilon;
    void *y;                     /* (rows, C) */
    void *mean, *rest, *inv_std; /* (rows): written by forward, read by backward; mean + rest is the mean */
    const void *dy;
    void *dx, *dgamma, *dbeta; /* NULL where not wanted */
    bool add_dx, add_dgamma, add_dbeta;
    void *work; /* backward, dgamma or dbeta: layer_norm_work(this) bytes */
} pn_layer_norm;

/* ---- dropout, random fills, gather, update --------------------------------------------------------------------- */

typedef struct pn_dropout { /* y = keep ? x / (1 - rate) : 0; backward is the same call on dy */
    pn_index rows, len;     /* element j of row r draws from (key, step, sample, j) */
    const int64_t *samples; /* (rows) global sample index, or NULL: first + r */
    int64_t first;
    pn_key key;
    uint32_t step;
    double rate;
    const void *x;
    void *y;
    bool add;
} pn_dropout;

typedef enum {
    PN_RANDOM_UNIFORM,
    PN_RANDOM_NORMAL,
    PN_RANDOM_TRUNCATED
} pn_random_f; /* truncated: normal within 2 deviations */
typedef struct pn_random {
    pn_random_f f;
    pn_index n;
    double a, b;
    pn_key key;
    void *y;
} pn_random; /* uniform in [a, b); normal with mean a, deviation b */

typedef struct pn_gather {        /* y[r] = (x[rows[r]] - mean) * scale, mean and scale over the last `channels` */
    pn_dtype from;                /* PN_UINT8, PN_FLOAT32, PN_FLOAT64 (each to the table's real) */
    pn_index rows, len, channels; /* rows taken, elements a row */
    const int64_t *index;         /* (rows), already checked */
    const void *x;
    const void *mean, *scale; /* (channels) of the table's real, or NULL both */
    void *y;
} pn_gather;

typedef struct pn_take {   /* take_backward: dx[index[i]] (+)= dy[i], a row's contributions in order of i */
    pn_index rows, len, n; /* dx is (rows, len), dy is (n, len) */
    const int64_t *index;  /* (n), already checked */
    const void *dy;
    void *dx;
    bool add;   /* written whole: 0 where no row was taken */
    void *work; /* take_work(this) bytes */
} pn_take;

/* mean and population standard deviation a channel, in double, fixed cuts; x (n, channels) of `from`. */
typedef struct pn_moments {
    pn_dtype from;
    pn_index n, channels;
    const void *x;
    double *mean, *deviation;
    double *work; /* moments_work bytes */
} pn_moments;

typedef enum { PN_UPDATE_SGD, PN_UPDATE_RMSPROP, PN_UPDATE_ADAM, PN_UPDATE_ADAMW, PN_UPDATES } pn_update_f;

/* One run of parameters, updated in one pass.  g is first multiplied by grad_scale (clipping).
 * Weight decay: SGD, RMSprop and Adam add decay * p to g; AdamW takes rate * decay * p from p. */
typedef struct pn_update {
    pn_update_f f;
    pn_index n;
    void *p;
    const void *g;
    void *slot[2]; /* SGD: velocity (with momentum); RMSprop: mean square, velocity; Adam: m, v */
    double rate, decay, grad_scale;
    double momentum;
    bool nesterov;                   /* SGD, RMSprop (no nesterov) */
    double beta1, beta2, epsilon;    /* Adam; RMSprop: beta2 is its smoothing constant */
    double correction1, correction2; /* Adam: 1 - beta^t */
} pn_update;

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* X(kernel, its argument struct) */
/* clang-format off */
#define PN_KERNEL_TABLE(X)                                                                                          \
    X(gemm, pn_gemm)                                                                                                \
    X(conv_forward, pn_conv)          X(conv_dx, pn_conv)               X(conv_dw, pn_conv)                         \
    X(depthwise_forward, pn_conv)     X(depthwise_dx, pn_conv)          X(depthwise_dw, pn_conv)                    \
    X(max_pool_forward, pn_pool2d)    X(max_pool_backward, pn_pool2d)                                               \
    X(avg_pool_forward, pn_pool2d)    X(avg_pool_backward, pn_pool2d)                                               \
    X(unary_forward, pn_unary)        X(unary_backward, pn_unary)                                                   \
    X(binary_forward, pn_binary)      X(binary_da, pn_binary)           X(binary_db, pn_binary)                     \
    X(compare, pn_compare)                                                                                          \
    X(select_forward, pn_select)      X(select_da, pn_select)           X(select_db, pn_select)                     \
    X(act_backward, pn_act)           X(act_sum, pn_act)                                                              \
    X(axpy, pn_axpy)                  X(fill, pn_fill)                  X(copy, pn_copy)                            \
    X(reduce_forward, pn_reduce)      X(reduce_backward, pn_reduce)     X(argmax, pn_argmax)                        \
    X(sumsq, pn_sumsq)                                                                                              \
    X(softmax_forward, pn_softmax)    X(softmax_backward, pn_softmax)                                               \
    X(log_softmax_forward, pn_softmax) X(log_softmax_backward, pn_softmax)                                          \
    X(xent_forward, pn_xent)          X(xent_backward, pn_xent)                                                     \
    X(rowloss_forward, pn_rowloss)    X(rowloss_backward, pn_rowloss)   X(hits, pn_hits)                            \
    X(norm_forward, pn_norm)          X(norm_backward, pn_norm)                                                     \
    X(layer_norm_forward, pn_layer_norm) X(layer_norm_backward, pn_layer_norm)                                      \
    X(dropout, pn_dropout)            X(random, pn_random)                                                          \
    X(gather, pn_gather)              X(take_backward, pn_take)         X(moments, pn_moments)                      \
    X(update, pn_update)
/* clang-format on */

/* Bytes of workspace a kernel wants for these sizes (pointers not read), so that the rule can get them beforehand. */
/* clang-format off */
#define PN_WORK_TABLE(X)                                                                                            \
    X(gemm_work, pn_gemm)             X(conv_work, pn_conv)             X(conv_dx_work, pn_conv)                    \
    X(conv_dw_work, pn_conv)          X(reduce_work, pn_reduce)         X(norm_work, pn_norm)                       \
    X(moments_work, pn_moments)       X(layer_norm_work, pn_layer_norm) X(take_work, pn_take)             \
    X(depthwise_dw_work, pn_conv)     X(act_work, pn_act)
/* clang-format on */

typedef struct pn_kernels {
    pn_isa isa;
    pn_dtype real; /* PN_FLOAT32 or PN_FLOAT64; of the tables of integers, which hold few kernels, their dtype */
#define X(name, args) void (*name)(const pn_team *team, const args *a);
    PN_KERNEL_TABLE(X)
#undef X
#define X(name, args) size_t (*name)(const args *a);
    PN_WORK_TABLE(X)
#undef X
} pn_kernels;

/* The table of this instruction set and real; NULL where this build has none (AVX on ARM).  Integers have one each,
 * whatever the instruction set (integers.inc); the rows that they lack are NULL. */
const pn_kernels *pn_kernels_for(pn_isa isa, pn_dtype dtype);

/* The functions of elementwise.def that integers have: a bit each. */
enum {
    PN_INTEGER_UNARIES = 0
#define UNARY(name, value) +(1u << PN_U_##name)
#include "kernels/integers.def"
};
enum {
    PN_INTEGER_BINARIES = 0
#define BINARY(name, value) +(1u << PN_B_##name)
#include "kernels/integers.def"
};

#endif
