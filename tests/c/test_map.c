/* test_map.c -- elementwise kernels and strided copies of every instruction set against the naive twin. */
#include "crew.h"

static const char *const UNARY_NAMES[] = {
#define UNARY(name, ...) #name,
#include "kernels/elementwise.def"
};
static const char *const BINARY_NAMES[] = {
#define BINARY(name, ...) #name,
#include "kernels/elementwise.def"
};
static const char *const COMPARE_NAMES[] = {
#define COMPARE(name, ...) #name,
#include "kernels/elementwise.def"
};

static const int UNARY_READS[] = {
/* for the gradient */
#define UNARY(name, doc, ns, value, back_ns, reads, ...) PN_READS_##reads,
#include "kernels/elementwise.def"
};
static const int BINARY_READS[][2] = {
#define BINARY(name, doc, ns, value, a_ns, a_reads, da, b_ns, b_reads, db) { PN_READS_##a_reads, PN_READS_##b_reads },
#include "kernels/elementwise.def"
};

/* A few roundings: the twin computes in double where the kernel has its own function (bounds: test_vmath.c). */
static double tolerance(const pn_kernels *k) { return 16 * rounding(k); }

/* ---- unary ------------------------------------------------------------------------------------------------------- */

/* The row's, but for functions that have several forms. */
static void set_parameters(pn_unary *u, int turn)
{
    static const double exponents[] = { 2, 3, 0.5, -1, 1.7, 0, 1, -2, -0.5 };
    set_usual(u);
    if (u->f == PN_U_pow)
        u->p[0] = exponents[turn % 9];
    if (u->f == PN_U_gelu)
        u->p[0] = turn % 2;
}

/* x in place: forward, then backward from the twin's y, written and added. */
static void check_unary(crew *c, const pn_kernels *k, pn_unary u, guarded x)
{
    const pn_team team = crew_team(c, 0);
    const size_t size = real_size(k->real);
    guarded want = clone(c, x, size), got = clone(c, x, size);
    u.x = x.p;
    u.y = want.p;
    naive_of(k)->unary_forward(&team, &u);
    u.y = got.p;
    k->unary_forward(&team, &u);
    check_near(k, UNARY_NAMES[u.f], got, want, tolerance(k), 1e-3);

    guarded dy = draw_reals(c, k->real, u.n, -2, 2), start = draw_reals(c, k->real, u.n, -2, 2);
    u.y = want.p;
    u.dy = dy.p;
    for (int add = 0; add < 2; add++) {
        guarded twin = clone(c, start, size), dx = clone(c, start, size);
        u.add = add;
        u.dx = twin.p;
        naive_of(k)->unary_backward(&team, &u);
        u.dx = dx.p;
        k->unary_backward(&team, &u);
        check_near(k, UNARY_NAMES[u.f], dx, twin, 4 * tolerance(k), 0.1);
        release(twin);
        release(dx);
    }
    release(want);
    release(got);
    release(dy);
    release(start);
}

static void unary_sizes(crew *c, const pn_kernels *k)
{
    for (int f = 0; f < PN_UNARIES; f++)
        for (int i = 0; i < SIZES; i++) {
            pn_unary u = { .f = (pn_unary_f)f, .n = size_number(i) };
            const bool positive = f == PN_U_log || f == PN_U_sqrt || f == PN_U_pow;
            set_parameters(&u, i);
            guarded x = draw_reals(c, k->real, u.n, positive ? 0.05 : -4, 4);
            check_unary(c, k, u, x);
            release(x);
        }
}

TEST(unary_functions_match_their_twins) { each_table(unary_sizes); }

/* Zeros, infinities, NaN, the greatest and the smallest numbers, in every lane. */
static void unary_specials(crew *c, const pn_kernels *k)
{
    const bool single = k->real == PN_FLOAT32;
    const double most = single ? 0x1.fffffep127 : 0x1.fffffffffffffp1023, least = single ? 0x1p-126 : 0x1p-1022;
    const double specials[] = { 0,     -0.0,  1,      -1,        INFINITY, -INFINITY, NAN, most,
                                -most, least, -least, least / 8, 0.5,      2,         -3 };
    enum { N = 15, COPIES = 15 };
    for (int f = 0; f < PN_UNARIES; f++)
        for (int turn = 0; turn < 9; turn++) {
            pn_unary u = { .f = (pn_unary_f)f, .n = N * COPIES };
            set_parameters(&u, turn);
            guarded x = guard_new(N * COPIES * real_size(k->real), draw_shift(c, real_size(k->real)));
            for (int i = 0; i < N * COPIES; i++)
                set_real(k->real, x.p, i, specials[(i + i / N) % N]);
            check_unary(c, k, u, x);
            release(x);
        }
}

TEST(unary_functions_meet_infinities_and_nan_as_their_twins) { each_table(unary_specials); }

/* Zeros have signs, and those are the C library's, which the twin calls: tanh(0) is 0, tanh(-0) is -0. */
static void unary_zeros(crew *c, const pn_kernels *k)
{
    const double zeros[] = { 0, -0.0, 1, -1, INFINITY, -INFINITY };
    enum { N = 6 };
    const pn_team team = crew_team(c, 0);
    for (int f = 0; f < PN_UNARIES; f++) {
        double x[N], got[N], want[N];
        for (int i = 0; i < N; i++)
            set_real(k->real, x, i, zeros[i]);
        pn_unary u = { .f = (pn_unary_f)f, .n = N, .x = x, .y = want };
        set_parameters(&u, 1);
        naive_of(k)->unary_forward(&team, &u);
        u.y = got;
        k->unary_forward(&team, &u);
        for (int i = 0; i < N; i++)
            if (get_real(k->real, want, i) == 0)
                harness_check(!signbit(get_real(k->real, got, i)) == !signbit(get_real(k->real, want, i)), __FILE__,
                              __LINE__, "%s: %s(%g) is %g", table_name(k), UNARY_NAMES[f], zeros[i],
                              get_real(k->real, got, i));
    }
}

TEST(zeros_have_their_signs) { each_table(unary_zeros); }

/* A gradient that depends on what is NaN is NaN, not 0: so that none is hidden. */
static void unary_nans(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    double nan, one, dx;
    set_real(k->real, &nan, 0, NAN);
    set_real(k->real, &one, 0, 1);
    for (int f = 0; f < PN_UNARIES; f++) {
        pn_unary u = { .f = (pn_unary_f)f, .n = 1, .x = &nan, .y = &nan, .dy = &one, .dx = &dx };
        set_parameters(&u, 4);
        k->unary_backward(&team, &u);
        harness_check(isnan(get_real(k->real, &dx, 0)) || UNARY_READS[f] == 0, __FILE__, __LINE__,
                      "%s: the gradient of %s is %g at NaN", table_name(k), UNARY_NAMES[f], get_real(k->real, &dx, 0));
    }
    for (int f = 0; f < PN_BINARIES; f++)
        for (int i = 0; i < 2; i++)
            for (int read = PN_READS_A; read <= PN_READS_Y; read *= 2) {
                const pn_binary u = { .f = (pn_binary_f)f,
                                      .n = 1,
                                      .na = 1,
                                      .nb = 1,
                                      .a = read == PN_READS_A ? &nan : &one,
                                      .b = read == PN_READS_B ? &nan : &one,
                                      .y = read == PN_READS_Y ? &nan : &one,
                                      .dy = &one,
                                      .d = &dx };
                (i == 0 ? k->binary_da : k->binary_db)(&team, &u);
                harness_check(isnan(get_real(k->real, &dx, 0)) || !(BINARY_READS[f][i] & read), __FILE__, __LINE__,
                              "%s: the gradient of %s at NaN", table_name(k), BINARY_NAMES[f]);
            }
}

TEST(gradients_at_nan_are_nan) { each_table(unary_nans); }

/* ---- binary and compare ------------------------------------------------------------------------------------------ */

typedef struct periods {
    pn_index n, na, nb, nc;
} periods;

static const periods PERIODS[] = {
    { 0, 1, 1, 1 },
    { 1, 1, 1, 1 },
    { 24, 24, 24, 24 },
    { 24, 1, 24, 1 },
    { 67, 67, 1, 67 },
    { 67, 1, 1, 67 },
    { 96, 6, 4, 3 },
    { 640, 640, 10, 64 },
    { 5000, 5, 5000, 25 },
    { 9009, 9009, 3, 1 },
    { 9009, 7, 9, 1001 },
    { 12288, 12288, 4096, 3 },
    { 15000, 3000, 15000, 2500 },
    { 20002, 2, 10001, 20002 },
    { 4097, 4097, 4097, 4097 },
};
enum { N_PERIODS = sizeof PERIODS / sizeof PERIODS[0] };

/* Small integers, so that operands are often equal, and sometimes NaN or infinite; never 0. */
static guarded draw_operand(crew *c, pn_dtype real, pn_index n, bool special)
{
    guarded g = draw_reals(c, real, n, 0.5, 3);
    for (pn_index i = 0; i < n; i++) {
        const int kind = (int)draw_index(&c->seed, 0, 40);
        if (kind < 16)
            set_real(real, g.p, i, kind < 8 ? kind - 9 : kind - 6);
        else if (special && kind < 20)
            set_real(real, g.p, i, kind == 16 ? NAN : kind == 17 ? INFINITY : kind == 18 ? -INFINITY : 0);
    }
    return g;
}

static void check_binary_gradient(crew *c, const pn_kernels *k, pn_binary u, bool of_a, guarded dy)
{
    const pn_team team = crew_team(c, 0);
    guarded start = draw_reals(c, k->real, u.n, -1, 1);
    u.dy = dy.p;
    for (int add = 0; add < 2; add++) {
        guarded want = clone(c, start, real_size(k->real)), got = clone(c, start, real_size(k->real));
        const pn_kernels *const tables[] = { naive_of(k), k };
        u.add = add;
        for (int i = 0; i < 2; i++) {
            u.d = i == 0 ? want.p : got.p;
            (of_a ? tables[i]->binary_da : tables[i]->binary_db)(&team, &u);
        }
        check_near(k, BINARY_NAMES[u.f], got, want, tolerance(k), 1);
        release(want);
        release(got);
    }
    release(start);
}

static void binary_periods(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    for (int f = 0; f < PN_BINARIES; f++)
        for (int i = 0; i < N_PERIODS + 67; i++) {
            const pn_index m = i - N_PERIODS;
            const periods s = i < N_PERIODS ? PERIODS[i] : (periods){ m, m, m, m };
            guarded a = draw_operand(c, k->real, s.na, i % 2), b = draw_operand(c, k->real, s.nb, i % 2);
            guarded dy = draw_reals(c, k->real, s.n, -2, 2), want = clone(c, dy, real_size(k->real));
            guarded got = clone(c, dy, real_size(k->real));
            pn_binary u = { .f = (pn_binary_f)f, .n = s.n, .na = s.na, .nb = s.nb, .a = a.p, .b = b.p, .y = want.p };
            naive_of(k)->binary_forward(&team, &u);
            u.y = got.p;
            k->binary_forward(&team, &u);
            check_near(k, BINARY_NAMES[f], got, want, 0, 0);
            check_binary_gradient(c, k, u, true, dy);
            check_binary_gradient(c, k, u, false, dy);
            release(a);
            release(b);
            release(dy);
            release(want);
            release(got);
        }
}

TEST(binary_functions_match_their_twins_at_all_periods) { each_table(binary_periods); }

static void compare_periods(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    for (int f = 0; f < PN_COMPARES; f++)
        for (int i = 0; i < N_PERIODS + 67; i++) {
            const pn_index m = i - N_PERIODS;
            const periods s = i < N_PERIODS ? PERIODS[i] : (periods){ m, m, m, m };
            guarded a = draw_operand(c, k->real, s.na, true), b = draw_operand(c, k->real, s.nb, true);
            guarded want = draw_bytes(c, s.n, 255), got = draw_bytes(c, s.n, 255);
            pn_compare u = { .f = (pn_compare_f)f, .n = s.n, .na = s.na, .nb = s.nb, .a = a.p, .b = b.p, .y = want.p };
            naive_of(k)->compare(&team, &u);
            u.y = got.p;
            k->compare(&team, &u);
            harness_check(same_bits(got, want), __FILE__, __LINE__, "%s, %s of %td", table_name(k), COMPARE_NAMES[f],
                          s.n);
            release(a);
            release(b);
            release(want);
            release(got);
        }
}

TEST(comparisons_match_their_twins_at_all_periods) { each_table(compare_periods); }

static void select_periods(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    const pn_kernels *const tables[] = { naive_of(k), k };
    for (int i = 0; i < 2 * (N_PERIODS + 67); i++) {
        const pn_index m = i / 2 - N_PERIODS;
        const periods s = i / 2 < N_PERIODS ? PERIODS[i / 2] : (periods){ m, m, m, m };
        guarded a = draw_operand(c, k->real, s.na, true), b = draw_operand(c, k->real, s.nb, true);
        guarded cond = draw_bytes(c, s.nc, 3), dy = draw_operand(c, k->real, s.n, true), got[2][3];
        guarded start = draw_reals(c, k->real, s.n, -1, 1);
        for (int t = 0; t < 2; t++) {
            pn_select u = {
                .n = s.n, .na = s.na, .nb = s.nb, .nc = s.nc, .c = cond.p, .a = a.p, .b = b.p, .dy = dy.p, .add = i % 2
            };
            for (int j = 0; j < 3; j++)
                got[t][j] = clone(c, start, real_size(k->real));
            u.y = got[t][0].p;
            tables[t]->select_forward(&team, &u);
            u.d = got[t][1].p;
            tables[t]->select_da(&team, &u);
            u.d = got[t][2].p;
            tables[t]->select_db(&team, &u);
        }
        for (int j = 0; j < 3; j++) {
            check_near(k, "select", got[1][j], got[0][j], 0, 0);
            release(got[0][j]);
            release(got[1][j]);
        }
        release(start);
        release(a);
        release(b);
        release(cond);
        release(dy);
    }
}

TEST(select_matches_its_twin_at_all_periods) { each_table(select_periods); }

/* ---- act_backward, axpy, fill ------------------------------------------------------------------------------------ */

static void act_sizes(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    for (int act = 0; act < PN_ACTIVATIONS; act++)
        for (int i = 0; i < 2 * SIZES; i++) {
            pn_act u = { .act = (pn_activation)act, .slope = 0.2, .n = size_number(i / 2) };
            guarded dy = draw_reals(c, k->real, u.n, -2, 2), y = draw_reals(c, k->real, u.n, -1, 1);
            guarded want = clone(c, dy, real_size(k->real)), got = clone(c, dy, real_size(k->real));
            u.dy = dy.p;
            u.y = y.p;
            u.dz = want.p;
            naive_of(k)->act_backward(&team, &u);
            u.dz = got.p;
            if (i % 2)
                u.dy = got.p; /* in place */
            k->act_backward(&team, &u);
            check_near(k, "act_backward", got, want, tolerance(k), 1);
            release(dy);
            release(y);
            release(want);
            release(got);
        }
}

TEST(act_backward_matches_its_twin_also_in_place) { each_table(act_sizes); }

/* One activation over rows of C: with sums written or added, and where dz lies over dy. */
static void act_sum_of(crew *c, const pn_kernels *k, pn_activation act, pn_index rows, pn_index C, int i)
{
    pn_act u = { .act = act, .slope = 0.2, .n = rows * C, .C = C, .add = i % 2 };
    guarded dy = draw_reals(c, k->real, u.n, -2, 2), y = draw_reals(c, k->real, u.n, -1, 1);
    guarded want = clone(c, dy, real_size(k->real)), got = clone(c, dy, real_size(k->real));
    guarded sums = draw_reals(c, k->real, C, -1, 1), got_sums = clone(c, sums, real_size(k->real));
    guarded work = guard_new(k->act_work(&u), 0);
    const pn_team alone = crew_team(c, 0), all = crew_team(c, i % CREW_TEAMS);
    u.dy = dy.p, u.y = y.p, u.dz = want.p, u.sums = sums.p;
    naive_of(k)->act_sum(&alone, &u);
    u.dz = got.p, u.sums = got_sums.p, u.work = work.p;
    if (act == PN_ACT_RELU && i / 2 % 2)
        u.dy = got.p; /* in place */
    k->act_sum(&all, &u);
    check_near(k, "act_sum", got, want, tolerance(k), 1);
    check_near(k, "act_sum sums", got_sums, sums, tolerance(k), 1 + (double)rows);
    guarded *const all_blocks[] = { &dy, &y, &want, &got, &sums, &got_sums, &work };
    for (int b = 0; b < 7; b++)
        release(*all_blocks[b]);
}

static void act_sums(crew *c, const pn_kernels *k)
{
    static const pn_index rows[] = { 0, 1, 3, 17, 64, 700 }, columns[] = { 1, 3, 8, 10, 16, 33, 1030 };
    for (int act = 0; act < PN_ACTIVATIONS; act++)
        for (int r = 0; r < 6; r++)
            for (int i = 0; i < 7 * 4; i++)
                act_sum_of(c, k, (pn_activation)act, rows[r], columns[i / 4], i);
}

TEST(act_sum_matches_its_twin_also_in_place) { each_table(act_sums); }

static void axpy_sizes(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    for (int i = 0; i < 2 * SIZES; i++) {
        pn_axpy u = { .n = size_number(i / 2), .a = 1.5, .add = i % 2 };
        guarded x = draw_reals(c, k->real, u.n, -2, 2), want = draw_reals(c, k->real, u.n, -2, 2);
        guarded got = clone(c, want, real_size(k->real));
        u.x = x.p;
        u.y = want.p;
        naive_of(k)->axpy(&team, &u);
        u.y = got.p;
        k->axpy(&team, &u);
        check_near(k, "axpy", got, want, 2 * rounding(k), 2);
        k->fill(&team, &(pn_fill){ .n = u.n, .value = -0.75, .y = got.p });
        for (pn_index j = 0; j < u.n; j++)
            CHECK(get_real(k->real, got.p, j) == -0.75);
        release(x);
        release(want);
        release(got);
    }
}

TEST(axpy_and_fill_match_their_twins) { each_table(axpy_sizes); }

/* ---- copy -------------------------------------------------------------------------------------------------------- */

/* A drawn copy: axes in any order on either side, with gaps, repeats (source stride 0) and reversals. */
static pn_copy draw_copy(crew *c, int item, pn_index *dst_items, pn_index *src_items, pn_index *src_start)
{
    static const pn_index extents[] = { 1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 64, 100, 700 };
    pn_copy a = { .ndim = (int)draw_index(&c->seed, 0, 5), .item = item };
    pn_index room = 40000, order[2][PN_MAX_DIMS];
    for (int d = 0; d < a.ndim; d++) {
        a.shape[d] = extents[draw_index(&c->seed, 0, 13)];
        a.shape[d] = pn_min(a.shape[d], room);
        room = pn_max(1, room / a.shape[d]);
        order[0][d] = order[1][d] = d;
    }
    for (int side = 0; side < 2; side++)
        for (int d = a.ndim - 1; d > 0 && draw_index(&c->seed, 0, 2) > 0; d--) {
            const pn_index other = draw_index(&c->seed, 0, d), was = order[side][d];
            order[side][d] = order[side][other];
            order[side][other] = was;
        }
    *dst_items = *src_items = 1;
    *src_start = 0;
    for (int d = a.ndim - 1; d >= 0; d--) {
        const pn_index to = order[0][d], from = order[1][d];
        a.dst_stride[to] = *dst_items;
        *dst_items = *dst_items * a.shape[to] + (draw_index(&c->seed, 0, 5) == 0 ? 3 : 0);
        const int kind = (int)draw_index(&c->seed, 0, 9);
        a.src_stride[from] = kind == 0 ? 0 : kind == 1 ? 2 * *src_items : *src_items;
        const pn_index reach = a.src_stride[from] * (a.shape[from] - 1);
        *src_items += reach;
        if (kind == 2) {
            *src_start += reach;
            a.src_stride[from] = -a.src_stride[from];
        }
    }
    return a;
}

static void copy_cases(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    const pn_kernels *const tables[] = { naive_of(k), k };
    const int size = (int)real_size(k->real);
    for (int i = 0; i < (harness_quick() ? 200 : 1500); i++) {
        const bool add = i % 3 == 0;
        pn_index to, from, start;
        pn_copy a = draw_copy(c, add || i % 3 == 1 ? size : i % 2 ? 1 : 8, &to, &from, &start);
        guarded src = guard_new((size_t)(from * a.item), draw_shift(c, (size_t)a.item));
        guarded base = guard_new((size_t)(to * a.item), 0), got[2];
        for (size_t j = 0; j < src.bytes; j++)
            ((uint8_t *)src.p)[j] = (uint8_t)draw(&c->seed);
        if (add) {
            fill_reals(k->real, src.p, from, &c->seed, -1, 1);
            fill_reals(k->real, base.p, to, &c->seed, -1, 1);
        }
        a.src = (const char *)src.p + start * a.item;
        a.add = add;
        for (int t = 0; t < 2; t++) {
            got[t] = clone(c, base, (size_t)a.item);
            a.dst = got[t].p;
            tables[t]->copy(&team, &a);
        }
        harness_check(same_bits(got[0], got[1]), __FILE__, __LINE__, "%s: copy number %d, item %d, %d axes, add %d",
                      table_name(k), i, a.item, a.ndim, add);
        release(src);
        release(base);
        release(got[0]);
        release(got[1]);
    }
}

TEST(copies_match_their_twin) { each_table(copy_cases); }

static void empty_copy(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    k->copy(
        &team,
        &(pn_copy){ .ndim = 3, .shape = { 4, 0, 5 }, .dst_stride = { 0, 5, 1 }, .src_stride = { 0, 5, 1 }, .item = 8 });
}

TEST(an_empty_copy_touches_nothing) { each_table(empty_copy); }

/* ---- threads ----------------------------------------------------------------------------------------------------- */

enum { LARGE = 300 * 1001 };

/* All results for one team, in one block. */
static void run_all(const pn_kernels *k, const pn_team *team, guarded a, guarded b, guarded c, guarded out)
{
    char *to = out.p;
    const pn_index step = LARGE * (pn_index)real_size(k->real);
    for (int f = 0; f < PN_UNARIES; f++, to += 2 * step) {
        pn_unary u = { .f = (pn_unary_f)f, .n = LARGE, .x = a.p, .y = to, .dy = b.p, .dx = to + step };
        set_parameters(&u, 4);
        k->unary_forward(team, &u);
        k->unary_backward(team, &u);
    }
    for (int f = 0; f < PN_BINARIES; f++, to += 2 * step) {
        pn_binary u = { .f = (pn_binary_f)f,
                        .n = LARGE,
                        .na = LARGE,
                        .nb = 1001,
                        .a = a.p,
                        .b = b.p,
                        .y = to,
                        .dy = a.p,
                        .d = to + step };
        k->binary_forward(team, &u);
        k->binary_db(team, &u);
    }
    k->select_forward(
        team, &(pn_select){ .n = LARGE, .nc = 7, .na = LARGE, .nb = 11, .c = c.p, .a = a.p, .b = b.p, .y = to });
    k->copy(team, &(pn_copy){ .ndim = 2,
                              .shape = { 1001, 300 },
                              .dst_stride = { 300, 1 },
                              .src_stride = { 1, 1001 },
                              .src = a.p,
                              .dst = to + step,
                              .item = (int)real_size(k->real) });
}

static void run_in_teams(crew *c, const pn_kernels *k)
{
    if (harness_quick() && k->isa != pn_cpu_best_isa())
        return;
    const pn_index results = 2 * PN_UNARIES + 2 * PN_BINARIES + 2;
    guarded a = draw_reals(c, k->real, LARGE, 0.1, 3), b = draw_reals(c, k->real, LARGE, 0.1, 3);
    guarded cond = draw_bytes(c, LARGE, 1), outs[CREW_TEAMS];
    for (int t = 0; t < CREW_TEAMS; t++) {
        const pn_team team = crew_team(c, t);
        outs[t] = guard_new((size_t)(results * LARGE) * real_size(k->real), 0);
        run_all(k, &team, a, b, cond, outs[t]);
        harness_check(same_bits(outs[0], outs[t]), __FILE__, __LINE__, "%s: team %d", table_name(k), t);
    }
    /* Workers join when they wake in time: on a busy machine that takes a few regions. */
    for (int t = 1; t < CREW_TEAMS; t++) {
        const pn_team team = crew_team(c, t);
        for (int i = 0; i < 2000 && pn_pool_read_counts(team.pool, PN_REGION_MAP).shared == 0; i++)
            k->unary_forward(&team, &(pn_unary){ .f = PN_U_softplus, .n = LARGE, .x = a.p, .y = outs[t].p });
        CHECK(pn_pool_read_counts(team.pool, PN_REGION_MAP).shared > 0);
    }
    for (int t = 0; t < CREW_TEAMS; t++)
        release(outs[t]);
    release(a);
    release(b);
    release(cond);
}

TEST(any_number_of_threads_computes_the_same_bits) { each_table(run_in_teams); }

TESTS(unary_functions_match_their_twins, unary_functions_meet_infinities_and_nan_as_their_twins, zeros_have_their_signs,
      gradients_at_nan_are_nan, binary_functions_match_their_twins_at_all_periods,
      comparisons_match_their_twins_at_all_periods, select_matches_its_twin_at_all_periods,
      act_backward_matches_its_twin_also_in_place, act_sum_matches_its_twin_also_in_place,
      axpy_and_fill_match_their_twins, copies_match_their_twin, an_empty_copy_touches_nothing,
      any_number_of_threads_computes_the_same_bits)
