/* edges.h -- kernels on sizes round the edges of their tiles and vectors, against the naive twin (trial.h).
 *
 * One row a kernel: its sizes, each swept from low to high while the others are drawn up to `usual`, twice: with plain
 * numbers, and with infinities and NaN strewn over what the kernel reads.  Rows are made from kernels.def
 * (test_edges_rows.c); those that it calls BY_HAND are in test_edges.c and test_edges_map.c (tests/test_laws.py). */
#ifndef PN_TEST_EDGES_H
#define PN_TEST_EDGES_H

#include "trial.h"

enum { AXES = 8, EDGE = 67 };

typedef struct span {
    pn_index low, high, usual;
} span;
typedef struct edge {
    const char *kernels; /* all that the row runs */
    void (*make)(trial *t, const pn_index *s, bool odd);
    span spans[AXES]; /* of s[0], s[1], ...; unused ones are 0 */
} edge;

static inline pn_index below(trial *t, pn_index bound) { return draw_index(&t->seed, 0, bound - 1); }
static inline bool maybe(trial *t) { return below(t, 2) == 1; }

/* An input of any numbers, or of small whole ones, whose sums are exact in any order. */
static inline void input(trial *t, pn_index n, double low, double high, bool odd)
{
    reals(t, n, low, high);
    if (odd && maybe(t))
        strew(t, true);
}

/* Bytes from 0 to `most`. */
static inline void bytes(trial *t, pn_index n, int most)
{
    operand *o = add_operand(t, n, 1, false);
    for (pn_index i = 0; i < n; i++)
        ((uint8_t *)o->got.p)[i] = (uint8_t)draw_index(&t->seed, 0, most);
    keep_initial(o);
}

/* As `input`, of a real that need not be the table's. */
static inline void input_of(trial *t, pn_dtype from, pn_index n, bool odd)
{
    const pn_dtype own = t->real;
    t->real = from;
    input(t, n, -3, 3, odd);
    t->real = own;
}

static inline void whole_input(trial *t, pn_index n, bool odd)
{
    whole_reals(t, n, -4, 4);
    if (odd && maybe(t))
        strew(t, true);
}

static inline void whole_outputs(trial *t, pn_index n)
{
    outputs(t, n);
    operand *o = &t->operands[t->count - 1];
    for (pn_index i = 0; i < n; i++)
        set_real(t->real, o->initial.p, i, (double)below(t, 9));
}

static inline void run(trial *t, const void *shape, kernel_call *call)
{
    t->shape = shape;
    check(t, call);
}

/* One row at the sizes of s; says which, where it fails. */
static inline bool edge_at(trial *t, const edge *e, const pn_index *s, bool odd)
{
    char what[200];
    int length = snprintf(what, sizeof what, "%s%s at", e->kernels, odd ? " (infinities, NaN)" : "");
    for (int i = 0; i < AXES && e->spans[i].high > 0; i++)
        length += snprintf(what + length, sizeof what - (size_t)length, " %td", s[i]);
    t->what = what;
    t->tolerance = tolerance_of(t->real);
    t->scale = 1;
    e->make(t, s, odd);
    return t->sound;
}

static inline void sweep_one(trial *t, const edge *e)
{
    for (int axis = 0; axis < AXES && e->spans[axis].high > 0; axis++)
        for (pn_index v = e->spans[axis].low; v <= e->spans[axis].high; v += harness_quick() ? 1 + v / 4 : 1)
            for (int odd = 0; odd < 2; odd++) {
                pn_index s[AXES] = { 0 };
                for (int i = 0; i < AXES; i++)
                    s[i] = i == axis ? v : draw_index(&t->seed, pn_min(1, e->spans[i].usual), e->spans[i].usual);
                if (!edge_at(t, e, s, odd))
                    return;
            }
}

/* Every row of the table, whatever fails; of one row, the first failure. */
static inline void sweep(trial *t, const edge *table, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        t->sound = true;
        sweep_one(t, &table[i]);
    }
}

#endif
