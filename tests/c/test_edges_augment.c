/* test_edges_augment.c -- augmented images at the edges of vectors, runs of pixels and strips of channels (edges.h). */
#include "kernels/augment.h"
#include "edges.h"

enum { HELD = 5 }; /* images, of which rows are taken */

typedef struct images {
    pn_augment a; /* without its pointers */
    pn_warp warps[EDGE];
    bool normalise;
} images;

static double between(trial *t, double low, double high)
{
    return low + (high - low) * (double)(draw(&t->seed) >> 11) * 0x1p-53;
}

/* Whole pixels, mirrored or not, or scattered far beyond the image, so that results are exact; or any gentle map. */
static void draw_map(trial *t, pn_warp *w, bool whole)
{
    const double mirror = maybe(t) ? -1 : 1;
    const pn_index wild = whole && maybe(t) ? 1000000 : 0;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++)
            w->map[i][j] = (i == j ? mirror : 0) + (double)draw_index(&t->seed, -wild, wild);
        for (int j = 0; j < 2 && !whole; j++)
            w->map[i][j] += between(t, -0.4, 0.4);
        w->map[i][2] = whole ? (double)draw_index(&t->seed, -3, 70) : between(t, -5, 70);
    }
}

static void draw_rectangle(trial *t, pn_warp *w, pn_index H, pn_index W)
{
    if (H == 0 || W == 0 || maybe(t))
        return;
    w->top = (int32_t)draw_index(&t->seed, 0, H - 1);
    w->bottom = (int32_t)draw_index(&t->seed, w->top + 1, H);
    w->left = (int32_t)draw_index(&t->seed, 0, W - 1);
    w->right = (int32_t)draw_index(&t->seed, w->left + 1, W);
}

static void draw_tones(trial *t, pn_warp *w)
{
    if (maybe(t))
        w->gamma = between(t, 0.5, 3);
    if (maybe(t))
        w->contrast = between(t, 0, 2);
    if (maybe(t))
        w->brightness = between(t, -1, 1);
}

/* Of the range: what the roundings of a place, of pixels between others and of tones make.  p^gamma makes of an error e
 * in p up to gamma e, or e^gamma where gamma is below 1. */
static double rounding(const trial *t, const pn_warp *w, pn_index side)
{
    const double e = 4 * t->tolerance + 8 * (double)side * (t->real == PN_FLOAT32 ? 0x1p-24 : 0x1p-53);
    return 2 * (w->gamma < 1 ? pow(e, w->gamma) : w->gamma * e) / t->tolerance;
}

/* Operands: images, numbers of rows, mean, factor; a batch. */
static void call_augment(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    const images *s = t->shape;
    pn_augment a = s->a;
    a.warps = s->warps;
    a.x = p[0];
    a.index = p[1];
    a.mean = s->normalise ? p[2] : NULL;
    a.factor = s->normalise ? p[3] : NULL;
    a.y = p[4];
    k->augment(team, &a);
}

/* Each image by its own deviation only where nothing was rounded: that may be next to 0. */
static void try_images(trial *t, pn_index rows, pn_index H, pn_index W, pn_index C, bool odd)
{
    static const pn_dtype kinds[] = { PN_UINT8, PN_FLOAT32, PN_FLOAT64 };
    static images s;
    const pn_dtype from = kinds[below(t, 3)];
    const double range = from == PN_UINT8 ? 255 : 6;
    const bool whole = maybe(t);
    s = (images){ .a = { .from = from, .rows = rows, .H = H, .W = W, .C = C }, .normalise = maybe(t) };
    s.a.channels = maybe(t) ? C : 1;
    s.a.standardize = whole && !s.normalise;
    for (pn_index r = 0; r < rows; r++) {
        s.warps[r] = (pn_warp){ .gamma = 1, .contrast = 1 };
        draw_map(t, &s.warps[r], whole);
        draw_rectangle(t, &s.warps[r], H, W);
        if (!whole)
            draw_tones(t, &s.warps[r]);
        t->scale = fmax(t->scale, range * rounding(t, &s.warps[r], H + W));
    }
    if (from == PN_UINT8)
        bytes(t, HELD * H * W * C, 255);
    else
        input_of(t, from, HELD * H * W * C, odd);
    labels(t, rows, HELD, 0);
    reals(t, s.a.channels, -1, 1);
    reals(t, s.a.channels, 0, 0.1);
    outputs(t, rows * H * W * C);
    run(t, &s, call_augment);
}

static void augment_edge(trial *t, const pn_index *s, bool odd) { try_images(t, s[0], s[1], s[2], s[3], odd); }

static const edge EDGES[] = {
    /* rows, height, width, channels */
    { "augment", augment_edge, { { 0, EDGE, 3 }, { 0, EDGE, 7 }, { 0, EDGE, 9 }, { 1, EDGE, 4 } } },
};

static void edges_each(trial *t) { sweep(t, EDGES, sizeof EDGES / sizeof EDGES[0]); }

TEST(augmented_images_are_their_twins_at_the_edges_of_vectors) { each_table(edges_each); }

static void large_each(trial *t)
{
    const pn_index shapes[][4] = { { 3, 2, 256, 1 }, { 3, 2, 257, 1 },  { 2, 3, 700, 2 },
                                   { 2, 300, 1, 3 }, { 2, 2, 2, 8195 }, { 1, 1, 3, 20000 } };
    t->sound = true;
    for (int i = 0; i < 6 * 12; i++)
        edge_at(t, &EDGES[0], shapes[i % 6], i % 2);
}

TEST(long_rows_and_many_channels_are_their_twins) { each_table(large_each); }

TESTS(augmented_images_are_their_twins_at_the_edges_of_vectors, long_rows_and_many_channels_are_their_twins)
