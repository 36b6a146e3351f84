/* crew.h -- what tests of kernels that need no workspace share: teams, tables, and blocks that kernels run on. */
#ifndef PN_TEST_CREW_H
#define PN_TEST_CREW_H

#include "harness.h"
#include "trace.h"

/* Pools of 2 and 4 threads; one thread is a team without a pool. */
typedef struct crew {
    pn_memory *memory;
    pn_pool *pools[2];
    void *scratch;
    uint64_t seed; /* operands and cases are drawn from it */
} crew;

enum { CREW_TEAMS = 3 };

static inline pn_team crew_team(const crew *c, int i)
{
    return (pn_team){ .pool = i == 0 ? NULL : c->pools[i - 1], .scratch = c->scratch };
}

/* Calls body with the kernels of every instruction set that this CPU has, both reals. */
static inline void each_table(void (*body)(crew *c, const pn_kernels *k))
{
    crew c = { .memory = pn_memory_new(NULL), .seed = harness.seed };
    for (int i = 0; i < 2; i++)
        c.pools[i] = pn_pool_new(c.memory, 2 << i, NULL);
    c.scratch = pn_mem_get(c.memory, PN_SCRATCH_BYTES, NULL);
    for (int isa = PN_ISA_BASELINE; isa <= (int)pn_cpu_best_isa(); isa++)
        for (int real = PN_FLOAT32; real <= (int)PN_FLOAT64; real++) {
            const pn_kernels k = traced(pn_kernels_for((pn_isa)isa, (pn_dtype)real));
            body(&c, &k);
        }
    pn_mem_put(c.scratch);
    for (int i = 0; i < 2; i++)
        pn_pool_free(c.pools[i]);
    pn_memory_free(c.memory);
}

static inline const pn_kernels *naive_of(const pn_kernels *k) { return pn_kernels_for(PN_ISA_NAIVE, k->real); }

/* Element-aligned only, half of the time. */
static inline size_t draw_shift(crew *c, size_t size)
{
    return draw(&c->seed) >> 63 ? size * (size_t)draw_index(&c->seed, 1, 7) : 0;
}

static inline guarded draw_reals(crew *c, pn_dtype real, pn_index n, double low, double high)
{
    return guard_reals(real, n, draw_shift(c, real_size(real)), &c->seed, low, high);
}

static inline guarded draw_bytes(crew *c, pn_index n, int most)
{
    guarded g = guard_new((size_t)n, draw_shift(c, 1));
    for (pn_index i = 0; i < n; i++)
        ((uint8_t *)g.p)[i] = (uint8_t)draw_index(&c->seed, 0, most);
    return g;
}

/* The same bytes elsewhere. */
static inline guarded clone(crew *c, guarded g, size_t size)
{
    guarded copy = guard_new(g.bytes, draw_shift(c, size));
    memcpy(copy.p, g.p, g.bytes);
    return copy;
}

static inline bool same_bits(guarded a, guarded b) { return a.bytes == b.bytes && memcmp(a.p, b.p, a.bytes) == 0; }

static inline void release(guarded g) { CHECK(guard_free(g)); }

/* What failed, for messages. */
static inline const char *table_name(const pn_kernels *k)
{
    static const char *const names[PN_ISAS][2] = {
        [PN_ISA_NAIVE] = { "naive f32", "naive f64" },
        [PN_ISA_BASELINE] = { "baseline f32", "baseline f64" },
        [PN_ISA_AVX2] = { "avx2 f32", "avx2 f64" },
        [PN_ISA_AVX512] = { "avx512 f32", "avx512 f64" },
    };
    return names[k->isa][k->real];
}

/* n reals near those of the twin, or a message that says where not. */
static inline void check_near(const pn_kernels *k, const char *what, guarded got, guarded want, double tolerance,
                              double scale)
{
    const pn_index n = (pn_index)(want.bytes / real_size(k->real));
    const pn_index i = first_difference(k->real, got.p, want.p, n, tolerance, scale);
    if (i >= 0)
        harness_check(false, __FILE__, __LINE__, "%s, %s: element %td of %td is %.17g, expected %.17g", table_name(k),
                      what, i, n, get_real(k->real, got.p, i), get_real(k->real, want.p, i));
}

static inline double rounding(const pn_kernels *k) { return k->real == PN_FLOAT32 ? 0x1p-24 : 0x1p-53; }

/* Sizes round the edges of vectors, and some beyond a block. */
static inline pn_index size_number(int i)
{
    static const pn_index large[] = { 100, 1000, 4095, 4096, 4097, 12301 };
    return i <= 67 ? i : large[i - 68];
}
enum { SIZES = 68 + 6 };

#endif
