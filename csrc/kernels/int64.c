/* int64.c -- the kernels that int64 has. */
#define integer int64_t
#define DTYPE PN_INT64
#define TABLE pn_kernels_int64
#include "kernels/integers.inc"
