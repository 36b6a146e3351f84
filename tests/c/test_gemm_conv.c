/* test_gemm_conv.c -- products and convolutions of every instruction set against the naive twin.
 *
 * Most operands are small multiples of 1/4, so that every sum is exact in float32 in whatever order, and results are
 * compared for equality: a term left out or taken twice cannot hide in a tolerance.  All blocks have the exact size
 * and guards; C and y are compared whole, gaps between rows too. */
#include "harness.h"
#include "kernels.h"

static const pn_index EDGES[] = { 1, 2, 3, 5, 6, 7, 8, 10, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33, 47, 48, 49, 64, 67 };
enum { N_EDGES = sizeof EDGES / sizeof EDGES[0] };

static uint64_t seed; /* of the running test: what operands are drawn from */

static pn_index draw_edge(void) { return EDGES[draw_index(&seed, 0, N_EDGES - 1)]; }
static bool draw_bool(void) { return draw(&seed) >> 63; }
static size_t draw_shift(pn_dtype real) { return draw_bool() ? real_size(real) * (size_t)draw_index(&seed, 1, 7) : 0; }

/* n multiples of 1/4 from -1 to 1, in a block of exactly that size. */
static guarded quarters(pn_dtype real, pn_index n)
{
    guarded g = guard_new((size_t)n * real_size(real), draw_shift(real));
    for (pn_index i = 0; i < n; i++)
        set_real(real, g.p, i, (double)draw_index(&seed, -4, 4) / 4);
    return g;
}

static guarded copy_of(guarded g)
{
    guarded c = guard_new(g.bytes, (uintptr_t)g.p % PN_ALIGN);
    memcpy(c.p, g.p, g.bytes);
    return c;
}

static void free_blocks(guarded *blocks, int n)
{
    for (int i = 0; i < n; i++)
        CHECK(guard_free(blocks[i]));
}

static bool is_exact(pn_activation act) { return act != PN_ACT_SIGMOID && act != PN_ACT_TANH; }

static double tolerance_of(pn_dtype real) { return real == PN_FLOAT32 ? 2e-6 : 4e-15; }

static bool same_block(pn_dtype real, guarded got, guarded want, double tolerance)
{
    return first_difference(real, got.p, want.p, (pn_index)(want.bytes / real_size(real)), tolerance, 1) < 0;
}

/* ---- who computes ----------------------------------------------------------------------------------------------- */

/* Pools of 2 and 4 threads; one thread is a team without a pool. */
typedef struct crew {
    pn_memory *memory;
    pn_pool *pools[2];
    void *scratch;
} crew;

static crew crew_new(void)
{
    crew c = { .memory = pn_memory_new(NULL) };
    for (int i = 0; i < 2; i++)
        c.pools[i] = pn_pool_new(c.memory, 2 << i, NULL);
    c.scratch = pn_mem_get(c.memory, PN_SCRATCH_BYTES, NULL);
    return c;
}

static void crew_free(crew *c)
{
    pn_mem_put(c->scratch);
    for (int i = 0; i < 2; i++)
        pn_pool_free(c->pools[i]);
    pn_memory_free(c->memory);
}

static pn_team team_of(const crew *c, int i)
{
    return (pn_team){ .pool = i == 0 ? NULL : c->pools[i - 1], .scratch = c->scratch };
}

/* Calls body(kernels of every instruction set that this CPU has, and both reals). */
static void each_table(void (*body)(const pn_kernels *k, const crew *c))
{
    crew c = crew_new();
    seed = harness.seed;
    for (int isa = PN_ISA_BASELINE; isa <= (int)pn_cpu_best_isa(); isa++)
        for (int real = PN_FLOAT32; real <= (int)PN_FLOAT64; real++)
            body(pn_kernels_for((pn_isa)isa, (pn_dtype)real), &c);
    crew_free(&c);
}

static const pn_kernels *naive_of(const pn_kernels *k) { return pn_kernels_for(PN_ISA_NAIVE, k->real); }

/* A workspace of exactly that size, full of NaN: what is read must have been written. */
static guarded workspace(size_t bytes)
{
    guarded g = guard_new(bytes, 0);
    memset(g.p, 0xFF, bytes);
    return g;
}

/* ---- gemm -------------------------------------------------------------------------------------------------------- */

typedef struct gemm_case {
    pn_index M, N, K, batch;
    bool ta, tb, add, bias, repeat_a, repeat_b;
    pn_index gap_a, gap_b, gap_c; /* between rows (or columns) in memory */
    pn_activation act;
} gemm_case;

enum { GEMM_BLOCKS = 4 }; /* a, b, bias, c */

/* Elements from the first to the last of rows `step` apart. */
static pn_index extent(pn_index rows, pn_index cols, pn_index step)
{
    return rows == 0 || cols == 0 ? 0 : (rows - 1) * step + cols;
}

/* Fills in g for the case, with blocks made for it. */
static void gemm_make(pn_dtype real, const gemm_case *t, pn_gemm *g, guarded *blocks)
{
    const pn_index lda = (t->ta ? t->M : t->K) + t->gap_a, ldb = (t->tb ? t->K : t->N) + t->gap_b;
    const pn_index ldc = t->N + t->gap_c;
    const pn_index a = t->ta ? extent(t->K, t->M, lda) : extent(t->M, t->K, lda);
    const pn_index b = t->tb ? extent(t->N, t->K, ldb) : extent(t->K, t->N, ldb), c = extent(t->M, t->N, ldc);
    *g = (pn_gemm){ .rsa = t->ta ? 1 : lda,
                    .csa = t->ta ? lda : 1,
                    .rsb = t->tb ? 1 : ldb,
                    .csb = t->tb ? ldb : 1,
                    .rsc = ldc,
                    .M = t->M,
                    .N = t->N,
                    .K = t->K,
                    .add = t->add,
                    .act = t->act,
                    .slope = 0.25,
                    .batch = t->batch,
                    .sa = t->repeat_a ? 0 : a,
                    .sb = t->repeat_b ? 0 : b,
                    .sc = c };
    blocks[0] = quarters(real, t->repeat_a ? a : a * t->batch);
    blocks[1] = quarters(real, t->repeat_b ? b : b * t->batch);
    blocks[2] = quarters(real, t->bias ? t->N : 0);
    blocks[3] = quarters(real, c * t->batch);
    g->a = blocks[0].p;
    g->b = blocks[1].p;
    g->bias = t->bias ? blocks[2].p : NULL;
    g->c = blocks[3].p;
}

static guarded gemm_on(const pn_kernels *k, const pn_team *team, pn_gemm g, guarded start)
{
    guarded c = copy_of(start), work = workspace(k->gemm_work(&g));
    g.c = c.p;
    g.work = work.bytes > 0 ? work.p : NULL;
    k->gemm(team, &g);
    CHECK(guard_free(work));
    return c;
}

static bool gemm_agrees(const pn_kernels *k, const crew *c, const gemm_case *t)
{
    pn_gemm g;
    guarded blocks[GEMM_BLOCKS];
    gemm_make(k->real, t, &g, blocks);
    const pn_team alone = team_of(c, 0);
    guarded want = gemm_on(naive_of(k), &alone, g, blocks[3]), got = gemm_on(k, &alone, g, blocks[3]);
    const bool same = same_block(k->real, got, want, is_exact(t->act) ? 0 : tolerance_of(k->real));
    harness_check(same, __FILE__, __LINE__,
                  "%s f%d: gemm M %td N %td K %td batch %td%s%s%s%s%s%s gaps %td %td %td act %d",
                  pn_cpu_isa_name(k->isa), (int)(8 * real_size(k->real)), t->M, t->N, t->K, t->batch,
                  t->ta ? " ta" : "", t->tb ? " tb" : "", t->add ? " add" : "", t->bias ? " bias" : "",
                  t->repeat_a ? " one a" : "", t->repeat_b ? " one b" : "", t->gap_a, t->gap_b, t->gap_c, (int)t->act);
    free_blocks((guarded[]){ want, got }, 2);
    free_blocks(blocks, GEMM_BLOCKS);
    return same;
}

static void draw_layout(gemm_case *t)
{
    const uint64_t bits = draw(&seed);
    t->ta = bits & 1;
    t->tb = bits & 2;
    t->add = bits & 4;
    t->bias = !t->add && (bits & 8);
    t->act = t->add ? PN_ACT_NONE : (pn_activation)draw_index(&seed, 0, PN_ACTIVATIONS - 1);
    t->gap_a = bits & 16 ? draw_index(&seed, 1, 9) : 0;
    t->gap_b = bits & 32 ? draw_index(&seed, 1, 9) : 0;
    t->gap_c = bits & 64 ? draw_index(&seed, 1, 9) : 0;
    t->batch = bits & 128 ? 1 : draw_index(&seed, 1, 3);
    t->repeat_a = bits & 256;
    t->repeat_b = bits & 512;
}

static void small_gemms(const pn_kernels *k, const crew *c)
{
    const pn_index most = harness_quick() ? 5 : 19;
    for (pn_index M = 0; M <= most; M++)
        for (pn_index N = 0; N <= most; N++)
            for (pn_index K = 0; K <= 7; K++) {
                gemm_case t = { .M = M, .N = N, .K = K };
                draw_layout(&t);
                if (!gemm_agrees(k, c, &t))
                    return;
            }
}

static void drawn_gemms(const pn_kernels *k, const crew *c)
{
    for (int i = 0; i < (harness_quick() ? 60 : 1500); i++) {
        gemm_case t = { .M = draw_edge(), .N = draw_edge(), .K = draw_edge() };
        if (i % 4 == 0) /* few rows, or one column: dots along K */
            t.M = draw_index(&seed, 1, 5);
        else if (i % 4 == 1)
            t.N = 1;
        draw_layout(&t);
        if (!gemm_agrees(k, c, &t))
            return;
    }
}

/* K about the blocks of 384, rows a power of two apart, one row, more columns than a block. */
static void long_gemms(const pn_kernels *k, const crew *c)
{
    static const pn_index sizes[][3] = {
        { 1, 300, 383 },  { 1, 17, 900 },   { 2, 40, 384 },  { 14, 35, 385 },  { 15, 70, 769 },
        { 30, 290, 390 }, { 20, 600, 64 },  { 33, 33, 512 }, { 64, 10, 1024 }, { 5, 1, 2000 },
        { 50, 128, 256 }, { 100, 31, 257 }, { 17, 513, 33 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i += harness_quick() ? 4 : 1)
        for (int layout = 0; layout < 4; layout++) {
            gemm_case t = { .M = sizes[i][0], .N = sizes[i][1], .K = sizes[i][2] };
            draw_layout(&t);
            t.ta = layout & 1;
            t.tb = layout & 2;
            t.gap_a = t.gap_b = 0;
            if (!gemm_agrees(k, c, &t))
                return;
        }
}

static void real_gemms(const pn_kernels *k, const crew *c)
{
    for (int i = 0; i < 10; i++) {
        gemm_case t = { .M = draw_index(&seed, 1, 80), .N = draw_index(&seed, 1, 80), .batch = 1 };
        t.K = draw_index(&seed, 1, 900);
        pn_gemm g;
        guarded blocks[GEMM_BLOCKS];
        gemm_make(k->real, &t, &g, blocks);
        fill_reals(k->real, blocks[0].p, t.M * t.K, &seed, -1, 1);
        fill_reals(k->real, blocks[1].p, t.K * t.N, &seed, -1, 1);
        const pn_team alone = team_of(c, 0);
        guarded want = gemm_on(naive_of(k), &alone, g, blocks[3]), got = gemm_on(k, &alone, g, blocks[3]);
        /* Rounding of a walk of K steps of size 1/3, both sides: far below eps * K. */
        CHECK(same_block(k->real, got, want, tolerance_of(k->real) / 16 * (double)(t.K + 16)));
        free_blocks((guarded[]){ want, got }, 2);
        free_blocks(blocks, GEMM_BLOCKS);
    }
}

/* Infinities and NaN in a few places of A and B come out where the twin has them, and nowhere else. */
static void gemms_of_infinities(const pn_kernels *k, const crew *c)
{
    static const double odd[] = { INFINITY, -INFINITY, NAN };
    for (int i = 0; i < (harness_quick() ? 20 : 200); i++) {
        gemm_case t = { .M = draw_edge(), .N = draw_edge(), .K = draw_edge() };
        draw_layout(&t);
        t.gap_a = t.gap_b = 0;
        pn_gemm g;
        guarded blocks[GEMM_BLOCKS];
        gemm_make(k->real, &t, &g, blocks);
        set_real(k->real, blocks[0].p, draw_index(&seed, 0, t.M * t.K - 1), odd[i % 3]);
        set_real(k->real, blocks[1].p, draw_index(&seed, 0, t.K * t.N - 1), odd[i / 3 % 3]);
        const pn_team alone = team_of(c, 0);
        guarded want = gemm_on(naive_of(k), &alone, g, blocks[3]), got = gemm_on(k, &alone, g, blocks[3]);
        CHECK(same_block(k->real, got, want, is_exact(t.act) ? 0 : tolerance_of(k->real)));
        free_blocks((guarded[]){ want, got }, 2);
        free_blocks(blocks, GEMM_BLOCKS);
    }
}

/* With reals whose sums round, 2 and 4 threads give the bits of one. */
static void gemms_by_threads(const pn_kernels *k, const crew *c)
{
    static const pn_index sizes[][4] = {
        { 200, 150, 500, 1 }, { 64, 10, 3000, 1 }, { 1, 2000, 900, 1 }, { 40, 70, 200, 6 },
        { 500, 33, 100, 1 },  { 14, 700, 300, 1 }, { 700, 1, 500, 1 },  { 3, 300, 500, 2 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gemm_case t = { .M = sizes[i][0], .N = sizes[i][1], .K = sizes[i][2] };
        draw_layout(&t);
        t.batch = sizes[i][3];
        t.repeat_a = t.repeat_b = false;
        t.gap_a = t.gap_b = t.gap_c = 0;
        pn_gemm g;
        guarded blocks[GEMM_BLOCKS], got[3];
        gemm_make(k->real, &t, &g, blocks);
        fill_reals(k->real, blocks[0].p, t.M * t.K * t.batch, &seed, -1, 1);
        fill_reals(k->real, blocks[1].p, t.K * t.N * t.batch, &seed, -1, 1);
        for (int n = 0; n < 3; n++) {
            const pn_team team = team_of(c, n);
            got[n] = gemm_on(k, &team, g, blocks[3]);
            CHECK(memcmp(got[n].p, got[0].p, got[0].bytes) == 0);
        }
        free_blocks(got, 3);
        free_blocks(blocks, GEMM_BLOCKS);
    }
}

TEST(gemm_agrees_on_all_small_sizes) { each_table(small_gemms); }
TEST(gemm_agrees_on_drawn_sizes_and_layouts) { each_table(drawn_gemms); }
TEST(gemm_agrees_on_long_and_wide_products) { each_table(long_gemms); }
TEST(gemm_is_close_on_reals) { each_table(real_gemms); }
TEST(gemm_propagates_infinities_and_nan) { each_table(gemms_of_infinities); }
TEST(gemm_has_the_same_bits_for_any_number_of_threads) { each_table(gemms_by_threads); }

/* ---- conv -------------------------------------------------------------------------------------------------------- */

enum { CONV_BLOCKS = 7 }; /* x, w, bias, dy, y, dx, dw */
typedef enum { FORWARD, DX, DW, PASSES } conv_pass;

static pn_conv draw_conv(pn_index most)
{
    static const pn_index channels[] = { 1, 1, 2, 3, 3, 4, 5, 8, 8, 15, 16, 17, 31, 32, 33, 48, 67 };
    const pn_index last = sizeof channels / sizeof channels[0] - 1;
    pn_conv v = {
        .N = draw_index(&seed, 0, 7),
        .H = draw_index(&seed, 1, most),
        .W = draw_index(&seed, 1, most),
        .C = channels[draw_index(&seed, 0, last)],
        .O = channels[draw_index(&seed, 0, last)],
        .KH = draw_index(&seed, 1, 5),
        .KW = draw_index(&seed, 1, 5),
        .stride_h = draw_index(&seed, 1, 3),
        .stride_w = draw_index(&seed, 1, 3),
        .pad_top = draw_bool() ? draw_index(&seed, 0, 6) : 0,
        .pad_left = draw_bool() ? draw_index(&seed, 0, 6) : 0,
        .act = (pn_activation)draw_index(&seed, 0, PN_ACTIVATIONS - 1),
        .slope = 0.25,
        .add = draw_bool(),
        .alone = draw_bool(),
    };
    if (draw_bool())
        v.N += draw_index(&seed, 8, 24);
    if (draw_bool())
        v.stride_h = v.stride_w = 1;
    if (draw_index(&seed, 0, 9) == 0)
        v.KH = v.KW = 1;
    const pn_index below = draw_bool() ? v.pad_top : draw_index(&seed, 0, 3);
    const pn_index right = draw_bool() ? v.pad_left : draw_index(&seed, 0, 3);
    v.OH = pn_max(0, v.H + v.pad_top + below - v.KH + v.stride_h) / v.stride_h;
    v.OW = pn_max(0, v.W + v.pad_left + right - v.KW + v.stride_w) / v.stride_w;
    return v;
}

static void conv_make(pn_dtype real, pn_conv *v, guarded *blocks, bool bias)
{
    const pn_index x = v->N * v->H * v->W * v->C, y = v->N * v->OH * v->OW * v->O, w = v->KH * v->KW * v->C * v->O;
    const pn_index sizes[CONV_BLOCKS] = { x, w, bias ? v->O : 0, y, y, x, w };
    for (int i = 0; i < CONV_BLOCKS; i++)
        blocks[i] = quarters(real, sizes[i]);
    v->x = blocks[0].p;
    v->w = blocks[1].p;
    v->bias = bias ? blocks[2].p : NULL;
    v->dy = blocks[3].p;
}

/* Runs one pass on a copy of what it writes, and returns that. */
static guarded conv_on(const pn_kernels *k, const pn_team *team, pn_conv v, const guarded *blocks, conv_pass pass)
{
    guarded out = copy_of(blocks[4 + (int)pass]);
    size_t (*bytes)(const pn_conv *) = pass == FORWARD ? k->conv_work : pass == DX ? k->conv_dx_work : k->conv_dw_work;
    guarded work = workspace(bytes(&v));
    v.work = work.p;
    v.y = v.dx = v.dw = out.p;
    (pass == FORWARD ? k->conv_forward : pass == DX ? k->conv_dx : k->conv_dw)(team, &v);
    if (pass != DW && !v.add && v.N > 1) { /* the last images once more, with the weights as they are */
        const pn_index n = draw_index(&seed, 1, v.N - 1), item = (pn_index)real_size(k->real);
        v.N -= n;
        v.x = (const char *)v.x + n * v.H * v.W * v.C * item;
        v.y = (char *)v.y + n * v.OH * v.OW * v.O * item;
        v.dy = (const char *)v.dy + n * v.OH * v.OW * v.O * item;
        v.dx = (char *)v.dx + n * v.H * v.W * v.C * item;
        v.packed = true;
        (pass == FORWARD ? k->conv_forward : k->conv_dx)(team, &v);
    }
    CHECK(guard_free(work));
    return out;
}

static bool conv_agrees(const pn_kernels *k, const crew *c, const pn_conv *v, const guarded *blocks, conv_pass pass)
{
    const pn_team alone = team_of(c, 0);
    guarded want = conv_on(naive_of(k), &alone, *v, blocks, pass), got = conv_on(k, &alone, *v, blocks, pass);
    const bool same = same_block(k->real, got, want, pass != FORWARD || is_exact(v->act) ? 0 : tolerance_of(k->real));
    harness_check(same, __FILE__, __LINE__,
                  "%s f%d: conv pass %d: %td images %td x %td x %td, kernel %td x %td, %td x %td x %td out,"
                  " strides %td %td, pads %td %td, act %d%s",
                  pn_cpu_isa_name(k->isa), (int)(8 * real_size(k->real)), (int)pass, v->N, v->H, v->W, v->C, v->KH,
                  v->KW, v->OH, v->OW, v->O, v->stride_h, v->stride_w, v->pad_top, v->pad_left, (int)v->act,
                  v->add ? ", add" : "");
    free_blocks((guarded[]){ want, got }, 2);
    return same;
}

static bool conv_case(const pn_kernels *k, const crew *c, pn_conv v)
{
    guarded blocks[CONV_BLOCKS];
    bool same = true;
    conv_make(k->real, &v, blocks, draw_bool());
    for (int pass = 0; pass < PASSES; pass++)
        same &= conv_agrees(k, c, &v, blocks, (conv_pass)pass);
    free_blocks(blocks, CONV_BLOCKS);
    return same;
}

static void drawn_convs(const pn_kernels *k, const crew *c)
{
    for (int i = 0; i < (harness_quick() ? 30 : 300); i++)
        if (!conv_case(k, c, draw_conv(i % 10 == 0 ? 24 : 9)))
            return;
}

/* Images of one channel, and few channels out of an even number: they have tiles of their own. */
static void convs_of_few_channels(const pn_kernels *k, const crew *c)
{
    static const pn_index kernels[] = { 3, 5, 5, 3, 4, 1, 2, 7 };
    for (int i = 0; i < (harness_quick() ? 30 : 300); i++) {
        pn_conv v = draw_conv(i % 4 == 0 ? 40 : 12);
        v.KH = kernels[draw_index(&seed, 0, 7)];
        v.KW = kernels[draw_index(&seed, 0, 7)];
        v.C = i % 2 ? 1 : 2 * draw_index(&seed, 1, 9);
        v.O = draw_index(&seed, 1, i % 2 ? 67 : 20);
        v.OH = pn_max(0, v.H + v.pad_top + draw_index(&seed, 0, 2) - v.KH + v.stride_h) / v.stride_h;
        v.OW = pn_max(0, v.W + v.pad_left + draw_index(&seed, 0, 2) - v.KW + v.stride_w) / v.stride_w;
        if (!conv_case(k, c, v))
            return;
    }
}

static void named_convs(const pn_kernels *k, const crew *c)
{
    static const int cases[][14] = {
        /* N, H, W, C, OH, OW, O, KH, KW, strides, pads, act */
        { 6, 28, 28, 1, 24, 24, 8, 5, 5, 1, 1, 0, 0, PN_ACT_RELU }, /* LeNet */
        { 15, 12, 12, 8, 8, 8, 16, 5, 5, 1, 1, 0, 0, PN_ACT_RELU },
        { 3, 28, 28, 1, 28, 28, 16, 5, 5, 1, 1, 2, 2, PN_ACT_NONE },
        { 2, 40, 50, 16, 40, 50, 33, 3, 3, 1, 1, 1, 1, PN_ACT_SIGMOID }, /* too large to tile across images */
        { 1, 64, 64, 3, 32, 32, 40, 7, 7, 2, 2, 3, 3, PN_ACT_LEAKY_RELU },
        { 16, 8, 8, 16, 8, 8, 16, 3, 3, 1, 1, 1, 1, PN_ACT_NONE }, /* images a power of two apart */
        { 2, 5, 4, 3, 16, 15, 5, 2, 2, 1, 1, 6, 6, PN_ACT_NONE },  /* pads beyond reach */
        { 2, 3, 2, 3, 2, 1, 5, 9, 7, 2, 3, 4, 3, PN_ACT_NONE },    /* a kernel larger than the image */
        { 20, 1, 1, 67, 1, 1, 1, 1, 1, 1, 1, 0, 0, PN_ACT_TANH },
        { 20, 1, 1, 1, 1, 1, 1, 3, 3, 1, 1, 1, 1, PN_ACT_NONE },
        { 3, 9, 9, 4, 3, 3, 3, 1, 1, 3, 3, 0, 0, PN_ACT_NONE },    /* a stride larger than the kernel */
        { 2, 6, 6, 300, 6, 6, 70, 3, 3, 1, 1, 1, 1, PN_ACT_NONE }, /* weights beyond the second cache */
        { 13, 4, 5, 64, 4, 5, 64, 3, 3, 1, 1, 1, 1, PN_ACT_NONE }, /* dW in groups and in blocks of tiles */
        { 0, 6, 6, 3, 4, 4, 7, 3, 3, 1, 1, 0, 0, PN_ACT_NONE },
        { 5, 6, 6, 3, 0, 4, 7, 9, 3, 1, 1, 0, 0, PN_ACT_NONE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int add = 0; add < 2; add++) {
            const int *t = cases[i];
            if (harness_quick() && t[0] * t[3] * t[4] * t[5] * t[6] * t[7] * t[8] > 1000000)
                continue;
            conv_case(k, c,
                      (pn_conv){ .N = t[0],
                                 .H = t[1],
                                 .W = t[2],
                                 .C = t[3],
                                 .OH = t[4],
                                 .OW = t[5],
                                 .O = t[6],
                                 .KH = t[7],
                                 .KW = t[8],
                                 .stride_h = t[9],
                                 .stride_w = t[10],
                                 .pad_top = t[11],
                                 .pad_left = t[12],
                                 .act = (pn_activation)t[13],
                                 .slope = 0.25,
                                 .add = add });
        }
}

static void convs_of_infinities(const pn_kernels *k, const crew *c)
{
    static const double odd[] = { INFINITY, -INFINITY, NAN };
    for (int i = 0; i < (harness_quick() ? 10 : 100); i++) {
        pn_conv v = draw_conv(9);
        if (i % 4 == 0)
            v.C = 1;
        guarded blocks[CONV_BLOCKS];
        conv_make(k->real, &v, blocks, false);
        for (int b = 0; b < 4; b++)
            if (blocks[b].bytes > 0)
                set_real(k->real, blocks[b].p,
                         draw_index(&seed, 0, (pn_index)(blocks[b].bytes / real_size(k->real)) - 1), odd[(i + b) % 3]);
        for (int pass = 0; pass < PASSES; pass++)
            conv_agrees(k, c, &v, blocks, (conv_pass)pass);
        free_blocks(blocks, CONV_BLOCKS);
    }
}

static void convs_by_threads(const pn_kernels *k, const crew *c)
{
    static const pn_index sizes[][7] = {
        /* N, H, C, O, K, stride, pad */
        { 32, 12, 8, 16, 5, 1, 0 },  { 16, 28, 1, 8, 5, 1, 2 }, { 3, 40, 16, 33, 3, 2, 1 },
        { 5, 7, 130, 130, 3, 1, 1 }, { 1, 50, 5, 17, 3, 1, 1 }, { 9, 14, 32, 40, 1, 1, 0 },
        { 32, 26, 1, 40, 3, 1, 0 },  { 30, 13, 6, 5, 3, 1, 1 }, { 20, 8, 64, 64, 3, 1, 1 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const pn_index H = sizes[i][1], K = sizes[i][4], s = sizes[i][5], pad = sizes[i][6];
        const pn_index OH = (H + 2 * pad - K) / s + 1;
        pn_conv v = { .N = sizes[i][0],
                      .H = H,
                      .W = H,
                      .C = sizes[i][2],
                      .O = sizes[i][3],
                      .OH = OH,
                      .OW = OH,
                      .KH = K,
                      .KW = K,
                      .stride_h = s,
                      .stride_w = s,
                      .pad_top = pad,
                      .pad_left = pad,
                      .add = i & 1 };
        guarded blocks[CONV_BLOCKS], got[3];
        conv_make(k->real, &v, blocks, true);
        for (int b = 0; b < 4; b++)
            fill_reals(k->real, blocks[b].p, (pn_index)(blocks[b].bytes / real_size(k->real)), &seed, -1, 1);
        for (int pass = 0; pass < PASSES; pass++) {
            for (int n = 0; n < 3; n++) {
                const pn_team team = team_of(c, n);
                got[n] = conv_on(k, &team, v, blocks, (conv_pass)pass);
                CHECK(memcmp(got[n].p, got[0].p, got[0].bytes) == 0);
            }
            free_blocks(got, 3);
        }
        free_blocks(blocks, CONV_BLOCKS);
    }
}

TEST(conv_agrees_on_drawn_shapes) { each_table(drawn_convs); }
TEST(conv_agrees_on_few_channels) { each_table(convs_of_few_channels); }
TEST(conv_agrees_on_named_shapes) { each_table(named_convs); }
TEST(conv_propagates_infinities_and_nan) { each_table(convs_of_infinities); }
TEST(conv_has_the_same_bits_for_any_number_of_threads) { each_table(convs_by_threads); }

/* Large work is shared: otherwise the tests of threads above would compare one thread with itself.  A worker that the
 * system wakes late finds nothing left, so this goes on until it has happened. */
TEST(products_and_convolutions_are_shared_among_threads)
{
    crew c = crew_new();
    seed = harness.seed;
    const pn_kernels *k = pn_kernels_for(pn_cpu_best_isa(), PN_FLOAT32);
    const double end = harness_seconds() + 30;
    bool shared = false;
    while (!shared && harness_seconds() < end) {
        gemms_by_threads(k, &c);
        convs_by_threads(k, &c);
        shared = true;
        for (int i = 0; i < 2; i++)
            shared = shared && pn_pool_read_counts(c.pools[i], PN_REGION_GEMM).shared > 0 &&
                     pn_pool_read_counts(c.pools[i], PN_REGION_CONV).shared > 0;
    }
    CHECK(shared);
    crew_free(&c);
}

TESTS(gemm_agrees_on_all_small_sizes, gemm_agrees_on_drawn_sizes_and_layouts, gemm_agrees_on_long_and_wide_products,
      gemm_is_close_on_reals, gemm_propagates_infinities_and_nan, gemm_has_the_same_bits_for_any_number_of_threads,
      conv_agrees_on_drawn_shapes, conv_agrees_on_few_channels, conv_agrees_on_named_shapes,
      conv_propagates_infinities_and_nan, conv_has_the_same_bits_for_any_number_of_threads,
      products_and_convolutions_are_shared_among_threads)
