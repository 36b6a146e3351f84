/* test_layer_norm.c -- layer norm: every instruction set and real against the naive twin (trial.h), rows that are
 * shifted and scaled, and the gradient against the slope. */
#include "trial.h"

/* Operands: x, gamma, beta, dy; y, mean and rest, inv_std; dx, dgamma, dbeta. */
static void call_layer_norm(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_layer_norm a = *(const pn_layer_norm *)t->shape;
    a.x = p[0], a.gamma = p[1], a.beta = p[2];
    a.y = p[4], a.mean = p[5], a.rest = real_at(t->real, p[5], a.rows), a.inv_std = p[6];
    k->layer_norm_forward(team, &a);
    a.work = work_block(t, k->layer_norm_work(&a));
    a.dy = p[3];
    a.dx = a.rows % 7 == 6 ? NULL : p[7];
    a.dgamma = a.rows % 5 == 4 ? NULL : p[8];
    a.dbeta = a.rows % 5 == 3 ? NULL : p[9];
    k->layer_norm_backward(team, &a);
}

static void layer_case(trial *t, pn_index rows, pn_index C, int variant)
{
    const pn_layer_norm a = { .rows = rows,
                              .C = C,
                              .epsilon = 1e-3,
                              .add_dx = variant & 1,
                              .add_dgamma = variant & 2,
                              .add_dbeta = variant & 4 };
    t->shape = &a;
    t->what = "layer norm";
    t->tolerance = t->real == PN_FLOAT32 ? 1e-5 : 1e-13; /* 1 / deviation may be large */
    t->scale = 3 + sqrt((double)rows) + sqrt((double)C) / 8;
    reals(t, rows * C, -3, 5);
    if (variant % 11 == 10)
        strew(t, true);
    reals(t, C, 0.5, 2);
    reals(t, C, -1, 1);
    reals(t, rows * C, -1, 1);
    outputs(t, rows * C);
    outputs(t, 2 * rows);
    outputs(t, rows);
    outputs(t, rows * C);
    outputs(t, C);
    outputs(t, C);
    check(t, call_layer_norm);
}

static void layer_each(trial *t)
{
    static const pn_index widths[] = { 2, 3, 5, 8, 10, 13, 16, 17, 31, 32, 33, 64, 67, 128, 200, 1025 };
    static const pn_index large[][2] = {
        { 9000, 8 }, { 3001, 10 }, { 600, 67 }, { 70, 2500 }, { 3, 40001 }, { 2, 1024 }
    };
    int variant = 0;
    for (pn_index rows = 1; rows <= 67; rows += harness_quick() ? 11 : 1)
        for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++, variant++)
            if (rows % 3 == (pn_index)i % 3 || rows < 3)
                layer_case(t, rows, widths[i], variant);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        layer_case(t, large[i][0], large[i][1], (int)i);
    layer_case(t, 5, 1, 3);
    layer_case(t, 0, 5, 0);
    layer_case(t, 0, 5, 7);
}

TEST(layer_norm_is_its_twin) { each_table_sharing(layer_each, PN_REGION_NORM, true); }

/* Rows a + b z of one z: what comes out is the same to the digits that a leaves. */
static void layer_moved(trial *t)
{
    enum { C = 300, rows = 4 };
    static const double shift[rows] = { 0, 100, -1000, 0 }, scale[rows] = { 1, 1, 3, 1e-3 };
    guarded z = guard_reals(PN_FLOAT64, C, 0, &t->seed, -1, 1),
            by_column = guard_reals(t->real, 2 * C, 0, &t->seed, 1, 1);
    guarded x = guard_new(rows * C * real_size(t->real), 0), y = guard_new(rows * C * real_size(t->real), 0);
    double mean[2 * rows], inv_std[rows];
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < C; c++)
            set_real(t->real, x.p, r * C + c, shift[r] + scale[r] * ((double *)z.p)[c]);
    memset((char *)by_column.p + C * real_size(t->real), 0, C * real_size(t->real));
    const pn_layer_norm a = { .rows = rows,
                              .C = C,
                              .epsilon = 1e-30,
                              .x = x.p,
                              .y = y.p,
                              .gamma = by_column.p,
                              .beta = (char *)by_column.p + C * real_size(t->real),
                              .mean = mean,
                              .rest = mean + rows,
                              .inv_std = inv_std };
    t->k->layer_norm_forward(&(pn_team){ .scratch = t->scratch }, &a);
    for (int r = 0; r < rows; r++) {
        double sum = 0, squares = 0;
        for (int c = 0; c < C; c++) {
            const double v = get_real(t->real, y.p, r * C + c), digits = t->tolerance * (1 + fabs(shift[r]) / scale[r]);
            CHECK_CLOSE(v, get_real(t->real, y.p, c), 4 * digits);
            sum += v;
            squares += v * v;
        }
        CHECK_CLOSE(sum / C, 0, t->tolerance * (1 + fabs(shift[r]) / scale[r]));
        CHECK_CLOSE(squares / C, 1, 1e-4);
    }
    CHECK(guard_free(z) && guard_free(by_column) && guard_free(x) && guard_free(y));
}

TEST(layer_norm_does_not_see_shift_and_scale) { each_table(layer_moved); }

/* In float64: dx, dgamma and dbeta against central differences of sum(y * dy). */
static void layer_slopes(trial *t)
{
    enum { rows = 3, C = 19, n = rows * C };
    if (t->real != PN_FLOAT64)
        return;
    double x[n + 2 * C], dy[n], y[n], d[n + 2 * C], mean[2 * rows], inv[rows], work[1024];
    fill_reals(PN_FLOAT64, x, n + 2 * C, &t->seed, -2, 2); /* x, gamma, beta: what is varied */
    fill_reals(PN_FLOAT64, dy, n, &t->seed, -1, 1);
    const pn_layer_norm a = { .rows = rows,
                              .C = C,
                              .epsilon = 1e-3,
                              .x = x,
                              .gamma = x + n,
                              .beta = x + n + C,
                              .y = y,
                              .mean = mean,
                              .rest = mean + rows,
                              .inv_std = inv,
                              .dy = dy,
                              .dx = d,
                              .dgamma = d + n,
                              .dbeta = d + n + C,
                              .work = work };
    const pn_team team = { .scratch = t->scratch };
    REQUIRE(t->k->layer_norm_work(&a) <= sizeof work);
    t->k->layer_norm_forward(&team, &a);
    t->k->layer_norm_backward(&team, &a);
    for (int i = 0; i < n + 2 * C; i++) {
        const double h = 1e-5, at = x[i];
        double change = 0;
        for (int side = -1; side <= 1; side += 2) {
            x[i] = at + side * h;
            t->k->layer_norm_forward(&team, &a);
            for (int j = 0; j < n; j++)
                change += side * y[j] * dy[j];
        }
        x[i] = at;
        CHECK_CLOSE(d[i], change / (2 * h), 1e-8);
    }
}

TEST(layer_norm_gradient_is_its_slope) { each_table(layer_slopes); }

TESTS(layer_norm_is_its_twin, layer_norm_does_not_see_shift_and_scale, layer_norm_gradient_is_its_slope)
