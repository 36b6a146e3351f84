/* test_update.c -- optimizers of every instruction set against their formulas, and sums of squares. */
#include "crew.h"

/* ---- update ------------------------------------------------------------------------------------------------------ */

typedef struct rule {
    const char *name;
    pn_update u;
} rule;

static const rule RULES[] = {
    { "sgd", { .f = PN_UPDATE_SGD, .rate = 0.1, .grad_scale = 1 } },
    { "sgd, decay, clipped", { .f = PN_UPDATE_SGD, .rate = 0.1, .decay = 0.01, .grad_scale = 0.3 } },
    { "sgd, momentum", { .f = PN_UPDATE_SGD, .rate = 0.1, .momentum = 0.9, .decay = 0.01, .grad_scale = 1 } },
    { "sgd, nesterov", { .f = PN_UPDATE_SGD, .rate = 0.1, .momentum = 0.9, .nesterov = true, .grad_scale = 0.5 } },
    { "rmsprop", { .f = PN_UPDATE_RMSPROP, .rate = 0.01, .beta2 = 0.99, .epsilon = 1e-8, .grad_scale = 1 } },
    { "rmsprop, momentum",
      { .f = PN_UPDATE_RMSPROP,
        .rate = 0.01,
        .beta2 = 0.99,
        .epsilon = 1e-8,
        .momentum = 0.9,
        .decay = 0.1,
        .grad_scale = 0.7 } },
    { "adam", { .f = PN_UPDATE_ADAM, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .grad_scale = 1 } },
    { "adam, decay",
      { .f = PN_UPDATE_ADAM,
        .rate = 0.01,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .decay = 0.1,
        .grad_scale = 0.7 } },
    { "adamw",
      { .f = PN_UPDATE_ADAMW,
        .rate = 0.01,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .decay = 0.1,
        .grad_scale = 0.7 } },
};
enum { N_RULES = sizeof RULES / sizeof RULES[0], STEPS = 10 };

/* One step of one parameter as PyTorch's documentation writes it; s: the slots. */
static double reference_step(const pn_update *u, int t, double p, double g, double s[2])
{
    g *= u->grad_scale;
    if (u->f == PN_UPDATE_ADAMW)
        p -= u->rate * u->decay * p;
    else
        g += u->decay * p;
    switch (u->f) {
    case PN_UPDATE_SGD:
        if (u->momentum == 0)
            return p - u->rate * g;
        s[0] = t == 1 ? g : u->momentum * s[0] + g;
        return p - u->rate * (u->nesterov ? g + u->momentum * s[0] : s[0]);
    case PN_UPDATE_RMSPROP:
        s[0] = u->beta2 * s[0] + (1 - u->beta2) * g * g;
        if (u->momentum == 0)
            return p - u->rate * g / (sqrt(s[0]) + u->epsilon);
        s[1] = u->momentum * s[1] + g / (sqrt(s[0]) + u->epsilon);
        return p - u->rate * s[1];
    default:
        s[0] = u->beta1 * s[0] + (1 - u->beta1) * g;
        s[1] = u->beta2 * s[1] + (1 - u->beta2) * g * g;
        return p - u->rate * (s[0] / (1 - pow(u->beta1, t))) / (sqrt(s[1] / (1 - pow(u->beta2, t))) + u->epsilon);
    }
}

/* Gradients differ from step to step and are sometimes 0; the reference sees the same rounded ones.  Otherwise they are
 * never so small that decay nearly cancels them: all rules but SGD divide by the size of what is left. */
static void check_rule(crew *c, const pn_kernels *k, const rule *r, pn_index n)
{
    const pn_team team = crew_team(c, 0);
    pn_update u = r->u;
    guarded p = draw_reals(c, k->real, n, -1, 1), g = draw_reals(c, k->real, n, 0, 0);
    guarded slots[2] = { draw_reals(c, k->real, n, 0, 0), draw_reals(c, k->real, n, 0, 0) };
    guarded want = guard_new((size_t)n * sizeof(double), 0), state = guard_new((size_t)(2 * n) * sizeof(double), 0);
    memset(state.p, 0, state.bytes);
    for (pn_index i = 0; i < n; i++)
        ((double *)want.p)[i] = get_real(k->real, p.p, i);
    u.n = n;
    u.p = p.p;
    u.g = g.p;
    u.slot[0] = u.f == PN_UPDATE_SGD && u.momentum == 0 ? NULL : slots[0].p;
    u.slot[1] = u.f == PN_UPDATE_SGD || (u.f == PN_UPDATE_RMSPROP && u.momentum == 0) ? NULL : slots[1].p;
    for (int t = 1; t <= STEPS; t++) {
        for (pn_index i = 0; i < n; i++) {
            const double size = draw_real(&c->seed, 0.5, 1);
            set_real(k->real, g.p, i, (i + t) % 7 == 3 ? 0 : draw(&c->seed) >> 63 ? size : -size);
            double *w = (double *)want.p + i;
            *w = reference_step(&u, t, *w, get_real(k->real, g.p, i), (double *)state.p + 2 * i);
        }
        u.correction1 = 1 - pow(u.beta1, t);
        u.correction2 = 1 - pow(u.beta2, t);
        k->update(&team, &u);
    }
    for (pn_index i = 0; i < n; i++)
        if (!near_real(get_real(k->real, p.p, i), ((double *)want.p)[i], STEPS * 16 * rounding(k), 1))
            harness_check(false, __FILE__, __LINE__, "%s, %s: parameter %td of %td is %.17g, expected %.17g",
                          table_name(k), r->name, i, n, get_real(k->real, p.p, i), ((double *)want.p)[i]);
    release(p);
    release(g);
    release(slots[0]);
    release(slots[1]);
    release(want);
    release(state);
}

static void check_rules(crew *c, const pn_kernels *k)
{
    for (int r = 0; r < N_RULES; r++)
        for (int i = 0; i < SIZES; i++)
            check_rule(c, k, &RULES[r], size_number(i));
}

static void check_twin_rules(crew *c, const pn_kernels *k)
{
    for (int r = 0; r < N_RULES && k->isa == PN_ISA_BASELINE; r++)
        check_rule(c, naive_of(k), &RULES[r], 67);
}

TEST(ten_steps_of_each_optimizer_follow_the_formulas) { each_table(check_rules); }
TEST(the_twins_follow_them_too) { each_table(check_twin_rules); }

static void sums_of_squares(crew *c, const pn_kernels *k)
{
    const pn_index sizes[] = { 0, 1, 5, 31, 32, 33, 67, 1000, 16383, 16384, 16385, 100003 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        guarded x = draw_reals(c, k->real, sizes[i], -3, 3);
        guarded partial = guard_new((size_t)((sizes[i] + 16383) / 16384) * sizeof(double), 0);
        double y[CREW_TEAMS + 1];
        for (int t = 0; t < CREW_TEAMS; t++) {
            const pn_team team = crew_team(c, t);
            k->sumsq(&team, &(pn_sumsq){ .n = sizes[i], .x = x.p, .y = &y[t], .partial = partial.p });
            CHECK(y[t] == y[0]);
        }
        const pn_team team = crew_team(c, 0);
        naive_of(k)->sumsq(&team, &(pn_sumsq){ .n = sizes[i], .x = x.p, .y = &y[CREW_TEAMS], .partial = partial.p });
        CHECK_CLOSE(y[0], y[CREW_TEAMS], 1e-12 * y[0]);
        if (sizes[i] > 0) {
            set_real(k->real, x.p, sizes[i] - 1, NAN);
            k->sumsq(&team, &(pn_sumsq){ .n = sizes[i], .x = x.p, .y = &y[0], .partial = partial.p });
            CHECK(isnan(y[0]));
        }
        release(x);
        release(partial);
    }
}

TEST(sums_of_squares_are_right_and_the_same_for_all_teams) { each_table(sums_of_squares); }

/* ---- threads ----------------------------------------------------------------------------------------------------- */

static void update_in_teams(crew *c, const pn_kernels *k)
{
    enum { N = 300001 };
    if (harness_quick() && k->isa != pn_cpu_best_isa())
        return;
    guarded g = draw_reals(c, k->real, N, -1, 1),
            start[3] = { draw_reals(c, k->real, N, -1, 1), draw_reals(c, k->real, N, -1, 1),
                         draw_reals(c, k->real, N, 0, 1) };
    for (int r = 0; r < N_RULES; r++) {
        guarded first[3];
        for (int t = 0; t < CREW_TEAMS; t++) {
            const pn_team team = crew_team(c, t);
            guarded now[3];
            for (int i = 0; i < 3; i++)
                now[i] = clone(c, start[r == 4 || r == 5 ? (3 - i) % 3 : i],
                               real_size(k->real)); /* mean squares are not negative */
            pn_update u = RULES[r].u;
            u.n = N;
            u.p = now[0].p;
            u.g = g.p;
            u.slot[0] = now[1].p;
            u.slot[1] = now[2].p;
            u.correction1 = u.correction2 = 0.5;
            k->update(&team, &u);
            for (int i = 0; i < 3; i++) {
                if (t == 0)
                    first[i] = now[i];
                CHECK(same_bits(first[i], now[i]));
                if (t > 0)
                    release(now[i]);
            }
        }
        for (int i = 0; i < 3; i++)
            release(first[i]);
    }
    /* Workers join when they wake in time: on a busy machine that takes a few regions. */
    for (int t = 1; t < CREW_TEAMS; t++) {
        const pn_team team = crew_team(c, t);
        for (int i = 0; i < 2000 && pn_pool_read_counts(team.pool, PN_REGION_UPDATE).shared == 0; i++)
            k->update(&team, &(pn_update){
                                 .f = PN_UPDATE_SGD, .n = N, .p = start[0].p, .g = g.p, .rate = 0.1, .grad_scale = 1 });
        CHECK(pn_pool_read_counts(team.pool, PN_REGION_UPDATE).shared > 0);
    }
    release(g);
    for (int i = 0; i < 3; i++)
        release(start[i]);
}

TEST(any_number_of_threads_updates_to_the_same_bits) { each_table(update_in_teams); }

TESTS(ten_steps_of_each_optimizer_follow_the_formulas, the_twins_follow_them_too,
      sums_of_squares_are_right_and_the_same_for_all_teams, any_number_of_threads_updates_to_the_same_bits)
