/* test_rows.c -- reductions and row losses: every instruction set and real against the naive twin (trial.h), sums that
 * keep their digits, losses by hand and gradients against their slopes. */
#include "trial.h"

/* ---- reduce ------------------------------------------------------------------------------------------------------ */

static const char *const reduce_names[] = { "sum", "mean", "max", "min", "var" };

static void call_reduce(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_reduce a = *(const pn_reduce *)t->shape;
    a.x = p[0];
    a.y = p[1];
    a.work = work_block(t, k->reduce_work(&a));
    k->reduce_forward(team, &a);
}

/* x, dy, dx, and y unless the kernel is to find it; a variance's y, mean and rest together. */
static void call_reduce_back(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_reduce a = *(const pn_reduce *)t->shape;
    const bool reads = a.f != PN_REDUCE_SUM && a.f != PN_REDUCE_MEAN;
    a.x = reads ? p[0] : NULL;
    a.dy = p[1];
    a.dx = p[2];
    a.y = p[3];
    a.work = work_block(t, k->reduce_work(&a));
    if (a.f == PN_REDUCE_VAR) {
        a.mean = real_at(t->real, a.y, a.outer * a.inner);
        a.rest = real_at(t->real, a.mean, a.outer * a.inner);
    }
    if (reads && t->count > 3)
        k->reduce_forward(team, &a);
    else
        a.y = NULL;
    k->reduce_backward(team, &a);
}

static void reduce_case(trial *t, pn_reduce_f f, pn_index outer, pn_index len, pn_index inner, bool odd)
{
    const pn_reduce a = {
        .f = f,
        .outer = outer,
        .len = len,
        .inner = inner,
        .correction = (double)(len % 2),
        .add = len % 3 == 0,
    };
    const bool extreme = f == PN_REDUCE_MAX || f == PN_REDUCE_MIN;
    t->shape = &a;
    t->what = reduce_names[f];
    t->scale = 1 + sqrt((double)len) / 8;
    t->tolerance = t->real == PN_FLOAT32 ? 2e-6 : 1e-13; /* the twin adds one after another */
    if (extreme)
        whole_reals(t, outer * len * inner, -4, 4);
    else
        reals(t, outer * len * inner, -1, 1);
    if (odd)
        strew(t, true);
    outputs(t, outer * inner);
    check(t, call_reduce);
}

static void reduce_back_case(trial *t, pn_reduce_f f, pn_index outer, pn_index len, pn_index inner, bool odd)
{
    const pn_reduce a = {
        .f = f,
        .outer = outer,
        .len = len,
        .inner = inner,
        .correction = (double)(len % 2),
        .add_dx = len % 3 == 0,
    };
    t->shape = &a;
    t->what = reduce_names[f];
    t->scale = 1;
    if (f == PN_REDUCE_VAR) { /* forward's sums are compared, too: as in reduce_case */
        t->tolerance = t->real == PN_FLOAT32 ? 2e-6 : 1e-13;
        reals(t, outer * len * inner, -4, 4);
    } else {
        whole_reals(t, outer * len * inner, -4, 4); /* max and min meet equals */
    }
    if (odd)
        strew(t, f != PN_REDUCE_VAR);
    reals(t, outer * inner, -1, 1);
    outputs(t, outer * len * inner);
    if (f == PN_REDUCE_MAX || f == PN_REDUCE_VAR)
        outputs(t, outer * inner * (f == PN_REDUCE_VAR ? 3 : 1));
    check(t, call_reduce_back);
}

static void reduce_all(trial *t, void (*one)(trial *, pn_reduce_f, pn_index, pn_index, pn_index, bool))
{
    static const pn_index inners[] = { 1, 2, 3, 5, 7, 8, 10, 16, 31, 64, 67 };
    static const pn_index large[][3] = {
        { 1, 900001, 1 }, { 3, 40000, 1 }, { 1, 20011, 8 },  { 1, 5003, 10 }, { 1, 4096, 16 },
        { 1, 3001, 67 },  { 1, 900, 128 }, { 2, 300, 1100 }, { 1, 70, 2500 }, { 1, 200, 1024 },
        { 4000, 10, 1 },  { 300, 49, 16 }, { 9, 1000, 13 },
    };
    for (pn_reduce_f f = PN_REDUCE_SUM; f <= PN_REDUCE_VAR; f++) {
        for (pn_index len = 1; len <= 67; len += harness_quick() ? 11 : 1)
            for (size_t i = 0; i < sizeof inners / sizeof inners[0]; i++)
                if (len % 3 == (pn_index)i % 3 || len < 4)
                    one(t, f, 1 + len % 2, len, inners[i], len % 5 == 4);
        const size_t first = harness_quick() && f != PN_REDUCE_VAR ? f + 1 : 0, step = harness_quick() ? 6 : 1;
        for (size_t i = first; i < sizeof large / sizeof large[0] && t->sound; i += step)
            one(t, f, large[i][0], large[i][1], large[i][2], i % 3 == 2);
        one(t, f, 0, 5, 3, false);
        one(t, f, 2, 5, 0, false);
        one(t, f, 3, 0, 2, false);
        one(t, f, 2, 0, 1, false);
    }
}

static void reduce_forward_each(trial *t) { reduce_all(t, reduce_case); }
static void reduce_backward_each(trial *t) { reduce_all(t, reduce_back_case); }

TEST(reduce_forward_is_its_twin) { each_table_sharing(reduce_forward_each, PN_REGION_REDUCE, true); }
TEST(reduce_backward_is_its_twin) { each_table_sharing(reduce_backward_each, PN_REGION_REDUCE, true); }

static void call_argmax(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_argmax a = *(const pn_argmax *)t->shape;
    a.x = p[0];
    a.y = p[1];
    k->argmax(team, &a);
}

static void argmax_case(trial *t, pn_index outer, pn_index len, pn_index inner)
{
    const pn_argmax a = { .outer = outer, .len = len, .inner = inner };
    t->shape = &a;
    t->what = "argmax";
    whole_reals(t, outer * len * inner, -4, 4);
    if (len % 4 == 1)
        strew(t, true);
    other_outputs(t, outer * inner, sizeof(int64_t));
    check(t, call_argmax);
}

static void argmax_each(trial *t)
{
    for (pn_index len = 1; len <= 67; len += harness_quick() ? 6 : 1)
        for (pn_index inner = 1; inner <= 67; inner += 11)
            argmax_case(t, 1 + len % 3, len, inner);
    argmax_case(t, 1, 50001, 1);
    argmax_case(t, 2, 300001, 1);
    argmax_case(t, 7, 3000, 1);
    argmax_case(t, 3, 1000, 130);
    argmax_case(t, 0, 3, 1);
}

TEST(argmax_is_its_twin) { each_table(argmax_each); }

/* Ten million times a number that float cannot hold exactly, and a variance far from 0. */
static void reduce_precise(trial *t)
{
    const pn_index n = harness_quick() ? 1000003 : 10000019;
    guarded x = guard_new((size_t)n * real_size(t->real), 0), y = guard_new(real_size(t->real), 0);
    pn_reduce a = { .f = PN_REDUCE_SUM, .outer = 1, .len = n, .inner = 1, .x = x.p, .y = y.p };
    guarded work = guard_new(t->k->reduce_work(&a), 0);
    const pn_team team = { .scratch = t->scratch };
    a.work = work.p;
    for (int random = 0; random < 2; random++) {
        double sum = 0, lost = 0; /* Kahan's sum */
        for (pn_index i = 0; i < n; i++) {
            set_real(t->real, x.p, i, random ? draw_real(&t->seed, 0, 1) : 0.1);
            const double v = get_real(t->real, x.p, i) - lost, next = sum + v;
            lost = (next - sum) - v;
            sum = next;
        }
        t->k->reduce_forward(&team, &a);
        CHECK_CLOSE(get_real(t->real, y.p, 0) / sum, 1, t->real == PN_FLOAT32 ? 2e-7 : 1e-13);
    }
    CHECK(guard_free(work) && guard_free(y) && guard_free(x));
}

static void variance_precise(trial *t)
{
    const pn_index n = 30001;
    const double offset = t->real == PN_FLOAT32 ? 1e4 : 1e6;
    guarded x = guard_reals(t->real, n, 0, &t->seed, offset - 1, offset + 1), y = guard_new(real_size(t->real), 0);
    pn_reduce a = { .f = PN_REDUCE_VAR, .outer = 1, .len = n, .inner = 1, .x = x.p, .y = y.p };
    guarded work = guard_new(t->k->reduce_work(&a), 0);
    const pn_team team = { .scratch = t->scratch };
    double mean = 0, squares = 0;
    for (pn_index i = 0; i < n; i++)
        mean += (get_real(t->real, x.p, i) - offset) / (double)n;
    for (pn_index i = 0; i < n; i++)
        squares += pow(get_real(t->real, x.p, i) - offset - mean, 2);
    a.work = work.p;
    t->k->reduce_forward(&team, &a);
    CHECK_CLOSE(get_real(t->real, y.p, 0) * (double)n / squares, 1, t->real == PN_FLOAT32 ? 1e-6 : 1e-12);
    CHECK(guard_free(work) && guard_free(y) && guard_free(x));
}

TEST(long_sums_keep_their_digits) { each_table(reduce_precise); }
TEST(variance_far_from_zero_keeps_its_digits) { each_table(variance_precise); }

/* ---- softmax and losses ------------------------------------------------------------------------------------------ */

static const pn_index widths[] = { 1, 2, 3, 7, 8, 10, 16, 31, 32, 33, 47, 64, 67, 130, 1000, 4099 };
enum { WIDTHS = sizeof widths / sizeof widths[0] };

/* Calls one(t, rows, C, variant) for the sizes that matter; of many variants, each has its share of the sizes. */
static void each_rows(trial *t, int variants, void (*one)(trial *, pn_index, pn_index, int))
{
    static const pn_index rows[] = { 1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 33, 67 };
    const int step = harness_quick() ? 13 : variants > 8 ? 5 : 2;
    for (int variant = 0; variant < variants; variant++) {
        for (int w = harness_quick() ? variant % 4 : 0; w < WIDTHS; w += harness_quick() ? 4 : 1)
            for (int r = (variant + w) % step; r < (int)(sizeof rows / sizeof rows[0]); r += step)
                if (widths[w] < 4000 || r < step)
                    one(t, rows[r], widths[w], variant);
        one(t, 0, widths[variant % WIDTHS], variant);
        one(t, harness_quick() ? 300 : 3000, variant % 2 ? 10 : 40, variant);
    }
}

typedef struct softmax_shape {
    pn_softmax a;
    int which;
} softmax_shape;

static void call_softmax(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    const softmax_shape *s = t->shape;
    pn_softmax a = s->a;
    if (s->which < 2) {
        a.x = p[0];
        a.y = p[1];
        (s->which == 0 ? k->softmax_forward : k->log_softmax_forward)(team, &a);
        return;
    }
    a.y = p[0];
    a.dy = p[1];
    a.dx = p[2];
    (s->which == 2 ? k->softmax_backward : k->log_softmax_backward)(team, &a);
}

static void softmax_case(trial *t, pn_index rows, pn_index C, int variant)
{
    const softmax_shape s = { { .rows = rows, .C = C, .add = rows % 2 }, variant % 4 };
    static const char *const names[] = { "softmax", "log_softmax", "softmax backward", "log_softmax backward" };
    t->shape = &s;
    t->what = names[s.which];
    t->scale = s.which < 2 ? 8 : 1 + sqrt((double)C);
    reals(t, rows * C, s.which < 2 ? -9 : -1, s.which < 2 ? 9 : s.which == 3 ? 0 : 1);
    if (s.which < 2 && variant >= 4)
        strew(t, true);
    if (s.which >= 2)
        reals(t, rows * C, -1, 1);
    outputs(t, rows * C);
    check(t, call_softmax);
}

static void softmax_each(trial *t) { each_rows(t, 6, softmax_case); }

TEST(softmax_is_its_twin) { each_table(softmax_each); }

/* Operands: x, labels or t, row weights, class weights; p, loss, weight; then scale and dx. */
static void call_xent(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_xent a = *(const pn_xent *)t->shape;
    a.x = p[0];
    a.labels = a.labels ? p[1] : NULL;
    a.t = a.labels ? NULL : p[1];
    a.row_weight = a.row_weight ? p[2] : NULL;
    a.class_weight = a.class_weight ? p[3] : NULL;
    a.p = p[4];
    a.loss = p[5];
    a.weight = p[6];
    k->xent_forward(team, &a);
    a.scale = p[7];
    a.dx = p[8];
    k->xent_backward(team, &a);
}

/* A bit of the variant each: labels, smoothing, row weights, class weights, ignored labels and odd logits. */
static void xent_case(trial *t, pn_index rows, pn_index C, int variant)
{
    static const int64_t some = 0;
    pn_xent a = { .rows = rows, .C = C, .add = rows % 2 };
    a.labels = variant & 1 ? &some : NULL;
    a.smoothing = variant & 2 ? 0.1 : 0;
    a.row_weight = variant & 4 ? &some : NULL;
    a.class_weight = variant & 8 ? &some : NULL;
    a.has_ignore = variant & 16;
    a.ignore = -100;
    t->shape = &a;
    t->what = variant & 1 ? "cross-entropy of labels" : "cross-entropy of probabilities";
    t->scale = 20;
    reals(t, rows * C, -9, 9);
    if (variant & 16)
        strew(t, true);
    if (a.labels)
        labels(t, rows, C, a.has_ignore ? a.ignore : 0);
    else
        reals(t, rows * C, 0, 2 / (double)C);
    reals(t, rows, 0.5, 2);
    reals(t, C, 0.5, 2);
    outputs(t, rows * C);
    outputs(t, rows);
    outputs(t, rows);
    reals(t, rows, -1, 1);
    outputs(t, rows * C);
    check(t, call_xent);
}

static void xent_each(trial *t) { each_rows(t, 32, xent_case); }

TEST(cross_entropy_is_its_twin) { each_table(xent_each); }

/* The worked example of PyTorch's CrossEntropyLoss(weight, label_smoothing) semantics, by hand: two classes. */
static void xent_by_hand(trial *t)
{
    const double logits[] = { 0, log(3), log(4), 0 }, weights[] = { 2, 5 }, e = 0.2; /* p: 1/4 3/4, 4/5 1/5 */
    const int64_t label[] = { 1, 0 };
    double x[4], w[2], p[4], loss[2], weight[2], soft[4], soft_loss[2];
    for (int i = 0; i < 4; i++)
        set_real(t->real, x, i, logits[i]);
    for (int i = 0; i < 2; i++)
        set_real(t->real, w, i, weights[i]);
    pn_xent a = { .rows = 2,
                  .C = 2,
                  .x = x,
                  .labels = label,
                  .class_weight = w,
                  .smoothing = e,
                  .p = p,
                  .loss = loss,
                  .weight = weight };
    const pn_team team = { .scratch = t->scratch };
    const double n0[] = { log(4), log(4.0 / 3) }, n1[] = { log(1.25), log(5) }; /* -log p */
    t->k->xent_forward(&team, &a);
    const double first = 0.8 * 5 * n0[1] + 0.1 * (2 * n0[0] + 5 * n0[1]);
    const double second = 0.8 * 2 * n1[0] + 0.1 * (2 * n1[0] + 5 * n1[1]);
    CHECK_CLOSE(get_real(t->real, loss, 0), first, 10 * t->tolerance);
    CHECK_CLOSE(get_real(t->real, loss, 1), second, 10 * t->tolerance);
    CHECK_CLOSE(get_real(t->real, weight, 0), 5, 0);
    CHECK_CLOSE(get_real(t->real, weight, 1), 2, 0);
    for (int i = 0; i < 4; i++) /* one-hot rows say the same */
        set_real(t->real, soft, i, label[i / 2] == i % 2);
    a.labels = NULL;
    a.t = soft;
    a.loss = soft_loss;
    t->k->xent_forward(&team, &a);
    CHECK_CLOSE(get_real(t->real, soft_loss, 0), first, 10 * t->tolerance);
    CHECK_CLOSE(get_real(t->real, soft_loss, 1), second, 10 * t->tolerance);
    CHECK_CLOSE(get_real(t->real, weight, 0), 1, 0);
}

TEST(cross_entropy_by_hand) { each_table(xent_by_hand); }

/* In float64: the gradient against central differences of the loss. */
static void xent_slopes(trial *t)
{
    enum { C = 5 };
    if (t->real != PN_FLOAT64)
        return;
    const pn_team team = { .scratch = t->scratch };
    for (int variant = 0; variant < 8; variant++) {
        double x[C], target[C], w[C], p[C], loss, weight, dx[C], scale = 1.5, row = 0.7;
        const int64_t label = 3;
        fill_reals(PN_FLOAT64, x, C, &t->seed, -2, 2);
        fill_reals(PN_FLOAT64, target, C, &t->seed, 0, 1);
        fill_reals(PN_FLOAT64, w, C, &t->seed, 0.5, 2);
        pn_xent a = { .rows = 1,
                      .C = C,
                      .x = x,
                      .labels = variant & 1 ? &label : NULL,
                      .t = variant & 1 ? NULL : target,
                      .row_weight = &row,
                      .class_weight = variant & 2 ? w : NULL,
                      .smoothing = variant & 4 ? 0.2 : 0,
                      .p = p,
                      .loss = &loss,
                      .weight = &weight,
                      .scale = &scale,
                      .dx = dx };
        t->k->xent_forward(&team, &a);
        t->k->xent_backward(&team, &a);
        for (int c = 0; c < C; c++) {
            const double h = 1e-5, at = x[c];
            x[c] = at + h;
            t->k->xent_forward(&team, &a);
            const double up = loss;
            x[c] = at - h;
            t->k->xent_forward(&team, &a);
            x[c] = at;
            CHECK_CLOSE(dx[c], scale * (up - loss) / (2 * h), 1e-8);
        }
    }
}

TEST(cross_entropy_gradient_is_its_slope) { each_table(xent_slopes); }

static void call_rowloss(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_rowloss a = *(const pn_rowloss *)t->shape;
    a.x = p[0];
    a.t = p[1];
    a.row_weight = a.row_weight ? p[2] : NULL;
    a.loss = p[3];
    k->rowloss_forward(team, &a);
    a.scale = p[4];
    a.dx = a.rows % 5 == 4 && a.f != PN_LOSS_BINARY ? NULL : p[5];
    a.dt = a.f != PN_LOSS_BINARY && a.rows % 3 ? p[6] : NULL;
    k->rowloss_backward(team, &a);
}

static void rowloss_case(trial *t, pn_index rows, pn_index C, int variant)
{
    static const int some = 0;
    const pn_rowloss a = {
        .f = (pn_rowloss_f)(variant % 4),
        .delta = 0.75,
        .rows = rows,
        .C = C,
        .row_weight = variant / 4 & 1 ? &some : NULL,
        .add_dx = rows % 2,
        .add_dt = C % 2,
    };
    static const char *const names[] = { "binary cross-entropy", "mse", "mae", "huber" };
    t->shape = &a;
    t->what = names[a.f];
    t->scale = a.f == PN_LOSS_BINARY ? 1 + (double)C / 8 : 10;
    reals(t, rows * C, -9, 9);
    if (variant >= 8)
        strew(t, true);
    reals(t, rows * C, 0, 1);
    reals(t, rows, 0.5, 2);
    outputs(t, rows);
    reals(t, rows, -1, 1);
    outputs(t, rows * C);
    outputs(t, rows * C);
    check(t, call_rowloss);
}

static void rowloss_each(trial *t) { each_rows(t, 12, rowloss_case); }

TEST(row_losses_are_their_twins) { each_table(rowloss_each); }

/* A confident, right answer still costs a little: the digits of log(1 + exp(-20)) are kept. */
static void binary_tail(trial *t)
{
    double x[1], target[1], loss[1];
    set_real(t->real, x, 0, 20);
    set_real(t->real, target, 0, 1);
    const pn_rowloss a = { .f = PN_LOSS_BINARY, .rows = 1, .C = 1, .x = x, .t = target, .loss = loss };
    t->k->rowloss_forward(&(pn_team){ .scratch = t->scratch }, &a);
    CHECK_CLOSE(get_real(t->real, loss, 0) / log1p(exp(-20)), 1, 2 * t->tolerance);
}

TEST(binary_loss_keeps_its_tail) { each_table(binary_tail); }

static void call_hits(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_hits a = *(const pn_hits *)t->shape;
    a.x = p[0];
    a.labels = p[1];
    a.hits = p[2];
    k->hits(team, &a);
}

static void hits_case(trial *t, pn_index rows, pn_index C, int variant)
{
    const pn_hits a = { .rows = rows, .C = C, .threshold = 1 };
    t->shape = &a;
    t->what = "hits";
    whole_reals(t, rows * C, -3, 3);
    if (variant)
        strew(t, true);
    labels(t, rows, C == 1 ? 2 : pn_min(C, 4), 0);
    outputs(t, rows);
    check(t, call_hits);
}

static void hits_each(trial *t) { each_rows(t, 2, hits_case); }

TEST(hits_are_their_twins) { each_table(hits_each); }

TESTS(reduce_forward_is_its_twin, reduce_backward_is_its_twin, argmax_is_its_twin, long_sums_keep_their_digits,
      variance_far_from_zero_keeps_its_digits, softmax_is_its_twin, cross_entropy_is_its_twin, cross_entropy_by_hand,
      cross_entropy_gradient_is_its_slope, row_losses_are_their_twins, binary_loss_keeps_its_tail, hits_are_their_twins)
