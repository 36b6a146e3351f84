/* float.c -- the floating-point environment of a parallel region: round to nearest, no traps, denormals flushed or
 * kept.  Declared in pool.h: the pool sets and restores it on every thread of a region. */
#include "base/pool.h"

#if defined(__x86_64__) || (defined(__i386__) && defined(__SSE__))

enum { MASK_ALL_EXCEPTIONS = 0x1F80, DENORMALS_ARE_ZERO = 0x0040, FLUSH_TO_ZERO = 0x8000 }; /* bits of MXCSR */

unsigned pn_float_enter(bool flush)
{
    unsigned previous = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(flush ? MASK_ALL_EXCEPTIONS | DENORMALS_ARE_ZERO | FLUSH_TO_ZERO : MASK_ALL_EXCEPTIONS);
    return previous;
}

void pn_float_leave(unsigned previous) { __builtin_ia32_ldmxcsr(previous); }

#elif defined(__aarch64__)

static void write_fpcr(uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory"); }

unsigned pn_float_enter(bool flush)
{
    uint64_t previous;
    __asm__ volatile("mrs %0, fpcr" : "=r"(previous));
    write_fpcr(flush ? (uint64_t)1 << 24 : 0); /* FZ; the other bits at 0 mean nearest and no traps */
    return (unsigned)previous;                 /* the bits in use are all in the lower half */
}

void pn_float_leave(unsigned previous) { write_fpcr(previous); }

#else /* C programs start with round to nearest and without traps */

unsigned pn_float_enter(bool flush)
{
    (void)flush;
    return 0;
}

void pn_float_leave(unsigned previous) { (void)previous; }

#endif
