/* augment.h -- arguments of gathering a batch of images, each one warped, and with other tones.
 *
 * y overlaps nothing; what is read may be the same memory. */
#ifndef PN_KERNELS_AUGMENT_H
#define PN_KERNELS_AUGMENT_H

#include "pn.h"

/* What happens to one image, in this order.  Sizes are in pixels; p is a pixel's place in the image's range: 0..255 for
 * uint8, from the smallest to the largest value of the warped image for floats. */
typedef struct pn_warp {
    double map[2][3];    /* pixel (x, y) is that at map (x, y, 1) of the source, bilinear; outside, the nearest one */
    double gamma;        /* p = p^gamma; at least 0 */
    double contrast;     /* p = contrast (p - mean) + mean + brightness, within 0..1; mean: of p in the image */
    double brightness;   /* with gamma 1, contrast 1 and brightness 0 the tones stay */
    int32_t top, bottom; /* rows top..bottom - 1 and columns left..right - 1 become the mean of their channel */
    int32_t left, right;
} pn_warp;

/* y[r] = warps[r] of x[index[r]], then (y - mean) * factor, or standardized. */
typedef struct pn_augment {
    pn_dtype from;          /* PN_UINT8, PN_FLOAT32, PN_FLOAT64 (each to the table's real) */
    pn_index rows, H, W, C; /* x is (..., H, W, C), y (rows, H, W, C); H and W are below 2^31 */
    const int64_t *index;   /* (rows), already checked */
    const pn_warp *warps;   /* (rows) */
    const void *x;
    pn_index channels;         /* of mean and factor: 1 or C */
    const void *mean, *factor; /* (channels) of the table's real, or NULL both */
    bool standardize; /* each image by the mean and deviation of each of its channels; without mean and factor */
    void *y;
} pn_augment;

#endif
