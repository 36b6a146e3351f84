/* mem.h -- the only allocator: counted, 64-byte aligned, recycled in size classes; tests can make the n-th request
 * fail. */
#ifndef PN_BASE_MEM_H
#define PN_BASE_MEM_H

#include "base/error.h"

typedef struct pn_memory pn_memory;

typedef struct pn_memory_stats {
    size_t live_bytes, live_blocks; /* allocated and not yet freed */
    size_t peak_bytes;              /* largest live_bytes so far */
    size_t cached_bytes;            /* freed blocks, kept for the next request of the same class */
    size_t keep_bytes;              /* limit of cached_bytes: 512 MiB, or what a loop needs */
    uint64_t requests;              /* calls of pn_mem_get */
    uint64_t system_calls;          /* requests that the cache could not serve */
    size_t limit_bytes;             /* 0: no limit */
} pn_memory_stats;

pn_memory *pn_memory_new(pn_error *err);
void pn_memory_free(pn_memory *memory); /* every block must have been freed; asserted in debug builds */

/* At least `bytes` bytes (0 gives a valid block), uninitialised, aligned to PN_ALIGN.  Returns NULL and sets err if the
 * system has no memory or the limit is exceeded.  Thread-safe. */
void *pn_mem_get(pn_memory *memory, size_t bytes, pn_error *err);
void *pn_mem_get_zeroed(pn_memory *memory, size_t bytes, pn_error *err);
void pn_mem_put(void *block); /* frees the block; NULL is allowed */

/* A freed block is cached for the next request of its class.  If more than keep_bytes would be cached, the whole cache
 * is returned to the system.  keep_bytes is 512 MiB at first.  It grows by the bytes that are requested again within
 * ten seconds after they were returned to the system, to at most twice the peak, and is reset to 512 MiB by a trim, or
 * when a training loop ends. */
void pn_memory_trim(pn_memory *memory);   /* returns all cached blocks to the system */
void pn_memory_settle(pn_memory *memory); /* a training loop has ended: trims if more than 512 MiB are cached */
void pn_memory_set_limit(pn_memory *memory, size_t bytes);
void pn_memory_fail_after(pn_memory *memory,
                          int64_t n); /* for tests: the n-th request from now fails, once (1: the next one); 0: none */
pn_memory_stats pn_memory_read_stats(pn_memory *memory);

/* Hold the lock across a fork, so that the child never inherits a lock held by a thread that it does not have.  Between
 * the two calls no block can be allocated or freed, so call before_fork last and after_fork first. */
void pn_memory_before_fork(pn_memory *memory);
void pn_memory_after_fork(pn_memory *memory);

#endif
