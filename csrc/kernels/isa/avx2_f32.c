/* avx2_f32.c -- the kernels for avx2, float: compiled once for each family (unit.inc). */
#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define PN_ISA avx2
#define PN_ISA_NUMBER PN_ISA_AVX2
#define PN_BITS 32
#define PN_VECTOR_BYTES 32
#include "kernels/unit.inc"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
