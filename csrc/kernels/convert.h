/* convert.h -- numbers of one dtype as those of another. */
#ifndef PN_KERNELS_CONVERT_H
#define PN_KERNELS_CONVERT_H

#include "base/pool.h"

/* y = x, or y += x (both real).  float64 is rounded to the nearest float32; a real becomes an integer by leaving its
 * fraction out, a NaN 0, and what lies beyond the ends the nearer of them; an int64 becomes a uint8 modulo 256. */
typedef struct pn_convert {
    pn_dtype from, to;
    pn_index n;
    const void *x;
    void *y;
    bool add;
} pn_convert;

void pn_convert_run(const pn_team *team, const pn_convert *job);

int64_t pn_convert_int64(double x); /* one number, by the same rule */

#endif
