/* pool2d.c -- the maximum or the mean of each window, per channel.  x: (N, H, W, C), y: (N, OH, OW, C).
 *
 * max_pool2d saves the position of each maximum (one byte), to which the gradient goes.  avg_pool2d divides by the
 * number of cells inside the image, and so does its gradient.  global_avg_pool2d is the mean over H and W. */
#include "kernels/pool2d.h"
#include "kernels/reduce.h"
#include "ops/window.h"

typedef struct pool2d_params {
    pn_index size[2], stride[2];
    pn_padding padding;
} pool2d_params;

static const pool2d_params defaults = { .size = { 2, 2 }, .padding = { .mode = PN_PAD_VALID } };
static const pn_param params[] = {
    PN_PARAM(size, PAIR, "the window: an int, or (height, width)"),
    PN_PARAM(stride, PAIR, "step size of the window; 0: its size"),
    PN_PARAM(padding, PADDING, PN_PADDING_DOC),
};

/* The plan of a pool is its kernel's job, without pointers. */
static int pool_rule(pn_call *c, pn_error *err)
{
    const pool2d_params *p = c->params;
    pn_window w = {
        .KH = p->size[0],
        .KW = p->size[1],
        .stride_h = p->stride[0] == 0 ? p->size[0] : p->stride[0],
        .stride_w = p->stride[1] == 0 ? p->size[1] : p->stride[1],
    };
    if (pn_call_check_real(c, err) || pn_call_check_ndim(c, 0, 4, "(N, H, W, C)", err) ||
        pn_window_place(c, &w, &p->padding, true, "window", err))
        return -1;
    const pn_index *x = c->x[0]->shape, shape[4] = { x[0], w.OH, w.OW, x[3] };
    pn_pool2d *job = c->plan;
    *job = (pn_pool2d){ .N = x[0],
                        .H = x[1],
                        .W = x[2],
                        .C = x[3],
                        .OH = w.OH,
                        .OW = w.OW,
                        .KH = w.KH,
                        .KW = w.KW,
                        .stride_h = w.stride_h,
                        .stride_w = w.stride_w,
                        .pad_top = w.pad_top,
                        .pad_left = w.pad_left };
    return pn_call_output(c, 0, c->x[0]->dtype, 4, shape, err);
}

static pn_pool2d job_of(const pn_call *c)
{
    pn_pool2d job = *(const pn_pool2d *)c->plan;
    job.x = c->x[0]->data;
    job.y = c->y[0].data;
    job.dy = c->dy[0];
    job.dx = c->dx[0];
    job.add = c->add[0];
    return job;
}

/* ---- max_pool2d ------------------------------------------------------------------------------------------------ */

static int max_rule(pn_call *c, pn_error *err)
{
    const pool2d_params *p = c->params;
    if (pool_rule(c, err))
        return -1;
    if (p->size[0] * p->size[1] > PN_CELLS_MOST)
        return pn_fail(err, PN_EVALUE, "max_pool2d: size is (%td, %td); a window has at most %d cells", p->size[0],
                       p->size[1], PN_CELLS_MOST);
    c->saved_bytes = (size_t)c->y[0].size;
    return 0;
}

static void max_forward(const pn_call *c)
{
    pn_pool2d job = job_of(c);
    job.where = c->recording ? c->saved : NULL;
    c->k->max_pool_forward(c->team, &job);
}

static void max_backward(const pn_call *c)
{
    pn_pool2d job = job_of(c);
    job.where = c->saved;
    c->k->max_pool_backward(c->team, &job);
}

const pn_op pn_op_max_pool2d = {
    .name = "max_pool2d",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "The maximum of each window, per channel; the gradient goes to the first of several equal ones.\n\n"
           "x: (N, H, W, C); returns (N, OH, OW, C), with OH = (H + padding - size) // stride + 1; padding never "
           "wins.\n\n"
           ">>> pn.ops.max_pool2d(np.zeros((2, 28, 28, 8), \"float32\")).shape\n(2, 14, 14, 8)",
    PN_PARAMS,
    PN_PLAN(pn_pool2d),
    .rule = max_rule,
    .forward = max_forward,
    .backward = max_backward,
};

/* ---- avg_pool2d ------------------------------------------------------------------------------------------------ */

static void avg_forward(const pn_call *c)
{
    const pn_pool2d job = job_of(c);
    c->k->avg_pool_forward(c->team, &job);
}

static void avg_backward(const pn_call *c)
{
    const pn_pool2d job = job_of(c);
    c->k->avg_pool_backward(c->team, &job);
}

const pn_op pn_op_avg_pool2d = {
    .name = "avg_pool2d",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "The mean of each window, per channel, over the cells inside the image.\n\n"
           "x: (N, H, W, C); returns (N, OH, OW, C), with OH = (H + padding - size) // stride + 1.\n\n"
           ">>> pn.ops.avg_pool2d(np.zeros((2, 28, 28, 8), \"float32\"), size=4).shape\n(2, 7, 7, 8)",
    PN_PARAMS,
    PN_PLAN(pn_pool2d),
    .rule = pool_rule,
    .forward = avg_forward,
    .backward = avg_backward,
};

/* ---- global_avg_pool2d ----------------------------------------------------------------------------------------- */

static int global_rule(pn_call *c, pn_error *err)
{
    if (pn_call_check_real(c, err) || pn_call_check_ndim(c, 0, 4, "(N, H, W, C)", err))
        return -1;
    const pn_index *x = c->x[0]->shape, shape[2] = { x[0], x[3] };
    if (x[1] * x[2] == 0)
        return pn_fail(err, PN_ESHAPE, "global_avg_pool2d: x is %s: images without pixels have no mean",
                       pn_view_text(c->x[0]).s);
    pn_reduce *job = c->plan;
    *job = (pn_reduce){ .f = PN_REDUCE_MEAN, .outer = x[0], .len = x[1] * x[2], .inner = x[3] };
    c->forward_scratch = c->backward_scratch = c->k->reduce_work(job);
    return pn_call_output(c, 0, c->x[0]->dtype, 2, shape, err);
}

static pn_reduce mean_of(const pn_call *c)
{
    pn_reduce job = *(const pn_reduce *)c->plan;
    job.x = c->x[0]->data;
    job.y = c->y[0].data;
    job.dy = c->dy[0];
    job.dx = c->dx[0];
    job.add_dx = c->add[0];
    job.work = c->scratch;
    return job;
}

static void global_forward(const pn_call *c)
{
    const pn_reduce job = mean_of(c);
    c->k->reduce_forward(c->team, &job);
}

static void global_backward(const pn_call *c)
{
    const pn_reduce job = mean_of(c);
    c->k->reduce_backward(c->team, &job);
}

const pn_op pn_op_global_avg_pool2d = {
    .name = "global_avg_pool2d",
    .inputs = "x",
    .n_out = 1,
    .differentiable = true,
    .doc = "The mean of each channel over the whole image (Lin et al. 2013).\n\n"
           "x: (N, H, W, C); returns (N, C).\n\n"
           ">>> pn.ops.global_avg_pool2d(np.zeros((2, 7, 7, 8), \"float32\")).shape\n(2, 8)",
    PN_PLAN(pn_reduce),
    .rule = global_rule,
    .forward = global_forward,
    .backward = global_backward,
};
