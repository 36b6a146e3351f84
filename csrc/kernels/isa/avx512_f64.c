/* avx512_f64.c -- the kernels for avx512, double: compiled once for each family (unit.inc). */
#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif
#define PN_ISA avx512
#define PN_ISA_NUMBER PN_ISA_AVX512
#define PN_BITS 64
#define PN_VECTOR_BYTES 64
#include "kernels/unit.inc"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
