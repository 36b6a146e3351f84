/* loss.h -- arguments of softmax, losses and hits over rows: x is (rows, C).
 *
 * What is written (y, dx, dt, p, loss, weight, hits) overlaps nothing; what is read may be the same memory. */
#ifndef PN_KERNELS_LOSS_H
#define PN_KERNELS_LOSS_H

#include "pn.h"

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

#endif
