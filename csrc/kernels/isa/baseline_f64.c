/* baseline_f64.c -- the kernels for baseline, double: compiled once for each family (unit.inc). */
#define PN_ISA baseline
#define PN_ISA_NUMBER PN_ISA_BASELINE
#define PN_BITS 64
#define PN_VECTOR_BYTES 16
#include "kernels/unit.inc"
