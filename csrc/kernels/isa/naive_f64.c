/* naive_f64.c -- the kernels for naive, double. */
#define PN_ISA naive
#define PN_ISA_NUMBER PN_ISA_NAIVE
#define PN_BITS 64
#define PN_VECTOR_BYTES 16
#include "kernels/naive.inc"
