/* uint8.c -- the kernels for uint8. */
#define integer uint8_t
#define DTYPE PN_UINT8
#define TABLE pn_kernels_uint8
#include "kernels/integers.inc"
