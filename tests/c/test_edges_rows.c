/* test_edges_rows.c -- the kernels whose row in kernels.def says how they are tried, at the edges of vectors (edges.h).
 *
 * A row gives a function that draws the arguments and one that points them at a trial's operands and calls the kernel.
 * A kernel whose row has NONE for a workspace gets none. */
#include "edges.h"

/* Arguments, and where in them the operands' pointers stand. */
typedef struct drawn {
    const void *a;
    size_t at[MAX_OPERANDS];
} drawn;

static void point(const trial *t, const drawn *d, void *a, void *const *p)
{
    for (int i = 0; i < t->count; i++)
        memcpy((char *)a + d->at[i], &p[i], sizeof p[i]);
}

/* ---- how a row is tried: one function draws, another calls ------------------------------------------------------- */

#define NONE
#define HAS(function) a.work = work_block(t, k->function(&a));
#define SIZE(field, ...) a.field = *s++;
#define DRAW(field, low, high) a.field = draw_index(&t->seed, low, high);
#define FLAG(field) a.field = maybe(t);
#define SET(field, value) a.field = value;
#define REALS(field, n, low, high) input(t, n, low, high, odd), AT(field);
#define WHOLE(field, n) whole_input(t, n, odd), AT(field);
#define INDEX(field, n, end) labels(t, n, end, 0), AT(field);
#define OUT(field, n) (t->tolerance > 0 ? outputs : whole_outputs)(t, n), AT(field);
#define PLACES(field, n) other_outputs(t, n, sizeof(int64_t)), AT(field);
#define AT(field) d.at[t->count - 1] = (size_t)((const char *)&a.field - (const char *)&a)
#define EXACT t->tolerance = 0;
#define SCALE(value) t->scale = value;

#define BY_HAND(...)
#define KERNEL(name, arguments, workspace, ...)                                                 \
    static void name##_call(const pn_kernels *k, const pn_team *team, trial *t, void *const *p) \
    {                                                                                           \
        const drawn *d = t->shape;                                                              \
        arguments a = *(const arguments *)d->a;                                                 \
        point(t, d, &a, p);                                                                     \
        workspace k->name(team, &a);                                                            \
    }                                                                                           \
    static void name##_edge(trial *t, const pn_index *s, __attribute__((unused)) bool odd)      \
    {                                                                                           \
        arguments a = { 0 };                                                                    \
        drawn d = { .a = &a };                                                                  \
        __VA_ARGS__ run(t, &d, name##_call);                                                    \
    }
#include "kernels/kernels.def"

/* ---- the sweeps: of a row, what is swept ------------------------------------------------------------------------- */

#undef SIZE
#undef DRAW
#undef FLAG
#undef SET
#undef REALS
#undef WHOLE
#undef INDEX
#undef OUT
#undef PLACES
#undef EXACT
#undef SCALE
#define SIZE(field, low, high, usual) { low, high, usual },
#define DRAW(...)
#define FLAG(...)
#define SET(...)
#define REALS(...)
#define WHOLE(...)
#define INDEX(...)
#define OUT(...)
#define PLACES(...)
#define EXACT
#define SCALE(...)

static const edge EDGES[] = {
#define BY_HAND(...)
#define KERNEL(name, arguments, workspace, ...) { #name, name##_edge, { __VA_ARGS__ } },
#include "kernels/kernels.def"
};

static void edges_each(trial *t) { sweep(t, EDGES, sizeof EDGES / sizeof EDGES[0]); }

TEST(kernels_hold_at_the_edges_as_their_rows_say) { each_table(edges_each); }

TESTS(kernels_hold_at_the_edges_as_their_rows_say)
