/* slice.c -- start:stop:step on each axis.  Rows that lie together (step 1 on the first axis, all of the others) share
 * storage; other slices are copies.  Backward puts dy back where it came from, zeros elsewhere. */
#include "ops/op.h"

typedef struct slice_params {
    pn_slices slices;
} slice_params;

static const slice_params defaults;
static const pn_param params[] = {
    PN_REQUIRED(slices, SLICES, "a slice or an int for each of the first axes"),
};

typedef struct range {
    pn_index start, step, count;
} range;

/* What a Python slice means on an axis of this length. */
static range clip_range(pn_index start, pn_index stop, pn_index step, pn_index length)
{
    const pn_index low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    start = start < 0 ? pn_max(start + length, low) : pn_min(start, high);
    stop = stop < 0 ? pn_max(stop + length, low) : pn_min(stop, high);
    range r = { .start = start, .step = step };
    if (step > 0 && start < stop)
        r.count = (stop - start - 1) / step + 1;
    if (step < 0 && stop < start)
        r.count = (start - stop - 1) / -step + 1;
    if (r.count <= 1)
        r.step = 1; /* a huge step is never taken */
    return r;
}

static range range_of(const pn_call *c, int axis)
{
    const pn_slices *s = &((const slice_params *)c->params)->slices;
    const pn_index length = c->x[0]->shape[axis];
    if (axis >= s->n)
        return (range){ .start = 0, .step = 1, .count = length };
    return clip_range(s->start[axis], s->stop[axis], s->step[axis], length);
}

/* y as it lies in x: the offset of its first value, and x's stride along each of y's axes. */
static pn_index placement(const pn_call *c, pn_index *x_stride)
{
    pn_index offset = 0, stride = 1;
    for (int i = c->x[0]->ndim - 1; i >= 0; i--) {
        const range r = range_of(c, i);
        x_stride[i] = stride * r.step;
        offset += r.count > 0 ? stride * r.start : 0;
        stride *= c->x[0]->shape[i];
    }
    return c->y[0].size > 0 ? offset : 0;
}

static bool is_run_of_rows(const pn_call *c)
{
    const pn_view *x = c->x[0];
    bool run = x->ndim > 0 && range_of(c, 0).step == 1;
    for (int i = 1; run && i < x->ndim; i++) {
        const range r = range_of(c, i);
        run = r.count == x->shape[i] && r.step == 1;
    }
    return run;
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_slices *s = &((const slice_params *)c->params)->slices;
    const pn_view *x = c->x[0];
    if (s->n > x->ndim)
        return pn_fail(err, PN_ESHAPE, "slice: %d axes are sliced, but x is %s", s->n, pn_view_text(x).s);
    pn_index shape[PN_MAX_DIMS], x_stride[PN_MAX_DIMS];
    for (int i = 0; i < x->ndim; i++) {
        if (i < s->n && (s->step[i] == 0 || s->step[i] == PTRDIFF_MIN))
            return pn_fail(err, PN_EVALUE, "slice: the step of axis %d is %td; give another", i, s->step[i]);
        shape[i] = range_of(c, i).count;
    }
    if (pn_call_output(c, 0, x->dtype, x->ndim, shape, err))
        return -1;
    if (is_run_of_rows(c)) {
        c->alias = 1;
        c->alias_offset = placement(c, x_stride);
    }
    return 0;
}

static pn_copy job(const pn_call *c)
{
    const pn_view *y = &c->y[0];
    pn_copy copy = { .ndim = y->ndim, .item = (int)pn_dtype_size(y->dtype) };
    for (int i = 0; i < y->ndim; i++)
        copy.shape[i] = y->shape[i];
    return copy;
}

static void y_strides(const pn_view *y, pn_index *stride)
{
    for (int i = 0; i < y->ndim; i++)
        stride[i] = pn_view_count(y, i + 1, y->ndim);
}

static void forward(const pn_call *c)
{
    if (is_run_of_rows(c))
        return;
    pn_copy copy = job(c);
    copy.src = (const char *)c->x[0]->data + placement(c, copy.src_stride) * copy.item;
    copy.dst = c->y[0].data;
    y_strides(&c->y[0], copy.dst_stride);
    c->k->copy(c->team, &copy);
}

static void backward(const pn_call *c)
{
    if (!c->dx[0])
        return;
    if (!c->add[0])
        c->k->fill(c->team, &(pn_fill){ .n = c->x[0]->size, .value = 0, .y = c->dx[0] });
    pn_copy copy = job(c);
    copy.src = c->dy[0];
    copy.dst = (char *)c->dx[0] + placement(c, copy.dst_stride) * copy.item;
    copy.add = c->add[0];
    y_strides(&c->y[0], copy.src_stride);
    c->k->copy(c->team, &copy);
}

const pn_op pn_op_slice = {
    .name = "slice",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "Basic slicing, start:stop:step on each axis, as x[...] does it; runs of whole rows share storage.\n\n"
           "x: any shape and dtype; axes without a slice are taken whole; an int takes its axis away.\n\n"
           ">>> pn.ops.slice(np.zeros((4, 5), \"float32\"), (slice(1, 3), slice(None, None, 2))).shape\n(2, 3)",
    PN_PARAMS,
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
