/* rng.h -- Philox4x32-10: counter-based random numbers, without state. */
/* Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#ifndef PN_BASE_RNG_H
#define PN_BASE_RNG_H

#include "pn.h"

typedef struct pn_key {
    uint32_t k[2];
} pn_key;

pn_key pn_rng_key(uint64_t seed, uint64_t stream); /* mixes both into Philox's 64-bit key */
uint64_t pn_rng_stream(const char *name);          /* the hash of a name: "shuffle", "dense_1/kernel"; FNV-1a 64 */

/* The 4 words of block number `block` of one sample at one step. */
void pn_rng_block(pn_key key, uint32_t step, uint64_t sample, uint32_t block, uint32_t out[4]);

/* Philox itself, for the known-answer tests. */
void pn_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* order: 0..n-1 shuffled (Fisher-Yates; unbiased), a function of (key, step). */
void pn_rng_permutation(int64_t *order, pn_index n, pn_key key, uint32_t step);

#endif
