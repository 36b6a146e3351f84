/* random.h -- arguments of dropout and of random fills.
 *
 * dropout: y may be x.  Otherwise what is written overlaps nothing. */
#ifndef PN_KERNELS_RANDOM_H
#define PN_KERNELS_RANDOM_H

#include "base/rng.h"

typedef struct pn_dropout { /* y = keep ? x / (1 - rate) : 0; backward is the same call on dy */
    pn_index rows, len;     /* element j of row r draws from (key, step, sample, j) */
    const int64_t *samples; /* (rows) global sample index, or NULL: first + r */
    int64_t first;
    pn_key key;
    uint32_t step;
    double rate;
    const void *x;
    void *y;
    bool add;
} pn_dropout;

typedef enum {
    PN_RANDOM_UNIFORM,
    PN_RANDOM_NORMAL,
    PN_RANDOM_TRUNCATED
} pn_random_f; /* truncated: normal within 2 deviations */
typedef struct pn_random {
    pn_random_f f;
    pn_index n;
    double a, b;
    pn_key key;
    void *y;
} pn_random; /* uniform in [a, b); normal with mean a, deviation b */

#endif
