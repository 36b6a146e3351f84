/* kernels.h -- what the kernel tests share: guarded blocks, reproducible numbers, comparison of reals of both kinds.
 *
 * Nothing here prints: the functions return what they find. */
#ifndef PN_TEST_KERNELS_H
#define PN_TEST_KERNELS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "kernels/act.h"
#include "kernels/conv.h"
#include "kernels/copy.h"
#include "kernels/gemm.h"
#include "kernels/image.h"
#include "kernels/kernels.h"
#include "kernels/loss.h"
#include "kernels/map.h"
#include "kernels/norm.h"
#include "kernels/pool2d.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/update.h"

/* splitmix64 (Steele, Lea, Flood 2014): enough for test data and for drawing cases. */
static inline uint64_t draw(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline double draw_real(uint64_t *seed, double low, double high)
{
    return low + (high - low) * ((double)(draw(seed) >> 11) * 0x1p-53);
}

/* From low to high, both included. */
static inline pn_index draw_index(uint64_t *seed, pn_index low, pn_index high)
{
    return low + (pn_index)(draw(seed) % (uint64_t)(high - low + 1));
}

static inline size_t real_size(pn_dtype real) { return real == PN_FLOAT32 ? sizeof(float) : sizeof(double); }
static inline void *real_at(pn_dtype real, void *p, pn_index i) { return (char *)p + (size_t)i * real_size(real); }

static inline double get_real(pn_dtype real, const void *p, pn_index i)
{
    return real == PN_FLOAT32 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

static inline void set_real(pn_dtype real, void *p, pn_index i, double value)
{
    if (real == PN_FLOAT32)
        ((float *)p)[i] = (float)value;
    else
        ((double *)p)[i] = value;
}

static inline void fill_reals(pn_dtype real, void *p, pn_index n, uint64_t *seed, double low, double high)
{
    for (pn_index i = 0; i < n; i++)
        set_real(real, p, i, draw_real(seed, low, high));
}

/* A guarded block of n reals between low and high. */
static inline guarded guard_reals(pn_dtype real, pn_index n, size_t shift, uint64_t *seed, double low, double high)
{
    guarded g = guard_new((size_t)n * real_size(real), shift);
    fill_reals(real, g.p, n, seed, low, high);
    return g;
}

/* A function's parameters, as its row gives them. */
static inline void set_usual(pn_unary *u)
{
    static const double usual[PN_UNARIES][PN_MAP_PARAMS] = {
#define USUAL(i, name, kind, value, ...) value,
#define UNARY(name, doc, ns, y, back_ns, reads, dx, ...) { PN_EACH_PARAM(USUAL, ##__VA_ARGS__) },
#include "kernels/elementwise.def"
#undef USUAL
    };
    memcpy(u->p, usual[u->f], sizeof u->p);
}

/* |got - want| <= tolerance * (scale + |want|); NaN equals NaN and an infinity equals itself. */
static inline bool near_real(double got, double want, double tolerance, double scale)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (isinf(want) || isinf(got))
        return got == want;
    return fabs(got - want) <= tolerance * (scale + fabs(want));
}

/* The first index where n reals are not near, or -1. */
static inline pn_index first_difference(pn_dtype real, const void *got, const void *want, pn_index n, double tolerance,
                                        double scale)
{
    for (pn_index i = 0; i < n; i++)
        if (!near_real(get_real(real, got, i), get_real(real, want, i), tolerance, scale))
            return i;
    return -1;
}

#endif
