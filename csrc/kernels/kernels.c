/* kernels.c -- looks up the kernel table of an instruction set and dtype. */
#include "kernels/kernels.h"

extern const pn_kernels pn_kernels_baseline_f32;
#ifndef PN_SMALL
extern const pn_kernels pn_kernels_naive_f32, pn_kernels_naive_f64, pn_kernels_baseline_f64;
#endif
#ifdef __x86_64__
extern const pn_kernels pn_kernels_avx2_f32, pn_kernels_avx2_f64, pn_kernels_avx512_f32, pn_kernels_avx512_f64;
#endif
extern const pn_kernels pn_kernels_uint8, pn_kernels_int64;

const pn_kernels *pn_kernels_for(pn_isa isa, pn_dtype dtype)
{
    static const pn_kernels *const tables[PN_ISAS][2] = {
#ifdef PN_SMALL
        [PN_ISA_BASELINE] = { &pn_kernels_baseline_f32 },
#else
        [PN_ISA_NAIVE] = { &pn_kernels_naive_f32, &pn_kernels_naive_f64 },
        [PN_ISA_BASELINE] = { &pn_kernels_baseline_f32, &pn_kernels_baseline_f64 },
#endif
#ifdef __x86_64__
        [PN_ISA_AVX2] = { &pn_kernels_avx2_f32, &pn_kernels_avx2_f64 },
        [PN_ISA_AVX512] = { &pn_kernels_avx512_f32, &pn_kernels_avx512_f64 },
#endif
    };
    if (dtype <= PN_FLOAT64)
        return tables[isa][dtype];
    return dtype == PN_UINT8 ? &pn_kernels_uint8 : &pn_kernels_int64;
}
