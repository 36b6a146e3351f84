/* mem.h -- the only way to get memory: counted, 64-byte aligned, recycled in size classes, can fail the n-th. */
#ifndef PN_BASE_MEM_H
#define PN_BASE_MEM_H

#include "base/error.h"

typedef struct pn_memory pn_memory;

typedef struct pn_memory_stats {
    size_t live_bytes, live_blocks; /* handed out and not yet returned */
    size_t peak_bytes;              /* greatest live_bytes so far */
    size_t cached_bytes;            /* returned, kept for the next request of the same class */
    size_t keep_bytes;              /* so many may be cached: 512 MiB, or what a loop needs */
    uint64_t requests;              /* calls of pn_mem_get */
    uint64_t system_calls;          /* requests that the system had to serve */
    size_t limit_bytes;             /* 0: none */
} pn_memory_stats;

pn_memory *pn_memory_new(pn_error *err);
void pn_memory_free(pn_memory *memory); /* every block must have been returned; asserted in debug */

/* At least `bytes` bytes (0 gives a valid block), not cleared, aligned to PN_ALIGN.  NULL and err when the system or
 * the limit says no.  Thread-safe. */
void *pn_mem_get(pn_memory *memory, size_t bytes, pn_error *err);
void *pn_mem_get_zeroed(pn_memory *memory, size_t bytes, pn_error *err);
void pn_mem_put(void *block); /* NULL is allowed; the block knows its memory */

/* A returned block is kept for the next request of its class.  When more than keep_bytes would be kept, all go back to
 * the system.  keep_bytes is 512 MiB; it grows to what a loop needs (bytes asked for again within ten seconds after
 * they went back, twice the peak at most), and is 512 MiB again after a trim, or when a loop ends. */
void pn_memory_trim(pn_memory *memory);   /* cached blocks go back to the system */
void pn_memory_settle(pn_memory *memory); /* a loop has ended: they go back where they are more than 512 MiB */
void pn_memory_set_limit(pn_memory *memory, size_t bytes);
void pn_memory_fail_after(pn_memory *memory,
                          int64_t n); /* for tests: the n-th request from now fails, once (1 = the next); 0 = never */
pn_memory_stats pn_memory_read_stats(pn_memory *memory);

/* Hold the lock across a fork, so that the child never inherits it from a thread that it does not have.  Between the
 * two nobody can get or put a block, so before_fork comes last and after_fork first. */
void pn_memory_before_fork(pn_memory *memory);
void pn_memory_after_fork(pn_memory *memory);

#endif
