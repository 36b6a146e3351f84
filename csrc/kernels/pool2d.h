/* pool2d.h -- arguments of pooling of NHWC images.
 *
 * What is written (y, where, dx) overlaps nothing; what is read may be the same memory. */
#ifndef PN_KERNELS_POOL2D_H
#define PN_KERNELS_POOL2D_H

#include "pn.h"

typedef struct pn_pool2d {
    pn_index N, H, W, C, OH, OW, KH, KW, stride_h, stride_w, pad_top, pad_left;
    const void *x;
    void *y;        /* (N, H, W, C) -> (N, OH, OW, C) */
    uint8_t *where; /* max: offset kh * KW + kw of each maximum (the first of equals; NaN wins), or NULL */
    const void *dy;
    void *dx;
    bool add; /* backward; dx is written whole (zeros where nothing flows) or added to */
} pn_pool2d;  /* avg divides by the number of cells inside the image; KH * KW <= 256 for max */

#endif
