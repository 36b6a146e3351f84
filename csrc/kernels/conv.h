/* conv.h -- arguments of convolutions of NHWC images: weights (KH, KW, C, O); depthwise (KH, KW, C), O not read.
 *
 * What is written (y, dx, dw, work) overlaps nothing; what is read may be the same memory, or overlap. */
#ifndef PN_KERNELS_CONV_H
#define PN_KERNELS_CONV_H

#include "pn.h"

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

#endif
