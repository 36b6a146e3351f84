/* window.h -- sliding windows over images (N, H, W, C), for conv2d and pooling. */
#ifndef PN_OPS_WINDOW_H
#define PN_OPS_WINDOW_H

#include "kernels/conv.h"
#include "ops/op.h"

typedef struct pn_window {
    pn_index KH, KW, stride_h, stride_w, pad_top, pad_left, OH, OW;
} pn_window;

enum { PN_CELLS_MOST = 256 }; /* of a window whose maximum's place is kept: that is a byte */

/* Places windows, whose sizes and strides are given, on input 0, which has 4 axes. same: OH = ceil(H / stride); an
 * odd rest goes to the bottom and right (TensorFlow's); valid: no padding; explicit: as given, and where `inside`,
 * less than the window, so that each window meets the image. what: "kernel" or "window". It fails where a size is
 * wrong or the window does not fit. */
int pn_window_place(const pn_call *c, pn_window *w, const pn_padding *padding, bool inside, const char *what,
                    pn_error *err);

/* A convolution of these windows: sizes of the image and of the windows, without O and pointers. */
pn_conv pn_window_conv(const pn_window *w, const pn_index x[4]);

#define PN_PADDING_DOC                                                                                           \
    "\"valid\" (none), \"same\" (as many results as inputs / stride), an int, (h, w) or ((top, bottom), (left, " \
    "right))"

#endif
