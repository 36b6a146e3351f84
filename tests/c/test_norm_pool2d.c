/* test_norm_pool2d.c -- batch norm and pooling: every instruction set and real against the naive twin (trial.h), far
 * from zero, and the gradient against the slope. */
#include "trial.h"

/* ---- batch norm -------------------------------------------------------------------------------------------------- */

/* Operands: x, gamma, beta, residual, dy; running mean and variance, y, mean and rest, inv_std; dx, dgamma, dbeta,
 * dresidual. */
static void call_norm(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_norm a = *(const pn_norm *)t->shape;
    const int variant = (int)a.slope;
    a.slope = 0.25;
    a.x = p[0], a.gamma = p[1], a.beta = p[2];
    a.residual = a.residual ? p[3] : NULL;
    a.running_mean = p[5], a.running_var = p[6], a.y = p[7], a.mean = p[8], a.inv_std = p[9];
    a.rest = real_at(t->real, p[8], a.C);
    a.work = work_block(t, k->norm_work(&a));
    k->norm_forward(team, &a);
    a.dy = p[4];
    a.dx = variant % 7 == 6 ? NULL : p[10];
    a.dgamma = variant % 5 == 4 ? NULL : p[11];
    a.dbeta = variant % 5 == 3 ? NULL : p[12];
    a.dresidual = a.residual ? p[13] : NULL;
    k->norm_backward(team, &a);
}

static void norm_case(trial *t, pn_index rows, pn_index C, int variant, bool odd)
{
    static const int some = 0;
    pn_norm a = { .rows = rows,
                  .C = C,
                  .act = (pn_activation)(variant % PN_ACTIVATIONS),
                  .slope = variant,
                  .epsilon = 1e-3,
                  .training = variant % 2,
                  .momentum = 0.9,
                  .residual = variant % 3 ? &some : NULL };
    a.add_dx = variant & 1, a.add_dgamma = variant & 2, a.add_dbeta = variant & 4, a.add_dresidual = variant & 8;
    t->shape = &a;
    t->what = "batch norm";
    t->tolerance = t->real == PN_FLOAT32 ? 1e-5 : 1e-13; /* 1 / deviation may be large */
    t->scale = 3 + sqrt((double)rows);
    reals(t, rows * C, -3, 5);
    if (odd)
        strew(t, true);
    reals(t, C, 0.5, 2);
    reals(t, C, -1, 1);
    reals(t, rows * C, -1, 1);
    reals(t, rows * C, -1, 1);
    outputs(t, C);
    reals(t, C, 0.5, 2);
    t->operands[t->count - 1].out = true; /* running variance: positive at first */
    t->operands[t->count - 1].want = guard_new((size_t)C * real_size(t->real), 0);
    outputs(t, rows * C);
    outputs(t, 2 * C);
    outputs(t, C);
    outputs(t, rows * C);
    outputs(t, C);
    outputs(t, C);
    outputs(t, rows * C);
    check(t, call_norm);
}

static void norm_each(trial *t)
{
    static const pn_index channels[] = { 1, 2, 3, 5, 8, 10, 13, 16, 32, 64, 67 };
    static const pn_index large[][2] = {
        { 40000, 8 }, { 2100, 16 }, { 3001, 10 }, { 500, 67 }, { 300, 130 }, { 150, 1100 }, { 20001, 1 },
    };
    int variant = 0;
    for (pn_index rows = 1; rows <= 67; rows += harness_quick() ? 11 : 1)
        for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++, variant++)
            if (rows % 3 == (pn_index)i % 3 || rows < 3)
                norm_case(t, rows, channels[i], variant, variant % 11 == 10);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i += harness_quick() ? 3 : 1)
        for (int v = 0; v < (harness_quick() || i == 0 ? 2 : 10); v++)
            norm_case(t, large[i][0], large[i][1], v, false);
    norm_case(t, 0, 5, 1, false);
    norm_case(t, 0, 5, 2, false);
}

TEST(batch_norm_is_its_twin) { each_table_sharing(norm_each, PN_REGION_NORM, true); }

/* x = 10^4 + noise: what is normalised is the noise, to its digits; and its gradient sums to 0 over the rows. */
static void norm_far(trial *t)
{
    enum { rows = 20000, C = 10 };
    const double offset = t->real == PN_FLOAT32 ? 1e4 : 1e6;
    const size_t bytes = rows * C * real_size(t->real);
    guarded x = guard_reals(t->real, rows * C, 0, &t->seed, offset - 1, offset + 1), y = guard_new(bytes, 0);
    guarded by_channel = guard_reals(t->real, 7 * C, 0, &t->seed, 1, 1);
    unsigned char *v = by_channel.p;
    const size_t step = C * real_size(t->real);
    pn_norm a = { .rows = rows,
                  .C = C,
                  .x = x.p,
                  .y = y.p,
                  .gamma = v,
                  .beta = v + step,
                  .running_mean = v + 2 * step,
                  .running_var = v + 3 * step,
                  .mean = v + 4 * step,
                  .inv_std = v + 5 * step,
                  .rest = v + 6 * step,
                  .training = true,
                  .momentum = 0.9 };
    guarded work = guard_new(t->k->norm_work(&a), 0);
    a.work = work.p;
    t->k->norm_forward(&(pn_team){ .scratch = t->scratch }, &a);
    for (pn_index c = 0; c < C; c++) {
        double mean = 0, squares = 0;
        for (pn_index r = 0; r < rows; r++)
            mean += (get_real(t->real, x.p, r * C + c) - offset) / rows;
        for (pn_index r = 0; r < rows; r++)
            squares += pow(get_real(t->real, x.p, r * C + c) - offset - mean, 2);
        CHECK_CLOSE(get_real(t->real, a.inv_std, c) * sqrt(squares / rows), 1, t->real == PN_FLOAT32 ? 1e-6 : 1e-11);
        CHECK_CLOSE(get_real(t->real, a.mean, c) / (offset + mean), 1, t->real == PN_FLOAT32 ? 1e-7 : 1e-15);
    }
    CHECK(guard_free(work) && guard_free(by_channel) && guard_free(x) && guard_free(y));
}

TEST(batch_norm_far_from_zero_keeps_its_digits) { each_table(norm_far); }

/* In float64: dx, dgamma and dbeta against central differences of sum(y * dy), where batch statistics move with x. */
static void norm_slopes(trial *t)
{
    enum { rows = 7, C = 3, n = rows * C };
    if (t->real != PN_FLOAT64)
        return;
    for (int training = 0; training < 2; training++) {
        double x[n + 2 * C], dy[n], y[n], d[n + 2 * C], mean[2 * C], inv[C], running[2 * C], work[4096];
        fill_reals(PN_FLOAT64, x, n + 2 * C, &t->seed, -2, 2); /* x, gamma, beta: what is varied */
        fill_reals(PN_FLOAT64, dy, n, &t->seed, -1, 1);
        fill_reals(PN_FLOAT64, running, 2 * C, &t->seed, 0.5, 1);
        pn_norm a = { .rows = rows,
                      .C = C,
                      .x = x,
                      .gamma = x + n,
                      .beta = x + n + C,
                      .act = PN_ACT_TANH,
                      .epsilon = 1e-3,
                      .training = training,
                      .momentum = 1,
                      .running_mean = running,
                      .running_var = running + C,
                      .y = y,
                      .mean = mean,
                      .rest = mean + C,
                      .inv_std = inv,
                      .dy = dy,
                      .dx = d,
                      .dgamma = d + n,
                      .dbeta = d + n + C,
                      .work = work };
        const pn_team team = { .scratch = t->scratch };
        REQUIRE(t->k->norm_work(&a) <= sizeof work);
        t->k->norm_forward(&team, &a);
        t->k->norm_backward(&team, &a);
        for (int i = 0; i < n + 2 * C; i++) {
            const double h = 1e-5, at = x[i];
            double change = 0;
            for (int side = -1; side <= 1; side += 2) {
                x[i] = at + side * h;
                t->k->norm_forward(&team, &a);
                for (int j = 0; j < n; j++)
                    change += side * y[j] * dy[j];
            }
            x[i] = at;
            CHECK_CLOSE(d[i], change / (2 * h), 1e-7);
        }
    }
}

TEST(batch_norm_gradient_is_its_slope) { each_table(norm_slopes); }

/* ---- pooling ----------------------------------------------------------------------------------------------------- */

typedef struct pool_shape {
    pn_pool2d a;
    bool max;
} pool_shape;

/* Operands: x, dy; y, where, dx. */
static void call_pool(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    const pool_shape *s = t->shape;
    pn_pool2d a = s->a;
    a.x = p[0], a.dy = p[1], a.y = p[2], a.where = p[3], a.dx = p[4];
    if (!s->max) {
        a.where = NULL;
        k->avg_pool_forward(team, &a);
        k->avg_pool_backward(team, &a);
        return;
    }
    if (a.N == 1) { /* also without places: the same y */
        a.where = NULL;
        k->max_pool_forward(team, &a);
        memset(p[2], 0, (size_t)(a.OH * a.OW * a.C) * real_size(t->real) / 2);
        a.where = p[3];
    }
    k->max_pool_forward(team, &a);
    k->max_pool_backward(team, &a);
}

static void pool_case(trial *t, pn_pool2d a, bool max, bool odd)
{
    a.OH = (a.H + 2 * a.pad_top - a.KH) / a.stride_h + 1;
    a.OW = (a.W + 2 * a.pad_left - a.KW) / a.stride_w + 1;
    if (a.OH < 1 || a.OW < 1)
        return;
    a.add = (a.H + a.C) % 2;
    const pool_shape s = { a, max };
    t->shape = &s;
    t->what = max ? "max_pool" : "avg_pool";
    t->scale = 1;
    whole_reals(t, a.N * a.H * a.W * a.C, -4, 4);
    if (odd)
        strew(t, max);
    reals(t, a.N * a.OH * a.OW * a.C, -1, 1);
    outputs(t, a.N * a.OH * a.OW * a.C);
    other_outputs(t, a.N * a.OH * a.OW * a.C, 1);
    outputs(t, a.N * a.H * a.W * a.C);
    check(t, call_pool);
}

static void pool_each(trial *t)
{
    static const pn_index kinds[][6] = {
        /* KH, KW, stride_h, stride_w, pad_top, pad_left */
        { 2, 2, 2, 2, 0, 0 }, { 3, 3, 2, 2, 1, 1 }, { 3, 3, 1, 1, 1, 1 }, { 2, 3, 1, 2, 0, 1 }, { 1, 1, 1, 1, 0, 0 },
        { 2, 2, 3, 3, 0, 0 }, { 5, 4, 2, 3, 2, 2 }, { 2, 2, 2, 2, 1, 1 }, { 1, 1, 2, 2, 1, 1 },
    };
    static const pn_index sizes[][3] = { { 1, 1, 1 }, { 1, 4, 4 }, { 2, 5, 7 }, { 1, 8, 3 }, { 3, 9, 9 } };
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        const pn_index *q = kinds[kind];
        for (int max = 0; max < 2; max++) {
            pn_pool2d a = {
                .KH = q[0], .KW = q[1], .stride_h = q[2], .stride_w = q[3], .pad_top = q[4], .pad_left = q[5]
            };
            for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
                for (a.C = 1 + (pn_index)(i + kind) % 5; a.C <= 67; a.C += harness_quick() ? 16 : 5) {
                    a.N = sizes[i][0], a.H = sizes[i][1], a.W = sizes[i][2];
                    pool_case(t, a, max, a.C % 6 == 1);
                }
            a.N = 8, a.H = 24, a.W = 24, a.C = 8;
            if (!harness_quick() || kind % 3 == 0)
                pool_case(t, a, max, false);
            a.N = 1, a.H = 57, a.W = 41, a.C = 16;
            if (!harness_quick() || kind % 3 == 1)
                pool_case(t, a, max, false);
            a.N = 0;
            pool_case(t, a, max, false);
        }
    }
}

TEST(pooling_is_its_twin) { each_table_sharing(pool_each, PN_REGION_POOL, true); }

TESTS(batch_norm_is_its_twin, batch_norm_far_from_zero_keeps_its_digits, batch_norm_gradient_is_its_slope,
      pooling_is_its_twin)
