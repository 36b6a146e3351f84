/* integers.h -- the functions of elementwise.def that integers support. */
#ifndef PN_KERNELS_INTEGERS_H
#define PN_KERNELS_INTEGERS_H

#include "kernels/elementwise.h"

/* Bit mask of the functions of elementwise.def that integers support. */
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
