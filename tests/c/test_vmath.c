/* test_vmath.c -- errors of vmath.inc's functions, in ulp against libm in long double, and their special values. */
#include <float.h>

#include "crew.h"

enum { POINTS = 4096 };

/* Distance of got from the true value, in units of the last place of the true value (of a denormal: of the least one).
 * An infinity counts as the number that would come after the greatest. */
static double ulps(pn_dtype real, double got, long double want)
{
    const int digits = real == PN_FLOAT32 ? 24 : 53, least = real == PN_FLOAT32 ? -125 : -1021;
    const long double top = ldexpl(1, real == PN_FLOAT32 ? 128 : 1024);
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : HUGE_VAL;
    if (fabsl(want) > top)
        want = want > 0 ? top : -top;
    const long double value = isinf(got) ? copysignl(top, (long double)got) : (long double)got;
    int exponent;
    frexpl(fabsl(want) == top ? top / 2 : want, &exponent);
    return (double)(fabsl(value - want) / ldexpl(1, (exponent < least ? least : exponent) - digits));
}

/* ---- the functions ----------------------------------------------------------------------------------------------- */

static long double true_sigmoid(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static long double true_softplus(long double x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }

typedef struct function {
    const char *name;
    pn_unary_f f;
    long double (*truth)(long double);
    double low, high; /* points are drawn here; 0, 0: positive, over all exponents */
    double bound;     /* ulp */
} function;

/* exp reaches from results of 0 to infinity, denormals included, in both reals. */
static const function FUNCTIONS[] = {
    { "exp", PN_U_exp, expl, -750, 712, 2 },
    { "exp", PN_U_exp, expl, -105, 90, 2 },
    { "exp", PN_U_exp, expl, -1, 1, 2 },
    { "expm1", PN_U_expm1, expm1l, -50, 712, 3 },
    { "expm1", PN_U_expm1, expm1l, -1.5, 1.5, 3 },
    { "expm1", PN_U_expm1, expm1l, 0, 0, 3 },
    { "log", PN_U_log, logl, 0, 0, 2 },
    { "log", PN_U_log, logl, 0.4, 2.5, 2 },
    { "log1p", PN_U_log1p, log1pl, 0, 0, 2 },
    { "log1p", PN_U_log1p, log1pl, -1, 3, 2 },
    { "log1p", PN_U_log1p, log1pl, -0.4, 0.6, 2 },
    { "sqrt", PN_U_sqrt, sqrtl, 0, 0, 0.51 },
    { "tanh", PN_U_tanh, tanhl, -22, 22, 3 },
    { "tanh", PN_U_tanh, tanhl, -1, 1, 3 },
    { "tanh", PN_U_tanh, tanhl, 0, 0, 3 },
    { "sigmoid", PN_U_sigmoid, true_sigmoid, -750, 100, 3 },
    { "sigmoid", PN_U_sigmoid, true_sigmoid, -20, 20, 3 },
    { "softplus", PN_U_softplus, true_softplus, -750, 100, 3 },
    { "softplus", PN_U_softplus, true_softplus, -5, 5, 3 },
};

static double draw_point(crew *c, pn_dtype real, double low, double high)
{
    if (low < high)
        return draw_real(&c->seed, low, high);
    const int least = real == PN_FLOAT32 ? -148 : -1073, most = real == PN_FLOAT32 ? 127 : 1023;
    return ldexp(draw_real(&c->seed, 1, 2), (int)draw_index(&c->seed, least, most));
}

static void check_points(const pn_kernels *k, const pn_team *team, const char *name, const pn_unary *u,
                         const long double *want, double bound)
{
    k->unary_forward(team, u);
    for (int i = 0; i < POINTS; i++) {
        const double off = ulps(k->real, get_real(k->real, u->y, i), want[i]);
        if (!(off <= bound))
            harness_check(false, __FILE__, __LINE__, "%s: %s(%.17g) is %.17g, off by %.2f ulp", table_name(k), name,
                          get_real(k->real, u->x, i), get_real(k->real, u->y, i), off);
    }
}

/* Points are drawn and truths computed once, for all instruction sets of a real. */
static void function_errors(crew *c, const pn_kernels *table)
{
    static _Alignas(PN_ALIGN) double x[POINTS], y[POINTS];
    static long double want[POINTS];
    if (table->isa != PN_ISA_BASELINE)
        return;
    const pn_team team = crew_team(c, 0);
    for (size_t f = 0; f < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; f++)
        for (int turn = 0; turn < (harness_quick() ? 5 : 60); turn++) {
            const function *t = &FUNCTIONS[f];
            for (int i = 0; i < POINTS; i++) {
                set_real(table->real, x, i, draw_point(c, table->real, t->low, t->high));
                want[i] = t->truth((long double)get_real(table->real, x, i));
            }
            const pn_unary u = { .f = t->f, .n = POINTS, .x = x, .y = y };
            for (int isa = PN_ISA_BASELINE; isa <= (int)pn_cpu_best_isa(); isa++)
                check_points(pn_kernels_for((pn_isa)isa, table->real), &team, t->name, &u, want, t->bound);
        }
}

TEST(functions_are_right_to_a_few_ulp) { each_table(function_errors); }

/* ---- pow --------------------------------------------------------------------------------------------------------- */

static const double EXPONENTS[] = { 2,       1,    -1,  0.5, 0,    3,  -2,    1.5,  -0.5,   7,
                                    1.0 / 3, -3.7, 100, 1e5, 1e-3, 65, -1e-8, 4097, 8388609 };

/* Bases of both signs round 1 and of every size whose power is a number. */
static double draw_base(crew *c, pn_dtype real, double p)
{
    const double reach = (real == PN_FLOAT32 ? 104 : 746) / fmax(fabs(p), real == PN_FLOAT32 ? 1.2 : 1.06);
    const double x = draw_index(&c->seed, 0, 1) ? draw_real(&c->seed, 0, 3) : exp(draw_real(&c->seed, -reach, reach));
    return draw_index(&c->seed, 0, 3) ? x : -x;
}

static void power_errors(crew *c, const pn_kernels *table)
{
    static _Alignas(PN_ALIGN) double x[POINTS], y[POINTS];
    static long double want[POINTS];
    if (table->isa != PN_ISA_BASELINE)
        return;
    const pn_team team = crew_team(c, 0);
    for (size_t e = 0; e < sizeof EXPONENTS / sizeof EXPONENTS[0]; e++)
        for (int turn = 0; turn < (harness_quick() ? 2 : 20); turn++) {
            const double p = table->real == PN_FLOAT32 ? (double)(float)EXPONENTS[e] : EXPONENTS[e];
            for (int i = 0; i < POINTS; i++) {
                set_real(table->real, x, i, draw_base(c, table->real, p));
                want[i] = powl((long double)get_real(table->real, x, i), (long double)p);
            }
            const pn_unary u = { .f = PN_U_pow, .n = POINTS, .x = x, .y = y, .p = { p } };
            const double bound = table->real == PN_FLOAT64 && fabs(p) > 10 ? 16 : 4;
            for (int isa = PN_ISA_BASELINE; isa <= (int)pn_cpu_best_isa(); isa++)
                check_points(pn_kernels_for((pn_isa)isa, table->real), &team, "pow", &u, want, bound);
        }
}

TEST(powers_are_right_to_a_few_ulp) { each_table(power_errors); }

/* Every pair of special numbers, as C's pow has it, and the signs of zeros too. */
static void power_specials(crew *c, const pn_kernels *k)
{
    static const double specials[] = { 0,    -0.0, 1,  -1, INFINITY, -INFINITY, NAN,   0.5,
                                       -0.5, 2,    -2, 3,  -3,       1e30,      -1e30, 5e6 + 0.5 };
    enum { N = sizeof specials / sizeof specials[0] };
    static _Alignas(PN_ALIGN) double x[N], y[N];
    const pn_team team = crew_team(c, 0);
    for (int e = 0; e < N; e++) {
        for (int i = 0; i < N; i++)
            set_real(k->real, x, i, specials[i]);
        k->unary_forward(&team, &(pn_unary){ .f = PN_U_pow, .n = N, .x = x, .y = y, .p = { specials[e] } });
        for (int i = 0; i < N; i++) {
            const double p = k->real == PN_FLOAT32 ? (double)(float)specials[e] : specials[e];
            const double want = pow(get_real(k->real, x, i), p), got = get_real(k->real, y, i);
            const double bounded = k->real == PN_FLOAT32 ? (double)(float)want : want;
            const bool signs = isnan(want) || !signbit(want) == !signbit(got);
            harness_check(near_real(got, bounded, 4 * rounding(k), 0) && signs, __FILE__, __LINE__,
                          "%s: pow(%g, %g) is %g, expected %g", table_name(k), specials[i], p, got, want);
        }
    }
}

TEST(powers_of_special_numbers_are_those_of_c) { each_table(power_specials); }

/* d/dx x^p at and round 0, where p x^(p - 1) has its corners. */
static void power_gradients(crew *c, const pn_kernels *k)
{
    static const struct {
        double x, p, want;
    } cases[] = {
        { 0, 2, 0 },         { 0, 1, 1 },          { 0, 0, 0 },          { 0, 3, 0 },
        { 0, 1.5, 0 },       { 0, 0.5, INFINITY }, { 0, -1, -INFINITY }, { -2, 2, -4 },
        { -2, 3, 12 },       { -2, -1, -0.25 },    { -2, 0, 0 },         { -2, 1, 1 },
        { -2, 0.5, NAN },    { 4, 0.5, 0.25 },     { 4, -0.5, -0.0625 }, { INFINITY, 2, INFINITY },
        { INFINITY, -1, 0 }, { NAN, 2, NAN },      { 2, 5, 80 },
    };
    const pn_team team = crew_team(c, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double x, dy, dx;
        set_real(k->real, &x, 0, cases[i].x);
        set_real(k->real, &dy, 0, 1);
        k->unary_backward(&team,
                          &(pn_unary){ .f = PN_U_pow, .n = 1, .x = &x, .dy = &dy, .dx = &dx, .p = { cases[i].p } });
        harness_check(near_real(get_real(k->real, &dx, 0), cases[i].want, 4 * rounding(k), 0), __FILE__, __LINE__,
                      "%s: the gradient of x^%g at %g is %g, expected %g", table_name(k), cases[i].p, cases[i].x,
                      get_real(k->real, &dx, 0), cases[i].want);
    }
}

TEST(gradients_of_powers_are_right_at_their_corners) { each_table(power_gradients); }

/* ---- gelu -------------------------------------------------------------------------------------------------------- */

/* x Phi(x) = x erfc(-x / sqrt 2) / 2, whose argument is carried in two parts: far below 0 each bit of it counts. */
static long double true_gelu(long double x)
{
    const long double root = 0.707106781186547524400844362104849039L;
    const long double rest = (1 - 2 * root * root - 2 * fmal(root, root, -root * root)) / (4 * root);
    const long double u = x * root, off = fmal(x, root, -u) + x * rest;
    return x * erfcl(-u) * expl(x < 0 ? -2 * u * off : 0) / 2;
}

static long double true_tanh_gelu(long double x)
{
    const long double u = 2 * sqrtl(2 / acosl(-1)) * (x + (long double)0.044715 * x * x * x);
    return x * true_sigmoid(u);
}

typedef struct gelu_case {
    double form, low, high, bound;
} gelu_case;

/* As far down as results are normal numbers; but not in the tail of the tanh form, where its argument's rounding shows
 * as often as it is large. */
static void gelu_errors(crew *c, const pn_kernels *table)
{
    static const gelu_case cases[] = {
        { 0, -37, 12, 5 }, { 0, -9, 9, 5 }, { 0, -1, 1, 5 }, { 0, 0, 0, 5 },
        { 1, -3, 12, 16 }, { 1, -1, 1, 5 }, { 1, 0, 0, 5 },
    };
    static _Alignas(PN_ALIGN) double x[POINTS], y[POINTS];
    static long double want[POINTS];
    if (table->isa != PN_ISA_BASELINE)
        return;
    const pn_team team = crew_team(c, 0);
    for (size_t f = 0; f < sizeof cases / sizeof cases[0]; f++)
        for (int turn = 0; turn < (harness_quick() ? 3 : 40); turn++) {
            const double low = table->real == PN_FLOAT32 ? fmax(cases[f].low, -12.9) : cases[f].low;
            for (int i = 0; i < POINTS; i++) {
                set_real(table->real, x, i, draw_point(c, table->real, low, cases[f].high));
                const long double at = (long double)get_real(table->real, x, i);
                want[i] = cases[f].form > 0 ? true_tanh_gelu(at) : true_gelu(at);
            }
            const pn_unary u = { .f = PN_U_gelu, .n = POINTS, .x = x, .y = y, .p = { cases[f].form } };
            for (int isa = PN_ISA_BASELINE; isa <= (int)pn_cpu_best_isa(); isa++)
                check_points(pn_kernels_for((pn_isa)isa, table->real), &team, "gelu", &u, want, cases[f].bound);
        }
}

TEST(gelu_is_right_to_a_few_ulp) { each_table(gelu_errors); }

/* In float64: its gradient against central differences, in both forms. */
static void gelu_slopes(crew *c, const pn_kernels *k)
{
    if (k->real != PN_FLOAT64)
        return;
    const pn_team team = crew_team(c, 0);
    for (double at = -41; at <= 41; at += 0.37)
        for (int form = 0; form < 2; form++) {
            const double h = 1e-5;
            double x[3] = { at - h, at, at + h }, y[3], dy[3] = { 1, 1, 1 }, dx[3];
            const pn_unary u = { .f = PN_U_gelu, .n = 3, .x = x, .y = y, .dy = dy, .dx = dx, .p = { form } };
            k->unary_forward(&team, &u);
            k->unary_backward(&team, &u);
            CHECK_CLOSE(dx[1], (y[2] - y[0]) / (2 * h), 1e-9 * (1 + fabs(at)));
        }
}

TEST(gelu_gradient_is_its_slope) { each_table(gelu_slopes); }

/* ---- what must hold exactly -------------------------------------------------------------------------------------- */

static double value_at(const pn_kernels *k, const pn_team *team, pn_unary_f f, double at)
{
    double x, y;
    set_real(k->real, &x, 0, at);
    k->unary_forward(team, &(pn_unary){ .f = f, .n = 1, .x = &x, .y = &y });
    return get_real(k->real, &y, 0);
}

static void exact_values(crew *c, const pn_kernels *k)
{
    const pn_team team = crew_team(c, 0);
    CHECK(value_at(k, &team, PN_U_exp, 0) == 1);
    CHECK(value_at(k, &team, PN_U_exp, -HUGE_VAL) == 0);
    CHECK(value_at(k, &team, PN_U_exp, HUGE_VAL) == HUGE_VAL);
    CHECK(value_at(k, &team, PN_U_exp, 1e30) == HUGE_VAL);
    CHECK(value_at(k, &team, PN_U_exp, -1e30) == 0);
    CHECK(isnan(value_at(k, &team, PN_U_exp, NAN)));
    CHECK(value_at(k, &team, PN_U_expm1, -HUGE_VAL) == -1);
    CHECK(value_at(k, &team, PN_U_expm1, HUGE_VAL) == HUGE_VAL);
    CHECK(isnan(value_at(k, &team, PN_U_expm1, NAN)));
    CHECK(value_at(k, &team, PN_U_log1p, -1) == -HUGE_VAL);
    CHECK(value_at(k, &team, PN_U_log1p, HUGE_VAL) == HUGE_VAL);
    CHECK(isnan(value_at(k, &team, PN_U_log1p, -1.5)));
    CHECK(isnan(value_at(k, &team, PN_U_log1p, -HUGE_VAL)));
    CHECK(isnan(value_at(k, &team, PN_U_log1p, NAN)));
    CHECK(value_at(k, &team, PN_U_log, 1) == 0);
    CHECK(value_at(k, &team, PN_U_log, 0) == -HUGE_VAL);
    CHECK(value_at(k, &team, PN_U_log, -0.0) == -HUGE_VAL);
    CHECK(value_at(k, &team, PN_U_log, HUGE_VAL) == HUGE_VAL);
    CHECK(isnan(value_at(k, &team, PN_U_log, -1)));
    CHECK(isnan(value_at(k, &team, PN_U_log, -HUGE_VAL)));
    CHECK(isnan(value_at(k, &team, PN_U_log, NAN)));
    CHECK(value_at(k, &team, PN_U_tanh, HUGE_VAL) == 1);
    CHECK(value_at(k, &team, PN_U_tanh, -HUGE_VAL) == -1);
    CHECK(signbit(value_at(k, &team, PN_U_tanh, -0.0)));
    CHECK(!signbit(value_at(k, &team, PN_U_tanh, 0)));
    CHECK(isnan(value_at(k, &team, PN_U_tanh, NAN)));
    CHECK(value_at(k, &team, PN_U_sigmoid, 0) == 0.5);
    CHECK(value_at(k, &team, PN_U_sigmoid, -HUGE_VAL) == 0);
    CHECK(value_at(k, &team, PN_U_sigmoid, HUGE_VAL) == 1);
    CHECK(isnan(value_at(k, &team, PN_U_sigmoid, NAN)));
    CHECK(value_at(k, &team, PN_U_softplus, -HUGE_VAL) == 0);
    CHECK(value_at(k, &team, PN_U_softplus, HUGE_VAL) == HUGE_VAL);
    CHECK(isnan(value_at(k, &team, PN_U_softplus, NAN)));
    CHECK(isnan(value_at(k, &team, PN_U_sqrt, -1)));
    CHECK(value_at(k, &team, PN_U_gelu, 0) == 0);
    CHECK(value_at(k, &team, PN_U_gelu, 50) == 50);
    CHECK(value_at(k, &team, PN_U_gelu, HUGE_VAL) == HUGE_VAL);
    CHECK(value_at(k, &team, PN_U_gelu, -HUGE_VAL) == 0);
    CHECK(isnan(value_at(k, &team, PN_U_gelu, NAN)));
}

TEST(special_values_are_exact) { each_table(exact_values); }

/* With denormals flushed, results below the least normal number are 0 and all others unchanged. */
static void flushed_values(crew *c, const pn_kernels *k)
{
    if (k->real != PN_FLOAT32)
        return;
    pn_team keep = crew_team(c, 0), flush = keep;
    flush.flush = true;
    for (double x = -110; x < 90; x += 0.37) {
        const double kept = value_at(k, &keep, PN_U_exp, x), flushed = value_at(k, &flush, PN_U_exp, x);
        CHECK(flushed == (kept < (double)FLT_MIN ? 0 : kept));
    }
    CHECK(value_at(k, &flush, PN_U_log, 1e-40) == -HUGE_VAL);
    CHECK(value_at(k, &flush, PN_U_tanh, 1e-40) == 0);
}

TEST(flushing_denormals_changes_nothing_else) { each_table(flushed_values); }

TESTS(functions_are_right_to_a_few_ulp, powers_are_right_to_a_few_ulp, powers_of_special_numbers_are_those_of_c,
      gradients_of_powers_are_right_at_their_corners, gelu_is_right_to_a_few_ulp, gelu_gradient_is_its_slope,
      special_values_are_exact, flushing_denormals_changes_nothing_else)
