/* test_take.c -- the way back from rows that were taken: every instruction set and real against the naive twin. */
#include "trial.h"

/* Operands: index, dy; dx. */
static void call_take(const pn_kernels *k, const pn_team *team, trial *t, void *const *p)
{
    pn_take a = *(const pn_take *)t->shape;
    a.index = p[0];
    a.dy = p[1];
    a.dx = p[2];
    a.work = work_block(t, k->take_work(&a));
    k->take_backward(team, &a);
}

static void take_case(trial *t, pn_index rows, pn_index len, pn_index n, bool odd)
{
    const pn_take a = { .rows = rows, .len = len, .n = n, .add = (rows + len) % 2 };
    t->shape = &a;
    t->what = "take";
    t->scale = 1 + sqrt((double)n);
    labels(t, n, rows, 0);
    reals(t, n * len, -1, 1);
    if (odd)
        strew(t, true);
    outputs(t, rows * len);
    check(t, call_take);
}

static void take_each(trial *t)
{
    static const pn_index lengths[] = { 1, 2, 3, 5, 7, 8, 9, 16, 17, 33, 64, 67 };
    for (pn_index rows = 1; rows <= 40; rows += harness_quick() ? 13 : 3)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
            take_case(t, rows, lengths[i], rows * 3 % 100, i % 5 == 4);
    take_case(t, 2, 40, 5000, false);
    take_case(t, 2000, 128, 3000, false);
    take_case(t, 300, 64, 400, true);
    take_case(t, 5, 3, 0, false);
    take_case(t, 4, 3, 0, false);
    take_case(t, 0, 3, 0, false);
    take_case(t, 5, 0, 7, false);
}

TEST(take_backward_is_its_twin) { each_table_sharing(take_each, PN_REGION_IMAGE, true); }

/* 10^5 contributions of 0.1 to one row: groups keep the digits that one long sum would lose. */
static void take_often(trial *t)
{
    enum { n = 100000 };
    int64_t *index = calloc(n, sizeof *index);
    guarded dy = guard_reals(t->real, n, 0, &t->seed, 0.1, 0.1), work = guard_new((n + 3) * sizeof(int64_t), 0);
    double dx[2];
    const pn_take a = { .rows = 2, .len = 1, .n = n, .index = index, .dy = dy.p, .dx = dx, .work = work.p };
    REQUIRE(t->k->take_work(&a) <= work.bytes);
    t->k->take_backward(&(pn_team){ .scratch = t->scratch }, &a);
    CHECK_CLOSE(get_real(t->real, dx, 0) / (n * get_real(t->real, dy.p, 0)), 1, 20 * t->tolerance);
    CHECK(get_real(t->real, dx, 1) == 0);
    CHECK(guard_free(dy) && guard_free(work));
    free(index);
}

TEST(a_row_taken_often_keeps_its_digits) { each_table(take_often); }

TESTS(take_backward_is_its_twin, a_row_taken_often_keeps_its_digits)
