/* trial.h -- one kernel against its naive twin: guarded operands, unaligned; then the same bits with 1, 2 and 4
 * threads, where each operand touches the page before it, and the one behind it, which fault (guarded.h).  A test adds
 * operands, sets `shape` and calls check, which gives them back. */
#ifndef PN_TEST_TRIAL_H
#define PN_TEST_TRIAL_H

#include "harness.h"
#include "trace.h"

enum { MAX_OPERANDS = 16, MAX_WORK = 4 };

/* One operand of a kernel: an input, or an output that each run starts from the same numbers. */
typedef struct operand {
    guarded got, want, initial;
    size_t item;
    pn_index n;
    bool out;
} operand;

typedef struct trial {
    pn_dtype real;
    const pn_kernels *k, *naive;
    pn_pool *pool;
    void *scratch;
    operand operands[MAX_OPERANDS];
    int count;
    guarded work[MAX_WORK];
    int works;
    uint64_t seed;
    int threads;
    const void *shape; /* the kernel's arguments, without pointers */
    const char *what;
    double tolerance, scale;
    bool sound;
} trial;

typedef void kernel_call(const pn_kernels *k, const pn_team *team, trial *t, void *const *p);

static inline double tolerance_of(pn_dtype real) { return real == PN_FLOAT32 ? 2e-6 : 1e-14; }

static inline operand *add_operand(trial *t, pn_index n, size_t item, bool out)
{
    operand *o = &t->operands[t->count++];
    *o = (operand){ .item = item, .n = n, .out = out };
    o->got = guard_new((size_t)n * item, item * (size_t)draw_index(&t->seed, 0, 7));
    o->initial = guard_new((size_t)n * item, 0);
    if (out)
        o->want = guard_new((size_t)n * item, 0);
    return o;
}

static inline void keep_initial(operand *o) { memcpy(o->initial.p, o->got.p, (size_t)o->n * o->item); }

static inline void reals(trial *t, pn_index n, double low, double high)
{
    operand *o = add_operand(t, n, real_size(t->real), false);
    fill_reals(t->real, o->got.p, n, &t->seed, low, high);
    keep_initial(o);
}

/* Few distinct values, so that there are equals. */
static inline void whole_reals(trial *t, pn_index n, pn_index low, pn_index high)
{
    operand *o = add_operand(t, n, real_size(t->real), false);
    for (pn_index i = 0; i < n; i++)
        set_real(t->real, o->got.p, i, (double)draw_index(&t->seed, low, high));
    keep_initial(o);
}

static inline void labels(trial *t, pn_index n, pn_index C, int64_t ignore)
{
    operand *o = add_operand(t, n, sizeof(int64_t), false);
    for (pn_index i = 0; i < n; i++)
        ((int64_t *)o->got.p)[i] = ignore && draw_index(&t->seed, 0, 3) == 0 ? ignore : draw_index(&t->seed, 0, C - 1);
    keep_initial(o);
}

static inline void outputs(trial *t, pn_index n)
{
    operand *o = add_operand(t, n, real_size(t->real), true);
    fill_reals(t->real, o->got.p, n, &t->seed, -1, 1);
    keep_initial(o);
}

static inline void other_outputs(trial *t, pn_index n, size_t item)
{
    operand *o = add_operand(t, n, item, true);
    memset(o->got.p, 0x5A, (size_t)n * item);
    keep_initial(o);
}

/* Strews NaN and infinities over the operand added last. */
static inline void strew(trial *t, bool infinities)
{
    operand *o = &t->operands[t->count - 1];
    const double odd[] = { NAN, INFINITY, -INFINITY };
    for (pn_index i = 0; i < o->n / 20 + 1 && o->n > 0; i++)
        set_real(t->real, o->got.p, draw_index(&t->seed, 0, o->n - 1),
                 odd[infinities ? draw_index(&t->seed, 0, 2) : 0]);
    keep_initial(o);
}

/* Full of NaN: what a kernel reads of it must have been written. */
static inline void *work_block(trial *t, size_t bytes)
{
    t->work[t->works] = guard_new(bytes, 0);
    memset(t->work[t->works].p, 0xFF, bytes);
    return t->work[t->works++].p;
}

static const trial *trial_running;

/* Of a fault: the trial, and the operand that the address is nearest to. */
static inline void trial_explain(const void *address, char *text, size_t size)
{
    const trial *t = trial_running;
    const char *const at = address;
    int n = snprintf(text, size, "%s, %s float%d, threads %d", t->what ? t->what : "a trial",
                     pn_cpu_isa_name(trace_of->isa), t->real == PN_FLOAT32 ? 32 : 64, t->threads);
    for (int i = 0; i < t->count && n > 0 && (size_t)n < size; i++) {
        const guarded blocks[] = { t->operands[i].got, t->operands[i].want };
        for (int b = 0; b < 1 + t->operands[i].out; b++) {
            const char *from = blocks[b].p, *to = from + blocks[b].bytes;
            if (at >= to && at < to + 8192)
                snprintf(text + n, size - (size_t)n, ", %td bytes past operand %d", at - to, i);
            else if (at < from && at >= from - 8192)
                snprintf(text + n, size - (size_t)n, ", %td bytes before operand %d", from - at, i);
        }
    }
}

static inline void call_kernel(trial *t, const pn_kernels *k, int threads, kernel_call *call, bool want)
{
    void *p[MAX_OPERANDS];
    for (int i = 0; i < t->count; i++) {
        operand *o = &t->operands[i];
        p[i] = want && o->out ? o->want.p : o->got.p;
        memcpy(p[i], o->initial.p, (size_t)o->n * o->item);
    }
    pn_pool_set_threads(t->pool, threads, NULL);
    const pn_team team = { .pool = t->pool, .scratch = t->scratch };
    const pn_kernels kernels = traced(k);
    t->threads = threads;
    trial_running = t;
    harness.explain = trial_explain;
    call(&kernels, &team, t, p);
    harness.explain = NULL;
    while (t->works > 0)
        CHECK(guard_free(t->work[--t->works]));
}

static inline void compare(trial *t)
{
    for (int i = 0; i < t->count; i++) {
        operand *o = &t->operands[i];
        if (!o->out)
            continue;
        pn_index at = -1;
        if (o->item == real_size(t->real))
            at = first_difference(t->real, o->got.p, o->want.p, o->n, t->tolerance, t->scale);
        else if (memcmp(o->got.p, o->want.p, (size_t)o->n * o->item) != 0)
            at = 0;
        t->sound &= at < 0;
        if (at < 0)
            continue;
        const bool shown = o->item == real_size(t->real);
        const double got = shown ? get_real(t->real, o->got.p, at) : 0;
        const double want = shown ? get_real(t->real, o->want.p, at) : 0;
        harness_check(false, __FILE__, __LINE__, "%s, %s float%d: operand %d differs at %td: got %.9g, expected %.9g",
                      t->what, pn_cpu_isa_name(t->k->isa), t->real == PN_FLOAT32 ? 32 : 64, i, at, got, want);
    }
}

static inline bool give_back(trial *t, int i)
{
    return harness_check(guard_free(t->operands[i].got), __FILE__, __LINE__, "%s: wrote outside operand %d", t->what,
                         i);
}

/* Moves all operands to an end of their pages; the next run fills them. */
static inline void move_operands(trial *t, guard_place place)
{
    for (int i = 0; i < t->count; i++) {
        operand *o = &t->operands[i];
        t->sound &= give_back(t, i);
        o->got = guard_at(place, (size_t)o->n * o->item, 0);
    }
}

/* Runs the kernel and its twin, compares, repeats with more threads, and gives the operands back. */
static inline void check(trial *t, kernel_call *call)
{
    call_kernel(t, t->naive, 1, call, true);
    call_kernel(t, t->k, 1, call, false);
    compare(t);
    guarded first[MAX_OPERANDS];
    for (int i = 0; i < t->count; i++) {
        const operand *o = &t->operands[i];
        first[i] = guard_new((size_t)o->n * o->item, 0);
        memcpy(first[i].p, o->got.p, (size_t)o->n * o->item);
    }
    for (int threads = harness_quick() ? 4 : 2; threads <= 4; threads *= 2) {
        move_operands(t, threads == 2 ? GUARD_AT_START : GUARD_AT_END);
        call_kernel(t, t->k, threads, call, false);
        for (int i = 0; i < t->count; i++) {
            const operand *o = &t->operands[i];
            t->sound &= harness_check(memcmp(first[i].p, o->got.p, (size_t)o->n * o->item) == 0, __FILE__, __LINE__,
                                      "%s, %s: operand %d has other bits with %d threads", t->what,
                                      pn_cpu_isa_name(t->k->isa), i, threads);
        }
    }
    for (int i = 0; i < t->count; i++) {
        operand *o = &t->operands[i];
        t->sound &= give_back(t, i);
        if (o->out)
            guard_free(o->want);
        guard_free(o->initial);
        guard_free(first[i]);
    }
    t->count = 0;
}

static inline void on_every_table(void (*test)(trial *t), pn_pool *pool, void *scratch)
{
    for (pn_isa isa = PN_ISA_BASELINE; isa <= pn_cpu_best_isa(); isa++)
        for (pn_dtype real = PN_FLOAT32; real <= PN_FLOAT64; real++) {
            trial t = {
                .real = real,
                .k = pn_kernels_for(isa, real),
                .naive = pn_kernels_for(PN_ISA_NAIVE, real),
                .pool = pool,
                .scratch = scratch,
                .seed = harness.seed,
                .tolerance = tolerance_of(real),
                .scale = 1,
                .sound = true,
            };
            test(&t);
        }
}

/* Runs one test for every instruction set and real, with a pool; when it `shares`, regions of this kind must have.
 * On a busy machine every worker may wake too late to take a piece: then again, for half a minute at most. */
static inline void each_table_sharing(void (*test)(trial *t), pn_region region, bool shares)
{
    const double end = harness_seconds() + 30;
    pn_error err;
    pn_memory *memory = pn_memory_new(&err);
    REQUIRE(memory);
    pn_pool *pool = pn_pool_new(memory, 4, &err);
    void *scratch = pn_mem_get(memory, PN_SCRATCH_BYTES, &err);
    if (CHECK(pool && scratch))
        do
            on_every_table(test, pool, scratch);
        while (shares && pn_pool_read_counts(pool, region).shared == 0 && harness_seconds() < end);
    CHECK(!shares || pn_pool_read_counts(pool, region).shared > 0);
    pn_mem_put(scratch);
    pn_pool_free(pool);
    pn_memory_free(memory);
}

static inline void each_table(void (*test)(trial *t)) { each_table_sharing(test, PN_REGION_REDUCE, false); }

#endif
