/* test_image.c -- dropout, random fills, gather and moments of every instruction set against twin and theory. */
#include "crew.h"

/* ---- dropout ----------------------------------------------------------------------------------------------------- */

static const double RATES[] = { 0, 0.1, 0.5, 0.9, 1 - 0x1p-32, 1 };

static void dropout_shapes(crew *c, const pn_kernels *k)
{
    const pn_index shapes[][2] = { { 1, 1 },  { 3, 0 },  { 5, 3 },   { 4, 10 },   { 3, 63 },
                                   { 2, 64 }, { 2, 65 }, { 7, 131 }, { 1, 40003 } };
    const pn_team team = crew_team(c, 0);
    for (int i = 0; i < 9 * 6 * 4; i++) {
        const int64_t numbers[] = { 7, 1, 7, 1ll << 40, 0, 3, 2 };
        pn_dropout d = { .rows = shapes[i % 9][0],
                         .len = shapes[i % 9][1],
                         .rate = RATES[i / 9 % 6],
                         .step = (uint32_t)i,
                         .samples = i / 54 % 2 ? numbers : NULL,
                         .first = 1000,
                         .key = pn_rng_key(3, 4),
                         .add = i / 108 };
        guarded x = draw_reals(c, k->real, d.rows * d.len, -2, 2), want = draw_reals(c, k->real, d.rows * d.len, -2, 2);
        guarded got = clone(c, want, real_size(k->real));
        d.x = x.p;
        d.y = want.p;
        naive_of(k)->dropout(&team, &d);
        d.y = got.p;
        k->dropout(&team, &d);
        harness_check(same_bits(got, want), __FILE__, __LINE__, "%s: (%td, %td), rate %g, add %d", table_name(k),
                      d.rows, d.len, d.rate, d.add);
        release(x);
        release(want);
        release(got);
    }
}

TEST(dropout_is_its_twin_bit_for_bit) { each_table(dropout_shapes); }

/* Which elements stay, as 0 and 1. */
static void kept(crew *c, const pn_kernels *k, int team_number, uint64_t stream, uint32_t step, int64_t first,
                 double rate, pn_index rows, pn_index len, double *out)
{
    const pn_team team = crew_team(c, team_number);
    guarded x = draw_reals(c, k->real, rows * len, 1, 1), y = clone(c, x, real_size(k->real));
    k->dropout(&team, &(pn_dropout){ .rows = rows,
                                     .len = len,
                                     .first = first,
                                     .key = pn_rng_key(1, stream),
                                     .step = step,
                                     .rate = rate,
                                     .x = x.p,
                                     .y = y.p });
    for (pn_index i = 0; i < rows * len; i++)
        out[i] = get_real(k->real, y.p, i) != 0;
    release(x);
    release(y);
}

/* The fraction kept is 1 - rate within 5 deviations, and so is agreement with another stream, step or sample. */
static void dropout_fractions(crew *c, const pn_kernels *k)
{
    enum { ROWS = 100, LEN = 500, N = ROWS * LEN };
    static double masks[5][N];
    for (int r = 1; r < 4; r++) {
        const double keep = 1 - RATES[r], same = keep * keep + (1 - keep) * (1 - keep);
        kept(c, k, 0, 10, 5, 0, RATES[r], ROWS, LEN, masks[0]);
        kept(c, k, 2, 10, 5, 0, RATES[r], ROWS, LEN, masks[1]);
        kept(c, k, 0, 11, 5, 0, RATES[r], ROWS, LEN, masks[2]);
        kept(c, k, 0, 10, 6, 0, RATES[r], ROWS, LEN, masks[3]);
        kept(c, k, 0, 10, 5, ROWS, RATES[r], ROWS, LEN, masks[4]);
        CHECK(memcmp(masks[0], masks[1], sizeof masks[0]) == 0);
        for (int m = 0; m < 5; m++) {
            double count = 0, agree = 0;
            for (int i = 0; i < N; i++) {
                count += masks[m][i];
                agree += masks[m][i] == masks[0][i];
            }
            CHECK_CLOSE(count / N, keep, 5 * sqrt(keep * (1 - keep) / N));
            if (m > 1)
                CHECK_CLOSE(agree / N, same, 5 * sqrt(same * (1 - same) / N));
        }
    }
}

TEST(dropout_keeps_the_right_fraction_and_masks_are_independent) { each_table(dropout_fractions); }

/* A row of a batch is masked as the same sample alone. */
static void dropout_by_sample(crew *c, const pn_kernels *k)
{
    double batch[4 * 77], alone[77];
    kept(c, k, 0, 1, 2, 20, 0.4, 4, 77, batch);
    kept(c, k, 0, 1, 2, 22, 0.4, 1, 77, alone);
    CHECK(memcmp(batch + 2 * 77, alone, sizeof alone) == 0);
}

TEST(a_sample_keeps_its_mask_in_any_batch) { each_table(dropout_by_sample); }

/* ---- random fills ------------------------------------------------------------------------------------------------ */

static void random_sizes(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    for (int f = 0; f < 3; f++)
        for (int i = 0; i < SIZES; i++) {
            pn_random r = { .f = (pn_random_f)f,
                            .n = pn_min(size_number(i), 2000),
                            .a = -0.25,
                            .b = 1.5,
                            .key = pn_rng_key(1, (uint64_t)i) };
            guarded want = draw_reals(c, k->real, r.n, 0, 0), got = clone(c, want, real_size(k->real));
            r.y = want.p;
            naive_of(k)->random(&team, &r);
            r.y = got.p;
            k->random(&team, &r);
            check_near(k, "random", got, want, 32 * rounding(k), 1);
            release(want);
            release(got);
        }
}

TEST(random_fills_match_their_twins) { each_table(random_sizes); }

typedef struct shape_of {
    double mean, deviation, skew, kurtosis, low, high;
} shape_of;

static shape_of describe(pn_dtype real, const void *y, pn_index n)
{
    shape_of s = { .low = HUGE_VAL, .high = -HUGE_VAL };
    double sums[5] = { 0 };
    for (pn_index i = 0; i < n; i++)
        s.mean += get_real(real, y, i) / (double)n;
    for (pn_index i = 0; i < n; i++) {
        const double v = get_real(real, y, i), d = v - s.mean;
        s.low = fmin(s.low, v);
        s.high = fmax(s.high, v);
        sums[2] += d * d / (double)n;
        sums[3] += d * d * d / (double)n;
        sums[4] += d * d * d * d / (double)n;
    }
    s.deviation = sqrt(sums[2]);
    s.skew = sums[3] / (s.deviation * sums[2]);
    s.kurtosis = sums[4] / (sums[2] * sums[2]);
    return s;
}

/* Moments of 400,000 numbers within 5 deviations of the theory's; the same bits for all teams. */
static void random_moments(crew *c, const pn_kernels *k)
{
    /* Of a normal cut at 2 deviations: variance 1 - 4 phi(2) / erf(sqrt 2), fourth moment from the same integrals. */
    const double phi2 = exp(-2) / sqrt(2 * acos(-1)), inside = erf(sqrt(2)), cut = 1 - 4 * phi2 / inside;
    const double fourth = 3 - (2 * 2 * 2 * 2 + 3 * 2 * 2) * phi2 / inside;
    const struct {
        pn_random_f f;
        double a, b, mean, deviation, kurtosis, low, high;
    } cases[] = {
        { PN_RANDOM_UNIFORM, -2, 5, 1.5, 7 / sqrt(12), 1.8, -2, 5 },
        { PN_RANDOM_NORMAL, 0.5, 3, 0.5, 3, 3, -HUGE_VAL, HUGE_VAL },
        { PN_RANDOM_TRUNCATED, 0.5, 3, 0.5, 3 * sqrt(cut), fourth / (cut * cut), 0.5 - 6, 0.5 + 6 },
    };
    enum { N = 400000 };
    for (int i = 0; i < 3; i++) {
        guarded first = draw_reals(c, k->real, N, 0, 0);
        for (int t = 0; t < CREW_TEAMS; t++) {
            const pn_team team = crew_team(c, t);
            guarded y = t == 0 ? first : draw_reals(c, k->real, N, 0, 0);
            k->random(
                &team,
                &(pn_random){
                    .f = cases[i].f, .n = N, .a = cases[i].a, .b = cases[i].b, .key = pn_rng_key(9, 9), .y = y.p });
            CHECK(same_bits(first, y));
            if (t > 0)
                release(y);
        }
        const shape_of s = describe(k->real, first.p, N);
        const double unit = cases[i].deviation / sqrt(N);
        CHECK_CLOSE(s.mean, cases[i].mean, 5 * unit);
        CHECK_CLOSE(s.deviation, cases[i].deviation, 5 * unit * sqrt((cases[i].kurtosis - 1) / 4));
        CHECK_CLOSE(s.skew, 0, 5 * sqrt(15.0 / N));
        CHECK_CLOSE(s.kurtosis, cases[i].kurtosis, 5 * sqrt(96.0 / N));
        CHECK(s.low >= cases[i].low &&
              (cases[i].f == PN_RANDOM_UNIFORM ? s.high < cases[i].high : s.high <= cases[i].high));
        release(first);
    }
}

TEST(random_fills_have_the_moments_they_should) { each_table(random_moments); }

/* Rounding never reaches the open end, and a range of one number gives that number. */
static void uniform_ends(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    const double ranges[][2] = { { 1, 1 + 4 * rounding(k) }, { 1e6, 1e6 + 0.25 }, { -1, 0 }, { 2, 2 } };
    enum { N = 5000 };
    for (int i = 0; i < 4; i++) {
        guarded y = draw_reals(c, k->real, N, 0, 0);
        k->random(&team, &(pn_random){ .f = PN_RANDOM_UNIFORM,
                                       .n = N,
                                       .a = ranges[i][0],
                                       .b = ranges[i][1],
                                       .key = pn_rng_key(2, 2),
                                       .y = y.p });
        for (int j = 0; j < N; j++) {
            const double v = get_real(k->real, y.p, j);
            CHECK(v >= ranges[i][0] && (v < ranges[i][1] || (v == ranges[i][0] && i == 3)));
        }
        release(y);
    }
}

TEST(uniform_numbers_stay_below_the_open_end) { each_table(uniform_ends); }

/* ---- gather ------------------------------------------------------------------------------------------------------ */

static guarded draw_source(crew *c, pn_dtype from, pn_index n)
{
    return from == PN_UINT8 ? draw_bytes(c, n, 255) : draw_reals(c, from, n, -3, 3);
}

static void gather_shapes(crew *c, const pn_kernels *k)
{
    const pn_index shapes[][2] = { { 1, 1 },  { 3, 3 },   { 67, 1 },      { 784, 1 },   { 30, 3 }, { 3072, 3 },
                                   { 60, 5 }, { 40, 40 }, { 2600, 1300 }, { 40002, 3 }, { 0, 1 },  { 10, 4 } };
    const pn_dtype kinds[] = { PN_UINT8, PN_FLOAT32, PN_FLOAT64 };
    enum { ROWS = 9, HELD = 6 };
    for (int i = 0; i < 12 * 3 * 2; i++) {
        int64_t index[ROWS];
        pn_gather g = { .from = kinds[i / 12 % 3],
                        .rows = ROWS,
                        .len = shapes[i % 12][0],
                        .channels = shapes[i % 12][1],
                        .index = index };
        guarded x = draw_source(c, g.from, HELD * g.len), want = draw_reals(c, k->real, ROWS * g.len, 0, 0);
        guarded mean = draw_reals(c, k->real, g.channels, -1, 100), scale = draw_reals(c, k->real, g.channels, 0, 0.1);
        for (int r = 0; r < ROWS; r++)
            index[r] = draw_index(&c->seed, 0, HELD - 1);
        g.x = x.p;
        g.mean = i < 36 ? mean.p : NULL;
        g.scale = i < 36 ? scale.p : NULL;
        g.y = want.p;
        const pn_team alone = crew_team(c, 0);
        naive_of(k)->gather(&alone, &g);
        for (int t = 0; t < CREW_TEAMS; t++) {
            const pn_team team = crew_team(c, t);
            guarded got = draw_reals(c, k->real, ROWS * g.len, 0, 0);
            g.y = got.p;
            k->gather(&team, &g);
            check_near(k, "gather", got, want, 2 * rounding(k), 1);
            release(got);
        }
        release(x);
        release(want);
        release(mean);
        release(scale);
    }
}

TEST(gathered_rows_match_their_twin) { each_table(gather_shapes); }

/* ---- moments ----------------------------------------------------------------------------------------------------- */

enum { MOST_CHANNELS = 20000 };

static void check_moments(crew *c, const pn_kernels *k, pn_moments m)
{
    static double want[2][MOST_CHANNELS], got[2][MOST_CHANNELS];
    guarded work = guard_new(k->moments_work(&m), 0);
    const pn_team alone = crew_team(c, 0);
    m.mean = want[0];
    m.deviation = want[1];
    naive_of(k)->moments(&alone, &m);
    m.mean = got[0];
    m.deviation = got[1];
    m.work = work.p;
    for (int t = 0; t < CREW_TEAMS; t++) {
        const pn_team team = crew_team(c, t);
        memset(got, 0xFF, sizeof got);
        k->moments(&team, &m);
        for (pn_index j = 0; j < m.channels; j++) {
            CHECK_CLOSE(got[0][j], want[0][j], 1e-12 * (1 + fabs(want[0][j])));
            CHECK_CLOSE(got[1][j], want[1][j], 1e-11 * want[1][j]);
        }
    }
    release(work);
}

static void moments_shapes(crew *c, const pn_kernels *k)
{
    const pn_index shapes[][2] = { { 1, 1 },     { 2, 3 },     { 1000, 1 }, { 70000, 1 },        { 300000, 1 },
                                   { 50001, 3 }, { 3000, 64 }, { 5, 2 },    { 9, MOST_CHANNELS } };
    const pn_dtype kinds[] = { PN_UINT8, PN_FLOAT32, PN_FLOAT64 };
    for (int i = 0; i < 9 * 3; i++) {
        pn_moments m = { .from = kinds[i / 9], .n = shapes[i % 9][0], .channels = shapes[i % 9][1] };
        guarded x = draw_source(c, m.from, m.n * m.channels);
        m.x = x.p;
        check_moments(c, k, m);
        release(x);
    }
}

TEST(means_and_deviations_match_their_twin) { each_table(moments_shapes); }

/* 255 in every pixel; numbers that double cannot sum exactly; a small spread far from 0. */
static void constant_moments(crew *c, const pn_kernels *k)
{
    enum { N = 200002 };
    const pn_team team = crew_team(c, 0);
    guarded bytes = draw_bytes(c, N, 0), reals = draw_reals(c, PN_FLOAT64, N, 0.1, 0.1);
    double mean, deviation;
    pn_moments m = { .from = PN_UINT8, .n = N, .channels = 1, .x = bytes.p, .mean = &mean, .deviation = &deviation };
    guarded work = guard_new(k->moments_work(&m), 0);
    m.work = work.p;
    memset(bytes.p, 255, N);
    k->moments(&team, &m);
    CHECK(mean == 255 && deviation == 0);
    m.from = PN_FLOAT64;
    m.x = reals.p;
    k->moments(&team, &m);
    CHECK(mean == 0.1 && deviation == 0);
    for (int i = 0; i < N; i++)
        ((double *)reals.p)[i] = 1e9 + i % 2;
    k->moments(&team, &m);
    CHECK_CLOSE(mean, 1e9 + 0.5, 1e-6);
    CHECK_CLOSE(deviation, 0.5, 1e-12);
    release(work);
    release(bytes);
    release(reals);
}

TEST(a_constant_has_deviation_0) { each_table(constant_moments); }

TESTS(dropout_is_its_twin_bit_for_bit, dropout_keeps_the_right_fraction_and_masks_are_independent,
      a_sample_keeps_its_mask_in_any_batch, random_fills_match_their_twins, random_fills_have_the_moments_they_should,
      uniform_numbers_stay_below_the_open_end, gathered_rows_match_their_twin, means_and_deviations_match_their_twin,
      a_constant_has_deviation_0)
