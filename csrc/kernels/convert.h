/* convert.h -- conversion between dtypes. */
#ifndef PN_KERNELS_CONVERT_H
#define PN_KERNELS_CONVERT_H

#include "base/pool.h"

/* y = x, or y += x (both real).  float64 is rounded to the nearest float32.  A real is truncated to an integer and
 * clipped to the range of the dtype; NaN becomes 0.  An int64 becomes a uint8 modulo 256. */
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
