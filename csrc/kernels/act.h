/* act.h -- arguments of the backward pass of activations.
 *
 * dz may be dy; otherwise what is written (dz, sums, work) overlaps nothing. */
#ifndef PN_KERNELS_ACT_H
#define PN_KERNELS_ACT_H

#include "pn.h"

typedef struct pn_act { /* act_backward: dz = dy * act'(y); dz may be dy */
    pn_activation act;
    double slope;
    pn_index n;
    const void *dy, *y;
    void *dz;
    pn_index C; /* act_sum: dz is (n / C, C), and sums get (or add) its column sums; there dz */
    void *sums;
    bool add;   /* may be dy for relu alone, which changes nothing when it is done twice */
    void *work; /* act_sum: act_work(this) bytes */
} pn_act;

#endif
