/* norm.h -- arguments of batch and layer normalisation: x is (rows, C), with statistics per channel or per row.
 *
 * norm_backward: dx may be dy.  Otherwise what is written overlaps nothing; what is read may be the same memory. */
#ifndef PN_KERNELS_NORM_H
#define PN_KERNELS_NORM_H

#include "pn.h"

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

#endif
