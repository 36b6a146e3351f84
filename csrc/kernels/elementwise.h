/* elementwise.h -- the rows of elementwise.def by number, and what their gradients read. */
#ifndef PN_KERNELS_ELEMENTWISE_H
#define PN_KERNELS_ELEMENTWISE_H

typedef enum {
#define UNARY(name, ...) PN_U_##name,
#include "kernels/elementwise.def"
    PN_UNARIES
} pn_unary_f;

typedef enum {
#define BINARY(name, ...) PN_B_##name,
#include "kernels/elementwise.def"
    PN_BINARIES
} pn_binary_f;

typedef enum {
#define COMPARE(name, ...) PN_C_##name,
#include "kernels/elementwise.def"
    PN_COMPARES
} pn_compare_f;

/* Bit mask of what a gradient reads besides dy. */
enum {
    PN_READS_NOTHING = 0,
    PN_READS_X = 1,
    PN_READS_A = 1,
    PN_READS_B = 2,
    PN_READS_AB = PN_READS_A | PN_READS_B,
    PN_READS_Y = 4,
    PN_READS_BY = PN_READS_B | PN_READS_Y,
    PN_READS_DY = 8, /* nothing, and the gradient is dy */
};

#endif
