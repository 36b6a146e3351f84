/* kernels.c -- finds the kernel table of an instruction set and real. */
#include "kernels/kernels.h"

extern const pn_kernels pn_kernels_naive_f32, pn_kernels_naive_f64, pn_kernels_baseline_f32, pn_kernels_baseline_f64;
#ifdef __x86_64__
extern const pn_kernels pn_kernels_avx2_f32, pn_kernels_avx2_f64, pn_kernels_avx512_f32, pn_kernels_avx512_f64;
#endif

const pn_kernels *pn_kernels_for(pn_isa isa, pn_dtype real)
{
    static const pn_kernels *const tables[PN_ISAS][2] = {
        [PN_ISA_NAIVE] = { &pn_kernels_naive_f32, &pn_kernels_naive_f64 },
        [PN_ISA_BASELINE] = { &pn_kernels_baseline_f32, &pn_kernels_baseline_f64 },
#ifdef __x86_64__
        [PN_ISA_AVX2] = { &pn_kernels_avx2_f32, &pn_kernels_avx2_f64 },
        [PN_ISA_AVX512] = { &pn_kernels_avx512_f32, &pn_kernels_avx512_f64 },
#endif
    };
    return real <= PN_FLOAT64 ? tables[isa][real] : NULL;
}
