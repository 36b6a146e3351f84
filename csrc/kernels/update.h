/* update.h -- arguments of the optimizers' update of parameters, of their running mean, and of the sum of squares for
 * clipping.
 *
 * p and the slots overlap neither each other nor g. */
#ifndef PN_KERNELS_UPDATE_H
#define PN_KERNELS_UPDATE_H

#include "pn.h"

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

/* The running mean of parameters: y += rate (x - y).  x and y do not overlap. */
typedef struct pn_blend {
    pn_index n;
    double rate;
    const void *x;
    void *y;
} pn_blend;

/* Sum of squares of n values in double, in fixed cuts; the result is written to *y (double), and may be infinite or
 * NaN. */
typedef struct pn_sumsq {
    pn_index n;
    const void *x;
    double *y;
    double *partial; /* (n + 16383) / 16384 of them */
} pn_sumsq;

#endif
