/* window.c -- sliding windows over images. */
#include "ops/window.h"

enum { WINDOW_MOST = 1 << 30 }; /* of a size, stride or padding: sums of them cannot overflow */

/* One direction: how many windows, and the padding before the image. */
static pn_index place(pn_index size, pn_index K, pn_index stride, pn_pad_mode mode, pn_index before, pn_index after,
                      pn_index *pad)
{
    *pad = mode == PN_PAD_EXPLICIT ? before : 0;
    if (mode == PN_PAD_SAME) {
        const pn_index n = size > 0 ? (size - 1) / stride + 1 : 0;
        *pad = pn_max((n - 1) * stride + K - size, 0) / 2;
        return n;
    }
    const pn_index room = size + (mode == PN_PAD_EXPLICIT ? before + after : 0) - K;
    return room < 0 ? 0 : room / stride + 1;
}

static int check_pair(const pn_call *c, const char *name, pn_index h, pn_index w, pn_index least, pn_error *err)
{
    if (h < least || w < least || h > WINDOW_MOST || w > WINDOW_MOST)
        return pn_fail(err, PN_EVALUE, "%s: %s is (%td, %td); give values from %td to %d", c->op->name, name, h, w,
                       least, WINDOW_MOST);
    return 0;
}

static int check_padding(const pn_call *c, const pn_padding *p, pn_index KH, pn_index KW, bool inside, pn_error *err)
{
    if (p->mode != PN_PAD_EXPLICIT)
        return 0;
    if (check_pair(c, "padding (top, left)", p->top, p->left, 0, err) ||
        check_pair(c, "padding (bottom, right)", p->bottom, p->right, 0, err))
        return -1;
    if (inside && (pn_max(p->top, p->bottom) >= KH || pn_max(p->left, p->right) >= KW))
        return pn_fail(err, PN_EVALUE,
                       "%s: padding ((%td, %td), (%td, %td)) must be less than the window's size (%td, %td)",
                       c->op->name, p->top, p->bottom, p->left, p->right, KH, KW);
    return 0;
}

int pn_window_place(const pn_call *c, pn_window *w, const pn_padding *padding, bool inside, const char *what,
                    pn_error *err)
{
    const pn_view *x = c->x[0];
    if (check_pair(c, what, w->KH, w->KW, 1, err) || check_pair(c, "stride", w->stride_h, w->stride_w, 1, err) ||
        check_padding(c, padding, w->KH, w->KW, inside, err))
        return -1;
    w->OH = place(x->shape[1], w->KH, w->stride_h, padding->mode, padding->top, padding->bottom, &w->pad_top);
    w->OW = place(x->shape[2], w->KW, w->stride_w, padding->mode, padding->left, padding->right, &w->pad_left);
    if (w->OH < 1 || w->OW < 1)
        return pn_fail(err, PN_ESHAPE,
                       "%s: a %td x %td %s does not fit into a %td x %td image (x is %s); "
                       "make it smaller, or give padding=\"same\"",
                       c->op->name, w->KH, w->KW, what, x->shape[1], x->shape[2], pn_view_text(x).s);
    return 0;
}

pn_conv pn_window_conv(const pn_window *w, const pn_index x[4])
{
    return (pn_conv){
        .N = x[0],
        .H = x[1],
        .W = x[2],
        .C = x[3],
        .OH = w->OH,
        .OW = w->OW,
        .KH = w->KH,
        .KW = w->KW,
        .stride_h = w->stride_h,
        .stride_w = w->stride_w,
        .pad_top = w->pad_top,
        .pad_left = w->pad_left,
    };
}
