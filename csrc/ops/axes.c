/* axes.c -- views a tensor and the axes to reduce as (outer, len, inner). */
#include "ops/axes.h"

int pn_axes_mask(const pn_call *c, int i, const pn_list *list, unsigned *mask, pn_error *err)
{
    *mask = list->given ? 0 : (1u << c->x[i]->ndim) - 1;
    for (int j = 0; list->given && j < list->n; j++) {
        int axis;
        if (pn_call_axis(c, i, list->v[j], &axis, err))
            return -1;
        if (*mask >> axis & 1)
            return pn_fail(err, PN_ESHAPE, "%s: axis %td is given twice", c->op->name, list->v[j]);
        *mask |= 1u << axis;
    }
    return 0;
}

int pn_axes_output(pn_call *c, pn_dtype dtype, unsigned reduced, bool keepdims, pn_error *err)
{
    const pn_view *x = c->x[0];
    pn_index shape[PN_MAX_DIMS];
    int ndim = 0;
    for (int i = 0; i < x->ndim; i++)
        if (!(reduced >> i & 1))
            shape[ndim++] = x->shape[i];
        else if (keepdims)
            shape[ndim++] = 1;
    return pn_call_output(c, 0, dtype, ndim, shape, err);
}

/* The kept axes, then the reduced ones, both in order. */
static pn_copy permutation(const pn_view *x, unsigned reduced)
{
    pn_copy copy = { .ndim = 0, .item = (int)pn_dtype_size(x->dtype) };
    for (unsigned pass = 0; pass < 2; pass++)
        for (int i = 0; i < x->ndim; i++) {
            if ((reduced >> i & 1) != pass)
                continue;
            copy.shape[copy.ndim] = x->shape[i];
            copy.src_stride[copy.ndim++] = pn_view_count(x, i + 1, x->ndim);
        }
    pn_index stride = 1;
    for (int i = copy.ndim - 1; i >= 0; i--) {
        copy.dst_stride[i] = stride;
        stride *= copy.shape[i];
    }
    return copy;
}

pn_axes pn_axes_plan(const pn_view *x, unsigned reduced)
{
    pn_axes axes = { .outer = 1, .len = 1, .inner = 1 };
    int runs = 0;
    bool before = false;
    for (int i = 0; i < x->ndim; i++) {
        const bool now = reduced >> i & 1;
        if (x->shape[i] == 1)
            continue;
        runs += now && !before;
        before = now;
        if (now)
            axes.len *= x->shape[i];
        else if (runs > 0)
            axes.inner *= x->shape[i];
        else
            axes.outer *= x->shape[i];
    }
    axes.permuted = runs > 1;
    if (axes.permuted) {
        axes.outer *= axes.inner;
        axes.inner = 1;
        axes.order = permutation(x, reduced);
    }
    return axes;
}
