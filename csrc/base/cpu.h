/* cpu.h -- the instruction sets of this processor, and how many threads we may use. */
#ifndef PN_BASE_CPU_H
#define PN_BASE_CPU_H

#include "pn.h"

/* In ascending order, so that values can be compared; NAIVE is the reference implementation of every kernel. */
typedef enum { PN_ISA_NAIVE, PN_ISA_BASELINE, PN_ISA_AVX2, PN_ISA_AVX512, PN_ISAS } pn_isa;

pn_isa pn_cpu_best_isa(void);               /* BASELINE if nothing better is known (on ARM: NEON) */
const char *pn_cpu_isa_name(pn_isa isa);    /* "naive", "baseline", "avx2", "avx512" */
int pn_cpu_isa_from_name(const char *name); /* -1 if the name is unknown */
int pn_cpu_threads(void);                   /* min(affinity, cgroup quota), at least 1 */
int pn_cpu_here(void);                      /* the processor that the calling thread runs on; -1 if unknown */
void pn_cpu_step_aside(int cpu);            /* moves the calling thread to another processor, if there is one */

/* Number of processors that the cgroups of a process allow, rounded up; 0: no limit.  list: a file like
 * /proc/self/cgroup; mount: a folder like /sys/fs/cgroup; versions 1 and 2. */
int pn_cpu_quota(const char *list, const char *mount);

#endif
