/* int64.c -- the kernels for int64. */
#define integer int64_t
#define DTYPE PN_INT64
#define TABLE pn_kernels_int64
#include "kernels/integers.inc"
