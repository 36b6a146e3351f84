/* test_edges_map.c -- elementwise kernels, copies, images and updates at the edges of vectors (edges.h). */
#include "edges.h"

enum { HELD = 5 }; /* images, of which rows are taken */

static void positive_outputs(trial *t, pn_index n)
{
    outputs(t, n);
    operand *o = &t->operands[t->count - 1];
    fill_reals(t->real, o->initial.p, n, &t->seed, 0, 1);
}

/* ---- elementwise ------------------------------------------------------------------------------------------------- */

/* Operands: x, dy; y, dx. */
static void call_unaries(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_unary a = *(const pn_unary *)t->shape;
    a.x = p[0], a.dy = p[1], a.y = p[2], a.dx = p[3];
    k->unary_forward(team, &a);
    k->unary_backward(team, &a);
}

static void unary_edge(trial *t, const pn_index *s, bool odd)
{
    for (int f = 0; f < PN_UNARIES; f++) {
        pn_unary a = { .f = (pn_unary_f)f, .n = s[0], .add = maybe(t) };
        set_usual(&a);
        t->tolerance *= 4;
        input(t, a.n, f == PN_U_log || f == PN_U_sqrt || f == PN_U_pow ? 0.1 : -4, 4, odd);
        reals(t, a.n, -1, 1);
        outputs(t, a.n);
        outputs(t, a.n);
        run(t, &a, call_unaries);
        t->tolerance /= 4;
    }
}

typedef struct binary_shape {
    pn_binary a;
    pn_index nc;
} binary_shape;

/* Operands: a, b, dy, c; y, da, db; compared; selected, its da and db. */
static void call_binaries(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    const binary_shape *s = t->shape;
    pn_binary a = s->a;
    a.a = p[0], a.b = p[1], a.dy = p[2], a.y = p[4];
    k->binary_forward(team, &a);
    a.d = p[5];
    k->binary_da(team, &a);
    a.d = p[6];
    k->binary_db(team, &a);
    k->compare(team, &(pn_compare){ .f = (pn_compare_f)(a.n % PN_COMPARES),
                                    .n = a.n,
                                    .na = a.na,
                                    .nb = a.nb,
                                    .a = p[0],
                                    .b = p[1],
                                    .y = p[7] });
    pn_select b = { .n = a.n,
                    .nc = s->nc,
                    .na = a.na,
                    .nb = a.nb,
                    .c = p[3],
                    .a = p[0],
                    .b = p[1],
                    .dy = p[2],
                    .y = p[8],
                    .d = p[9],
                    .add = a.add };
    k->select_forward(team, &b);
    k->select_da(team, &b);
    b.d = p[10];
    k->select_db(team, &b);
}

/* n = outer * inner; each operand has all, the inner part or one element. */
static void binary_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_index n = s[0] * s[1], periods[] = { n, pn_max(1, s[1]), 1 };
    for (int f = 0; f < PN_BINARIES; f++) {
        const binary_shape a = {
            { .f = (pn_binary_f)f, .n = n, .na = periods[below(t, 3)], .nb = periods[below(t, 3)], .add = maybe(t) },
            periods[below(t, 3)]
        };
        input(t, a.a.na, -2, 2, odd);
        input(t, a.a.nb, 0.5, 2, odd);
        reals(t, n, -1, 1);
        bytes(t, a.nc, 1);
        for (int i = 0; i < 3; i++)
            outputs(t, n);
        other_outputs(t, n, 1);
        for (int i = 0; i < 3; i++)
            outputs(t, n);
        run(t, &a, call_binaries);
    }
}

/* Operands: x, y; the sum of squares; a copy with its axes swapped; dz and its sums. */
static void call_lines(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    const pn_copy *c = t->shape;
    const pn_index n = c->shape[0] * c->shape[1];
    double *sum = work_block(t, sizeof *sum);
    k->sumsq(team, &(pn_sumsq){ .n = n, .x = p[0], .y = sum, .partial = work_block(t, sizeof *sum) });
    set_real(t->real, p[2], 0, *sum);
    pn_copy a = *c;
    a.src = p[0], a.dst = p[3];
    k->copy(team, &a);
    pn_act act = { .act = (pn_activation)(n % PN_ACTIVATIONS),
                   .slope = 0.25,
                   .n = n,
                   .C = c->shape[1],
                   .dy = p[0],
                   .y = p[1],
                   .dz = p[4],
                   .sums = p[5],
                   .add = c->add };
    act.work = work_block(t, k->act_work(&act));
    k->act_sum(team, &act);
}

static void line_edge(trial *t, const pn_index *s, bool odd)
{
    const pn_copy a = { .ndim = 2,
                        .shape = { s[0], s[1] },
                        .dst_stride = { 1, s[0] },
                        .src_stride = { s[1], 1 },
                        .item = (int)real_size(t->real),
                        .add = maybe(t) };
    input(t, s[0] * s[1], -1, 1, odd);
    input(t, s[0] * s[1], -1, 1, odd);
    outputs(t, 1);
    outputs(t, s[0] * s[1]);
    outputs(t, s[0] * s[1]);
    outputs(t, s[1]);
    run(t, &a, call_lines);
}

/* ---- images ------------------------------------------------------------------------------------------------------ */

typedef struct image_shape {
    pn_dtype from;
    pn_index rows, len, channels;
} image_shape;

/* Operands: images, numbers of rows, mean, scale; a batch, channels' means and deviations. */
static void call_images(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    const image_shape *s = t->shape;
    k->gather(team, &(pn_gather){ .from = s->from,
                                  .rows = s->rows,
                                  .len = s->len,
                                  .channels = s->channels,
                                  .index = p[1],
                                  .x = p[0],
                                  .mean = p[2],
                                  .scale = p[3],
                                  .y = p[4] });
    double *found = work_block(t, 2 * (size_t)s->channels * sizeof *found);
    pn_moments m = { .from = s->from,
                     .n = HELD * (s->len / s->channels),
                     .channels = s->channels,
                     .x = p[0],
                     .mean = found,
                     .deviation = found + s->channels };
    m.work = work_block(t, k->moments_work(&m));
    k->moments(team, &m);
    for (pn_index i = 0; i < 2 * s->channels && s->len > 0; i++)
        set_real(t->real, p[5], i, found[i]);
}

static void image_edge(trial *t, const pn_index *s, bool odd)
{
    static const pn_dtype kinds[] = { PN_UINT8, PN_FLOAT32, PN_FLOAT64 };
    const image_shape a = { kinds[below(t, 3)], s[0], s[1] * s[2], s[2] };
    t->scale = 8;
    if (a.from == PN_UINT8)
        bytes(t, HELD * a.len, 255);
    else
        input_of(t, a.from, HELD * a.len, odd);
    labels(t, a.rows, HELD, 0);
    reals(t, a.channels, -1, 1);
    reals(t, a.channels, 0, 0.1);
    outputs(t, a.rows * a.len);
    outputs(t, 2 * a.channels);
    run(t, &a, call_images);
}

/* ---- updates ----------------------------------------------------------------------------------------------------- */

/* Operands: gradients; parameters and two slots. */
static void call_update(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_update a = *(const pn_update *)t->shape;
    a.g = p[0], a.p = p[1], a.slot[0] = p[2], a.slot[1] = p[3];
    k->update(team, &a);
}

static void update_edge(trial *t, const pn_index *s, bool odd)
{
    for (int f = 0; f < PN_UPDATES; f++) {
        const pn_update a = {
            .f = (pn_update_f)f,
            .n = s[0],
            .rate = 0.1,
            .decay = maybe(t) ? 0.01 : 0,
            .grad_scale = 0.7,
            .momentum = maybe(t) ? 0.9 : 0,
            .nesterov = f == PN_UPDATE_SGD && maybe(t),
            .beta1 = 0.9,
            .beta2 = 0.99,
            .epsilon = 1e-3,
            .correction1 = 0.5,
            .correction2 = 0.5,
        };
        input(t, a.n, -1, 1, odd);
        outputs(t, a.n);
        positive_outputs(t, a.n);
        positive_outputs(t, a.n);
        run(t, &a, call_update);
    }
}

/* ---- the sweeps -------------------------------------------------------------------------------------------------- */

static const edge EDGES[] = {
    { "unary_forward unary_backward", unary_edge, { { 0, EDGE, EDGE } } },
    /* outer, inner */
    { "binary_forward binary_da binary_db compare select_forward select_da select_db",
      binary_edge,
      { { 0, EDGE, 9 }, { 1, EDGE, 20 } } },
    { "act_sum sumsq copy", line_edge, { { 0, EDGE, 20 }, { 0, EDGE, 20 } } },
    /* rows, pixels, channels */
    { "gather moments", image_edge, { { 0, EDGE, 9 }, { 0, EDGE, 9 }, { 1, EDGE, 5 } } },
    { "update", update_edge, { { 0, EDGE, EDGE } } },
};

static void edges_each(trial *t) { sweep(t, EDGES, sizeof EDGES / sizeof EDGES[0]); }

TEST(elementwise_kernels_hold_at_the_edges_of_vectors) { each_table(edges_each); }

TESTS(elementwise_kernels_hold_at_the_edges_of_vectors)
