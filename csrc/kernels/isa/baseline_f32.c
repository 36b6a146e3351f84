/* baseline_f32.c -- the kernels for baseline, float: compiled once for each family (unit.inc). */
#define PN_ISA baseline
#define PN_ISA_NUMBER PN_ISA_BASELINE
#define PN_BITS 32
#define PN_VECTOR_BYTES 16
#include "kernels/unit.inc"
