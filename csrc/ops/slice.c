/* slice.c -- start:stop:step on each axis.  Contiguous rows (step 1 on the first axis, the others whole) share storage;
 * other slices are copies.  Backward writes dy to the sliced positions, and zeros elsewhere. */
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

/* Resolves a Python slice on an axis of this length. */
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

/* y as a view of x: from its first value, with the strides of x, in the order of y. */
typedef struct plan {
    pn_copy copy;
    pn_index first;
    bool shares; /* a run of whole rows: y is x's own memory */
} plan;

static plan make_plan(const pn_call *c)
{
    const pn_view *x = c->x[0];
    plan p = { .copy = { .ndim = x->ndim, .item = (int)pn_dtype_size(x->dtype) }, .shares = x->ndim > 0 };
    pn_index in_x = 1, in_y = 1;
    for (int i = x->ndim - 1; i >= 0; i--) {
        const range r = range_of(c, i);
        p.copy.shape[i] = r.count;
        p.copy.src_stride[i] = in_x * r.step;
        p.copy.dst_stride[i] = in_y;
        p.first += r.count > 0 ? in_x * r.start : 0;
        p.shares &= r.step == 1 && (i == 0 || r.count == x->shape[i]);
        in_x *= x->shape[i];
        in_y *= r.count;
    }
    p.first = in_y > 0 ? p.first : 0;
    return p;
}

static int rule(pn_call *c, pn_error *err)
{
    const pn_slices *s = &((const slice_params *)c->params)->slices;
    const pn_view *x = c->x[0];
    if (s->n > x->ndim)
        return pn_fail(err, PN_ESHAPE, "slice: %d axes are sliced, but x is %s", s->n, pn_view_text(x).s);
    for (int i = 0; i < s->n; i++)
        if (s->step[i] == 0 || s->step[i] == PTRDIFF_MIN)
            return pn_fail(err, PN_EVALUE, "slice: the step of axis %d is %td; give another", i, s->step[i]);
    plan *p = c->plan;
    *p = make_plan(c);
    if (pn_call_output(c, 0, x->dtype, x->ndim, p->copy.shape, err))
        return -1;
    c->alias = p->shares;
    c->alias_offset = p->first;
    return 0;
}

static void forward(const pn_call *c)
{
    const plan *p = c->plan;
    if (p->shares)
        return;
    pn_copy copy = p->copy;
    copy.src = (const char *)c->x[0]->data + p->first * copy.item;
    copy.dst = c->y[0].data;
    c->k->copy(c->team, &copy);
}

static void backward(const pn_call *c)
{
    const plan *p = c->plan;
    if (!c->add[0])
        c->k->fill(c->team, &(pn_fill){ .n = c->x[0]->size, .value = 0, .y = c->dx[0] });
    pn_copy copy = pn_copy_back(&p->copy);
    copy.src = c->dy[0];
    copy.dst = (char *)c->dx[0] + p->first * copy.item;
    copy.add = c->add[0];
    c->k->copy(c->team, &copy);
}

const pn_op pn_op_slice = {
    .name = "slice",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "Basic slicing, start:stop:step on each axis, like x[...]; contiguous rows share storage.\n\n"
           "x: any shape and dtype; axes without a slice are kept whole; an int removes its axis.\n\n"
           ">>> pn.ops.slice(np.zeros((4, 5), \"float32\"), (slice(1, 3), slice(None, None, 2))).shape\n(2, 3)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
