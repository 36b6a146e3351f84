/* gemm.h -- arguments of matrix products: C = act(A B + bias), or C += A B.
 *
 * C and work overlap nothing; A, B and bias may be the same memory, or overlap. */
#ifndef PN_KERNELS_GEMM_H
#define PN_KERNELS_GEMM_H

#include "pn.h"

typedef struct pn_gemm {
    const void *a;
    pn_index rsa, csa; /* A (M, K): row and column strides, one of them 1 (or K or M is 1) */
    const void *b;
    pn_index rsb, csb; /* B (K, N): likewise */
    void *c;
    pn_index rsc;     /* C (M, N): rows rsc apart, columns adjacent; overlaps neither A nor B */
    pn_index M, N, K; /* any may be 0; K = 0 gives act(bias) */
    bool add;         /* C += A B; then bias is NULL and act is PN_ACT_NONE */
    const void *bias; /* (N) or NULL */
    pn_activation act;
    double slope;               /* slope: of leaky_relu */
    pn_index batch, sa, sb, sc; /* so many products, operands this far apart (0 repeats one); batch >= 0 */
    void *work;                 /* gemm_work(this) bytes, aligned; may be NULL when that is 0 */
} pn_gemm;

#endif
