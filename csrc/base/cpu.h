/* cpu.h -- what this processor can do, and how many threads we may use. */
#ifndef PN_BASE_CPU_H
#define PN_BASE_CPU_H

#include "pn.h"

/* In rising order, so that one may be compared with another; NAIVE is the reference twin of every kernel. */
typedef enum { PN_ISA_NAIVE, PN_ISA_BASELINE, PN_ISA_AVX2, PN_ISA_AVX512, PN_ISAS } pn_isa;

pn_isa pn_cpu_best_isa(void);               /* BASELINE where nothing better is known (ARM: its NEON) */
const char *pn_cpu_isa_name(pn_isa isa);    /* "naive", "baseline", "avx2", "avx512" */
int pn_cpu_isa_from_name(const char *name); /* -1 when there is no such name */
int pn_cpu_threads(void);                   /* min(affinity, cgroup quota), at least 1 */
int pn_cpu_here(void);                      /* the processor the calling thread is on; -1 where nobody says */
void pn_cpu_step_aside(int cpu);            /* moves the calling thread off it, if there is another */

/* Processors that the cgroups of a process allow, rounded up; 0: no limit.  list: as /proc/self/cgroup; mount: as
 * /sys/fs/cgroup; versions 1 and 2. */
int pn_cpu_quota(const char *list, const char *mount);

#endif
