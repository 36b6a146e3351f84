/* integers.h -- which functions of elementwise.def integers have. */
#ifndef PN_KERNELS_INTEGERS_H
#define PN_KERNELS_INTEGERS_H

#include "kernels/elementwise.h"

/* The functions of elementwise.def that integers have: a bit each. */
enum {
    PN_INTEGER_UNARIES = 0
#define UNARY(name, value) +(1u << PN_U_##name)
#include "kernels/integers.def"
};
enum {
    PN_INTEGER_BINARIES = 0
#define BINARY(name, value) +(1u << PN_B_##name)
#include "kernels/integers.def"
};

#endif
