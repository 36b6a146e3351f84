/* rng.c -- Philox4x32-10: counter-based random numbers, without state. */
/* Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#include "base/rng.h"

enum { ROUNDS = 10 };

void pn_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* Weyl sequences: golden ratio and sqrt(3) - 1 */
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* A bijection of 64 bits in which each input bit flips about half of the output bits (the finalizer of splitmix64,
 * G. Steele et al., "Fast splittable pseudorandom number generators", OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* Bijective in seed for a given stream, and in stream for a given seed: no two streams of a seed have the same key. */
pn_key pn_rng_key(uint64_t seed, uint64_t stream)
{
    uint64_t key = mix(mix(seed + 0x9E3779B97F4A7C15u) ^ stream);
    return (pn_key){ { (uint32_t)key, (uint32_t)(key >> 32) } };
}

uint64_t pn_rng_stream(const char *name)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001B3u;
    return hash;
}

void pn_rng_block(pn_key key, uint32_t step, uint64_t sample, uint32_t block, uint32_t out[4])
{
    const uint32_t counter[4] = { block, step, (uint32_t)sample, (uint32_t)(sample >> 32) };
    pn_rng_philox(counter, key.k, out);
}

/* Two 64-bit words from each block of one (key, step), in order. */
typedef struct words {
    pn_key key;
    uint32_t step;
    uint64_t position; /* of the next word */
    uint32_t block[4];
} words;

static uint64_t next_word(words *w)
{
    uint64_t i = w->position++;
    if (i % 2 == 0)
        pn_rng_block(w->key, w->step, i >> 33, (uint32_t)(i >> 1), w->block);
    const uint32_t *half = w->block + i % 2 * 2;
    return (uint64_t)half[1] << 32 | half[0];
}

/* Uniform in 0..bound-1.  Source: D. Lemire, "Fast random integer generation in an interval", TOMACS 2019. */
static uint64_t next_below(words *w, uint64_t bound)
{
    unsigned __int128 product = (unsigned __int128)next_word(w) * bound;
    if ((uint64_t)product < bound) {
        uint64_t surplus = -bound % bound; /* 2^64 mod bound: reject these low halves, which would cause a bias */
        while ((uint64_t)product < surplus)
            product = (unsigned __int128)next_word(w) * bound;
    }
    return (uint64_t)(product >> 64);
}

void pn_rng_permutation(int64_t *order, pn_index n, pn_key key, uint32_t step)
{
    words w = { .key = key, .step = step };
    for (pn_index i = 0; i < n; i++)
        order[i] = i;
    for (pn_index i = n - 1; i > 0; i--) {
        pn_index j = (pn_index)next_below(&w, (uint64_t)i + 1);
        int64_t held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}
