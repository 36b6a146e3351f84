/* matmul.c -- y = a b over the last two axes; leading axes are a batch.
 *
 * a: (..., M, K), b: (..., K, N), y: (..., M, N); transpose_a and transpose_b read (..., K, M) and (..., N, K)
 * instead. One operand may be a single matrix that all of the other's batch shares.  With A and B the matrices
 * after transposing: dA = dy B', dB = A' dy; the gradient of a shared matrix is the sum over the batch. */
#include "kernels/gemm.h"
#include "ops/op.h"

enum { A, B };

typedef struct matmul_params {
    bool transpose_a, transpose_b;
} matmul_params;

static const matmul_params defaults;
static const pn_param params[] = {
    PN_PARAM(transpose_a, BOOL, "a is (..., K, M)"),
    PN_PARAM(transpose_b, BOOL, "b is (..., N, K)"),
};

/* Sizes, and strides between matrices: 0 for a shared or empty one. */
typedef struct sizes {
    pn_index M, N, K, batch, sa, sb;
    bool ta, tb;
} sizes;

/* The three products, without their pointers.  The gradient of a shared matrix is a product for each of the batch:
 * `times` of them, one after the other, each added. */
typedef struct plan {
    pn_gemm y, d[2];
    pn_index times[2];
    bool ta, tb;
} plan;

static bool is_shared(const pn_call *c, int i) { return c->x[i]->ndim == 2 && c->x[A + B - i]->ndim > 2; }

static sizes sizes_of(const pn_call *c)
{
    const matmul_params *p = c->params;
    const pn_view *a = c->x[A], *b = c->x[B];
    sizes s = { .ta = p->transpose_a, .tb = p->transpose_b };
    s.M = a->shape[a->ndim - (s.ta ? 1 : 2)];
    s.K = a->shape[a->ndim - (s.ta ? 2 : 1)];
    s.N = b->shape[b->ndim - (s.tb ? 2 : 1)];
    const pn_view *batched = a->ndim >= b->ndim ? a : b;
    s.batch = pn_view_count(batched, 0, batched->ndim - 2);
    s.sa = is_shared(c, A) ? 0 : s.M * s.K;
    s.sb = is_shared(c, B) ? 0 : s.K * s.N;
    if (is_shared(c, B) && !s.ta) { /* rows of all of a's matrices meet the same b: one tall product */
        s.M *= s.batch;
        s.batch = 1;
    }
    return s;
}

static pn_gemm product_y(const sizes *s)
{
    return (pn_gemm){ .M = s->M,
                      .N = s->N,
                      .K = s->K,
                      .rsa = s->ta ? 1 : s->K,
                      .csa = s->ta ? s->M : 1,
                      .rsb = s->tb ? 1 : s->N,
                      .csb = s->tb ? s->K : 1,
                      .rsc = s->N,
                      .batch = s->batch,
                      .sa = s->sa,
                      .sb = s->sb,
                      .sc = s->M * s->N };
}

/* da, stored as a is: dy B' as (M, K), or B dy' as (K, M). */
static pn_gemm product_a(const sizes *s)
{
    pn_gemm g = { .K = s->N, .batch = s->batch, .sc = s->sa };
    if (s->ta) {
        g.M = s->K, g.N = s->M, g.rsc = s->M;
        g.rsa = s->tb ? 1 : s->N, g.csa = s->tb ? s->K : 1, g.sa = s->sb;
        g.rsb = 1, g.csb = s->N, g.sb = s->M * s->N;
    } else {
        g.M = s->M, g.N = s->K, g.rsc = s->K;
        g.rsa = s->N, g.csa = 1, g.sa = s->M * s->N;
        g.rsb = s->tb ? s->K : 1, g.csb = s->tb ? 1 : s->N, g.sb = s->sb;
    }
    return g;
}

/* db, stored as b is: A' dy as (K, N), or dy' A as (N, K). */
static pn_gemm product_b(const sizes *s)
{
    pn_gemm g = { .K = s->M, .batch = s->batch, .sc = s->sb };
    if (s->tb) {
        g.M = s->N, g.N = s->K, g.rsc = s->K;
        g.rsa = 1, g.csa = s->N, g.sa = s->M * s->N;
        g.rsb = s->ta ? 1 : s->K, g.csb = s->ta ? s->M : 1, g.sb = s->sa;
    } else {
        g.M = s->K, g.N = s->N, g.rsc = s->N;
        g.rsa = s->ta ? s->M : 1, g.csa = s->ta ? 1 : s->K, g.sa = s->sa;
        g.rsb = s->N, g.csb = 1, g.sb = s->M * s->N;
    }
    return g;
}

static void make_plan(const pn_call *c, plan *p)
{
    const sizes s = sizes_of(c);
    p->y = product_y(&s);
    p->ta = s.ta;
    p->tb = s.tb;
    for (int i = A; i <= B; i++) {
        if (!c->wants[i])
            continue;
        p->d[i] = i == A ? product_a(&s) : product_b(&s);
        p->times[i] = is_shared(c, i) ? s.batch : 1;
        if (is_shared(c, i))
            p->d[i].batch = 1;
    }
}

static bool batches_fit(const pn_view *a, const pn_view *b)
{
    bool fit = a->ndim == b->ndim;
    for (int i = 0; fit && i < a->ndim - 2; i++)
        fit = a->shape[i] == b->shape[i];
    return fit || a->ndim == 2 || b->ndim == 2;
}

static int check_shapes(const pn_call *c, pn_error *err)
{
    const matmul_params *p = c->params;
    const pn_view *a = c->x[A], *b = c->x[B];
    for (int i = A; i <= B; i++)
        if (c->x[i]->ndim < 2)
            return pn_fail(err, PN_ESHAPE,
                           "matmul: %s is %s; give at least 2 axes: "
                           "reshape a vector into a row (1, n) or a column (n, 1)",
                           i == A ? "a" : "b", pn_view_text(c->x[i]).s);
    const pn_index ka = a->shape[a->ndim - (p->transpose_a ? 2 : 1)], kb = b->shape[b->ndim - (p->transpose_b ? 1 : 2)];
    if (ka != kb)
        return pn_fail(err, PN_ESHAPE, "matmul: a has %td columns, b has %td rows (a is %s%s, b is %s%s)", ka, kb,
                       pn_view_text(a).s, p->transpose_a ? ", transposed" : "", pn_view_text(b).s,
                       p->transpose_b ? ", transposed" : "");
    if (!batches_fit(a, b))
        return pn_fail(err, PN_ESHAPE,
                       "matmul: a is %s and b is %s; the axes before the last two must be equal, "
                       "or one operand have 2 axes (expand repeats axes)",
                       pn_view_text(a).s, pn_view_text(b).s);
    return 0;
}

static int rule(pn_call *c, pn_error *err)
{
    if (pn_call_check_real(c, err) || check_shapes(c, err))
        return -1;
    const matmul_params *p = c->params;
    const pn_view *a = c->x[A], *b = c->x[B];
    pn_view y = a->ndim >= b->ndim ? *a : *b;
    y.shape[y.ndim - 2] = a->shape[a->ndim - (p->transpose_a ? 1 : 2)];
    y.shape[y.ndim - 1] = b->shape[b->ndim - (p->transpose_b ? 2 : 1)];
    if (pn_call_output_like(c, 0, &y, err))
        return -1;
    plan *made = c->plan;
    make_plan(c, made);
    c->forward_scratch = c->k->gemm_work(&made->y);
    for (int i = A; i <= B; i++)
        if (c->wants[i])
            c->backward_scratch = pn_larger(c->backward_scratch, c->k->gemm_work(&made->d[i]));
    c->keep_x = (c->wants[A] ? PN_KEEP_X(B) : 0) | (c->wants[B] ? PN_KEEP_X(A) : 0);
    return 0;
}

static void forward(const pn_call *c)
{
    pn_gemm g = ((const plan *)c->plan)->y;
    g.a = c->x[A]->data;
    g.b = c->x[B]->data;
    g.c = c->y[0].data;
    g.work = c->scratch;
    c->k->gemm(c->team, &g);
}

/* The gradient of input i as a product of a and b. */
static void gradient(const pn_call *c, int i, const void *a, const void *b)
{
    const plan *p = c->plan;
    pn_gemm g = p->d[i];
    g.c = c->dx[i];
    g.add = c->add[i];
    g.work = c->scratch;
    const pn_index item = (pn_index)pn_call_item(c);
    for (pn_index j = 0; j < p->times[i]; j++) {
        g.a = (const char *)a + j * g.sa * item;
        g.b = (const char *)b + j * g.sb * item;
        c->k->gemm(c->team, &g);
        g.add = true;
    }
}

static void backward(const pn_call *c)
{
    const plan *p = c->plan;
    const void *a = c->x[A]->data, *b = c->x[B]->data, *dy = c->dy[0];
    if (c->dx[A])
        gradient(c, A, p->ta ? b : dy, p->ta ? dy : b);
    if (c->dx[B])
        gradient(c, B, p->tb ? dy : a, p->tb ? a : dy);
}

const pn_op pn_op_matmul = {
    .name = "matmul",
    .inputs = "a b",
    .n_out = 1,
    .differentiable = true,
    .doc =
        "Matrix product over the last two axes; leading axes are a batch.\n\n"
        "a: (..., M, K); b: (..., K, N); equal batch axes, or one operand is a single matrix; returns (..., M, N).\n\n"
        ">>> pn.ops.matmul(np.ones((5, 2, 3), \"float32\"), np.ones((3, 4), \"float32\")).shape\n(5, 2, 4)",
    PN_PARAMS,
    PN_PLAN(plan),
    .rule = rule,
    .forward = forward,
    .backward = backward,
};
