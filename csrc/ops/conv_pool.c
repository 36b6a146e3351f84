/* conv_pool.c -- a convolution and the max pooling of its result, some images at a time.
 *
 * The images are cut into lanes, how many from the sizes alone.  A lane has a buffer for a few images of what lies
 * between, work of its own, and a dW of its own; it goes through its images in order, and the lanes' dW are added in
 * order: any number of threads gives the same bits.  What is small enough anyway is one lane, computed by all threads
 * together. */
#include "ops/conv_pool.h"

enum {
    LANES = 16,
    WHOLE = 4 << 20,                     /* bytes between the two that are one lane: they stay in the last cache ... */
    WEIGHTS = 1 << 20,                   /* ... and so are weights of more bytes, which lanes would have to repeat */
    NEAR = 512 << 10,                    /* bytes of a few images, before and between */
    MACS = 64,                           /* multiply-adds a nanosecond, roughly */
};

typedef struct plan {                    /* offsets into the scratch are of lane 0 */
    pn_index lanes, images;              /* images at a time */
    size_t between, work, dw_work, lane; /* lane: bytes of all of these */
    size_t dw, sums, total;              /* the lanes' dW together, and the work of adding them */
} plan;

/* Bytes of one image before the convolution, between the two, and behind the pooling; and reals of the weights. */
static size_t before(const pn_call *c, const pn_conv *v) { return (size_t)(v->H * v->W * v->C) * pn_call_item(c); }
static size_t between(const pn_call *c, const pn_conv *v) { return (size_t)(v->OH * v->OW * v->O) * pn_call_item(c); }
static pn_index behind(const pn_pool2d *p) { return p->OH * p->OW * p->C; }
static pn_index weights(const pn_conv *v) { return v->KH * v->KW * v->C * v->O; }

static plan cut(const pn_call *c, const pn_conv *v)
{
    const size_t image = between(c, v), near = image + before(c, v);
    const bool whole = (size_t)v->N * image <= WHOLE || (size_t)weights(v) * pn_call_item(c) > WEIGHTS
                    || v->KH * v->KW == 1;                  /* a matrix product: fewer rows may need more work */
    plan p = { .lanes = whole ? 1 : pn_min(LANES, v->N), .images = v->N };
    if (!whole)
        p.images = pn_max(1, pn_min(pn_ceil_div(v->N, LANES), NEAR / (pn_index)near));
    return p;
}

static plan forward_plan(const pn_call *c, const pn_conv *v)
{
    plan p = cut(c, v);
    pn_conv some = *v;
    some.N = p.images;
    p.between = pn_part(&p.lane, p.images, between(c, v));
    p.work = pn_part(&p.lane, 1, c->k->conv_work(&some));
    pn_part(&p.total, p.lanes, p.lane);
    return p;
}

static plan backward_plan(const pn_call *c, const pn_conv *v)
{
    plan p = cut(c, v);
    pn_conv some = *v;
    some.N = p.images;
    some.alone = p.lanes > 1;
    p.between = pn_part(&p.lane, p.images, between(c, v));
    p.work = pn_part(&p.lane, 1, c->wants[0] ? c->k->conv_dx_work(&some) : 0);
    p.dw_work = pn_part(&p.lane, 1, c->wants[1] ? c->k->conv_dw_work(&some) : 0);
    pn_part(&p.total, p.lanes, p.lane);
    if (c->wants[1] && p.lanes > 1) {
        p.dw = pn_part(&p.total, p.lanes * weights(v), pn_call_item(c));
        p.sums = pn_part(&p.total, 1, pn_call_sum_rows_work(c, p.lanes * weights(v), weights(v)));
    }
    return p;
}

typedef struct stream {
    const pn_call *c;
    const pn_conv_pool *a;
    plan p;
    char *scratch;
    void (*some)(const struct stream *job, const pn_team *team, pn_index lane, pn_index n, pn_index images, bool again);
} stream;

static const void *from(const void *base, pn_index n, size_t bytes) { return (const char *)base + (size_t)n * bytes; }
static void *to(void *base, pn_index n, size_t bytes) { return (char *)base + (size_t)n * bytes; }

/* Images n..n+images-1, by the lane's buffers.  again: the lane has had images before. */
static void forward_some(const stream *job, const pn_team *team, pn_index lane, pn_index n, pn_index images,
                         bool again)
{
    const pn_call *c = job->c;
    char *buffers = to(job->scratch, lane, job->p.lane);
    pn_conv conv = job->a->conv;
    conv.N = images;
    conv.x = from(conv.x, n, before(c, &conv));
    conv.y = buffers + job->p.between;
    conv.work = buffers + job->p.work;
    conv.packed = again;
    c->k->conv_forward(team, &conv);
    pn_pool2d pool = job->a->pool;
    pool.N = images;
    pool.x = conv.y;
    pool.y = to(pool.y, n * behind(&pool), pn_call_item(c));
    pool.where = pool.where ? pool.where + n * behind(&pool) : NULL;
    c->k->max_pool_forward(team, &pool);
}

static void backward_some(const stream *job, const pn_team *team, pn_index lane, pn_index n, pn_index images,
                          bool again)
{
    const pn_call *c = job->c;
    char *buffers = to(job->scratch, lane, job->p.lane);
    pn_pool2d pool = job->a->pool;
    pool.N = images;
    pool.dy = from(pool.dy, n * behind(&pool), pn_call_item(c));
    pool.where += n * behind(&pool);
    pool.dx = buffers + job->p.between;
    c->k->max_pool_backward(team, &pool);
    pn_conv conv = job->a->conv;
    conv.N = images;
    conv.dy = pool.dx;
    if (c->dx[1]) {
        conv.x = from(conv.x, n, before(c, &conv));
        conv.alone = job->p.lanes > 1;
        conv.dw = conv.alone ? to(job->scratch + job->p.dw, lane * weights(&conv), pn_call_item(c)) : c->dx[1];
        conv.add = conv.alone ? again : c->add[1];
        conv.work = buffers + job->p.dw_work;
        c->k->conv_dw(team, &conv);
    }
    if (c->dx[0]) {
        conv.dx = to(c->dx[0], n, before(c, &conv));
        conv.add = c->add[0];
        conv.work = buffers + job->p.work;
        conv.packed = again;
        c->k->conv_dx(team, &conv);
    }
}

/* Lanes begin..end-1, each by one thread. */
static void lanes(const void *argument, pn_index begin, pn_index end, void *scratch)
{
    const stream *job = argument;
    const plan *p = &job->p;
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
    if (job->p.lanes == 1)
        job->some(job, job->c->team, 0, 0, v->N, false);
    else
        pn_pool_run(job->c->team, PN_REGION_CONV, job->p.lanes, macs / MACS / (double)job->p.lanes, lanes, job);
}

size_t pn_conv_pool_forward_scratch(const pn_call *c, const pn_conv_pool *a)
{
    return forward_plan(c, &a->conv).total;
}

void pn_conv_pool_forward(const pn_call *c, const pn_conv_pool *a, void *scratch)
{
    run(&(stream){ .c = c, .a = a, .p = forward_plan(c, &a->conv), .scratch = scratch, .some = forward_some });
}

size_t pn_conv_pool_backward_scratch(const pn_call *c, const pn_conv_pool *a)
{
    return backward_plan(c, &a->conv).total;
}

void pn_conv_pool_backward(const pn_call *c, const pn_conv_pool *a, void *scratch)
{
    const plan p = backward_plan(c, &a->conv);
    const pn_index size = weights(&a->conv);
    if (!c->dx[0] && !c->dx[1])
        return;
    run(&(stream){ .c = c, .a = a, .p = p, .scratch = scratch, .some = backward_some });
    if (c->dx[1] && p.lanes > 1)
        pn_call_sum_rows(c, pn_at(scratch, p.dw), p.lanes * size, size, c->dx[1], c->add[1], pn_at(scratch, p.sums));
}
