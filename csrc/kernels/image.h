/* image.h -- arguments of gathering batches from rows, of its gradient, and of moments.
 *
 * What is written (y, dx, mean, deviation, work) overlaps nothing; what is read may be the same memory. */
#ifndef PN_KERNELS_IMAGE_H
#define PN_KERNELS_IMAGE_H

#include "pn.h"

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

#endif
