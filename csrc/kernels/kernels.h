/* kernels.h -- the table of kernels: void functions on pointers, sizes and strides; none can fail, none allocates.
 *
 * kernels.def lists them.  Each takes who may help (pn_team) and one struct of arguments, which is also the job its
 * worker tasks read: the headers beside this one have the structs, a family each, and say what may overlap.
 * Pointers are to the table's real (float or double) unless a comment says otherwise; strides are in elements.
 * Bodies are compiled once per instruction set and real (kernels/isa/); the naive twin is one more such set.
 * The same bits for any number of threads: the order in which an output is summed depends on shapes alone. */
#ifndef PN_KERNELS_H
#define PN_KERNELS_H

#include "base/cpu.h"
#include "base/pool.h"

#define KERNEL(name, arguments, ...) typedef struct arguments arguments;
#include "kernels/kernels.def"

typedef struct pn_kernels {
    pn_isa isa;
    pn_dtype real; /* PN_FLOAT32 or PN_FLOAT64; of the tables of integers, which hold few kernels, their dtype */
#define KERNEL(name, arguments, ...) void (*name)(const pn_team *team, const arguments *a);
#define WORK(name, arguments) size_t (*name)(const arguments *a);
#include "kernels/kernels.def"
} pn_kernels;

/* The table of this instruction set and real; NULL where this build has none (AVX on ARM).  Integers have one each,
 * whatever the instruction set (integers.inc); the rows that they lack are NULL. */
const pn_kernels *pn_kernels_for(pn_isa isa, pn_dtype dtype);

#endif
