/* conv_pool.c -- a convolution and the max pooling of its result, a few images at a time.
 *
 * The images are split into lanes; their number depends on sizes alone.  Each lane has a buffer for the intermediate
 * results of a few images, its own work memory and its own dW.  It processes its images in order, and the dW of the
 * lanes are added in order, so results are bit-identical for any number of threads.  Small problems are a single lane,
 * which all threads compute together. */
#include "ops/conv_pool.h"

enum { X, WEIGHT }; /* inputs of the call */
enum {
    LANES = 16,
    WHOLE = 4 << 20,   /* bytes between the two that are one lane: they stay in the last cache ... */
    WEIGHTS = 1 << 20, /* ... and so are weights of more bytes, which lanes would have to repeat */
    NEAR = 512 << 10,  /* bytes of a few images, before and between */
    MACS = 64,         /* multiply-adds a nanosecond, roughly */
};

/* Bytes of one image before the convolution and between the two; and reals of the weights. */
static size_t before(const pn_call *c, const pn_conv *v) { return (size_t)(v->H * v->W * v->C) * pn_call_item(c); }
static size_t between(const pn_call *c, const pn_conv *v) { return (size_t)(v->OH * v->OW * v->O) * pn_call_item(c); }
static pn_index weights(const pn_conv *v) { return v->KH * v->KW * v->C * v->O; }

static pn_conv_pool_plan cut(const pn_call *c, const pn_conv *v)
{
    const size_t image = between(c, v), near = image + before(c, v);
    const bool whole = (size_t)v->N * image <= WHOLE || (size_t)weights(v) * pn_call_item(c) > WEIGHTS ||
                       v->KH * v->KW == 1; /* a matrix product: fewer rows may need more work */
    pn_conv_pool_plan p = { .lanes = whole ? 1 : pn_min(LANES, v->N), .images = v->N };
    if (!whole)
        p.images = pn_max(1, pn_min(pn_ceil_div(v->N, LANES), NEAR / (pn_index)near));
    return p;
}

pn_conv_pool_plan pn_conv_pool_plan_forward(const pn_call *c, const pn_conv *v)
{
    pn_conv_pool_plan p = cut(c, v);
    pn_conv some = *v;
    some.N = p.images;
    p.between = pn_part(&p.lane, p.images, between(c, v));
    p.work = pn_part(&p.lane, 1, c->k->conv_work(&some));
    pn_part(&p.total, p.lanes, p.lane);
    return p;
}

pn_conv_pool_plan pn_conv_pool_plan_backward(const pn_call *c, const pn_conv *v)
{
    pn_conv_pool_plan p = cut(c, v);
    pn_conv some = *v;
    some.N = p.images;
    some.alone = p.lanes > 1;
    p.between = pn_part(&p.lane, p.images, between(c, v));
    p.work = pn_part(&p.lane, 1, c->wants[X] ? c->k->conv_dx_work(&some) : 0);
    p.dw_work = pn_part(&p.lane, 1, c->wants[WEIGHT] ? c->k->conv_dw_work(&some) : 0);
    pn_part(&p.total, p.lanes, p.lane);
    if (c->wants[WEIGHT] && p.lanes > 1) {
        p.dw = pn_part(&p.total, p.lanes * weights(v), pn_call_item(c));
        p.sums = pn_part(&p.total, 1, pn_call_sum_rows_work(c, p.lanes * weights(v), weights(v)));
    }
    return p;
}

typedef struct stream {
    const pn_call *c;
    const pn_conv_pool *a;
    const pn_conv_pool_plan *p;
    void *scratch;
    void (*some)(const struct stream *job, const pn_team *team, pn_index lane, pn_index n, pn_index images, bool again);
} stream;

static const void *from(const void *base, pn_index n, size_t bytes)
{
    return base ? (const char *)base + (size_t)n * bytes : NULL;
}

static void *to(void *base, pn_index n, size_t bytes) { return base ? (char *)base + (size_t)n * bytes : NULL; }

/* Both layers on images n..n+images-1, in the buffers of the lane.  again: not the first images of the lane. */
static pn_conv_pool slice(const stream *job, pn_index lane, pn_index n, pn_index images, bool again)
{
    const pn_call *c = job->c;
    pn_conv_pool a = *job->a;
    pn_conv *conv = &a.conv;
    pn_pool2d *pool = &a.pool;
    const pn_index maxima = n * pool->OH * pool->OW * pool->C;
    void *buffers = pn_at(job->scratch, (size_t)lane * job->p->lane);
    conv->N = pool->N = images;
    conv->x = from(conv->x, n, before(c, conv));
    conv->dx = to(c->dx[X], n, before(c, conv));
    pool->y = to(pool->y, maxima, pn_call_item(c));
    pool->dy = from(pool->dy, maxima, pn_call_item(c));
    pool->where = to(pool->where, maxima, sizeof *pool->where);
    pool->x = pool->dx = pn_at(buffers, job->p->between); /* forward and backward */
    conv->dy = conv->y = pool->dx;
    conv->work = pn_at(buffers, job->p->work);
    conv->packed = again;
    return a;
}

static void forward_some(const stream *job, const pn_team *team, pn_index lane, pn_index n, pn_index images, bool again)
{
    const pn_conv_pool a = slice(job, lane, n, images, again);
    job->c->k->conv_forward(team, &a.conv);
    job->c->k->max_pool_forward(team, &a.pool);
}

static void backward_some(const stream *job, const pn_team *team, pn_index lane, pn_index n, pn_index images,
                          bool again)
{
    const pn_call *c = job->c;
    const pn_conv_pool a = slice(job, lane, n, images, again);
    c->k->max_pool_backward(team, &a.pool);
    if (c->dx[WEIGHT]) {
        pn_conv conv = a.conv;
        void *sums = pn_at(job->scratch, job->p->dw);
        conv.alone = job->p->lanes > 1;
        conv.dw = conv.alone ? to(sums, lane * weights(&conv), pn_call_item(c)) : c->dx[WEIGHT];
        conv.add = conv.alone ? again : c->add[WEIGHT];
        conv.work = pn_at(job->scratch, (size_t)lane * job->p->lane + job->p->dw_work);
        c->k->conv_dw(team, &conv);
    }
    if (c->dx[X]) {
        pn_conv conv = a.conv;
        conv.add = c->add[X];
        c->k->conv_dx(team, &conv);
    }
}

/* Lanes begin..end-1; each is computed by one thread. */
static void lanes(const void *argument, pn_index begin, pn_index end, void *scratch)
{
    const stream *job = argument;
    const pn_conv_pool_plan *p = job->p;
    const pn_index N = job->a->conv.N;
    const pn_team alone = { .scratch = scratch, .flush = job->c->team->flush };
    for (pn_index lane = begin; lane < end; lane++) {
        const pn_index first = N * lane / p->lanes, n = N * (lane + 1) / p->lanes - first;
        const pn_index times = pn_ceil_div(n, p->images);
        for (pn_index i = 0; i < times; i++) {
            const pn_index at = n * i / times;
            job->some(job, &alone, lane, first + at, n * (i + 1) / times - at, i > 0);
        }
    }
}

static void run(const stream *job)
{
    const pn_conv *v = &job->a->conv;
    const double macs = (double)(v->N * v->OH * v->OW) * (double)weights(v);
    if (job->p->lanes == 1)
        job->some(job, job->c->team, 0, 0, v->N, false);
    else
        pn_pool_run(job->c->team, PN_REGION_CONV, job->p->lanes, macs / MACS / (double)job->p->lanes, lanes, job);
}

void pn_conv_pool_forward(const pn_call *c, const pn_conv_pool *a, const pn_conv_pool_plan *p, void *scratch)
{
    run(&(stream){ .c = c, .a = a, .p = p, .scratch = scratch, .some = forward_some });
}

void pn_conv_pool_backward(const pn_call *c, const pn_conv_pool *a, const pn_conv_pool_plan *p, void *scratch)
{
    const pn_index size = weights(&a->conv);
    if (!c->dx[X] && !c->dx[WEIGHT])
        return;
    run(&(stream){ .c = c, .a = a, .p = p, .scratch = scratch, .some = backward_some });
    if (c->dx[WEIGHT] && p->lanes > 1)
        pn_call_sum_rows(c, pn_at(scratch, p->dw), p->lanes * size, size, c->dx[WEIGHT], c->add[WEIGHT],
                         pn_at(scratch, p->sums));
}
