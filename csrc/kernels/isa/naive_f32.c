/* naive_f32.c -- the kernels for naive, float: compiled once for each family (unit.inc). */
#define PN_ISA naive
#define PN_ISA_NUMBER PN_ISA_NAIVE
#define PN_BITS 32
#define PN_VECTOR_BYTES 16
#define PN_NAIVE
#include "kernels/unit.inc"
