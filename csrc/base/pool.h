/* pool.h -- the thread pool: runs one parallel region at a time. */
#ifndef PN_BASE_POOL_H
#define PN_BASE_POOL_H

#include <stdatomic.h>

#include "base/mem.h"

enum { PN_MAX_THREADS = 64, PN_SCRATCH_BYTES = 1 << 20 };

typedef struct pn_pool pn_pool;

/* The kind of kernel that a region belongs to, for the counters. */
typedef enum {
    PN_REGION_GEMM,
    PN_REGION_CONV,
    PN_REGION_POOL,
    PN_REGION_NORM,
    PN_REGION_UPDATE,
    PN_REGION_MAP,
    PN_REGION_REDUCE,
    PN_REGION_IMAGE,
    PN_REGIONS
} pn_region;

/* Computes items begin..end-1 of a job.
 * scratch: PN_SCRATCH_BYTES that no other task uses at the same time, 64-byte aligned. */
typedef void pn_task(const void *job, pn_index begin, pn_index end, void *scratch);

/* How a long call is interrupted.  The calling thread polls about every tenth of a second; once the answer is yes, the
 * rest of this region and all later regions of the call are skipped, and their outputs must be discarded. */
typedef struct pn_stop {
    bool (*asked)(void *argument); /* whether to stop; NULL: never */
    void *argument;
    double unseen_ns;    /* estimated work since the clock was last read */
    int64_t answered_ns; /* time of the last poll, or of the first clock reading; 0: none yet */
    _Atomic bool now;
} pn_stop;

/* The threads that work on one call: the pool (NULL: the calling thread alone), and the caller's own scratch. */
typedef struct pn_team {
    pn_pool *pool;
    pn_stop *stop; /* NULL: the call cannot be interrupted */
    void *scratch; /* PN_SCRATCH_BYTES, aligned, owned by the caller for the duration of the call */
    bool flush;    /* whether denormals are flushed to 0 (float32); float64 keeps them */
} pn_team;

pn_pool *pn_pool_new(pn_memory *memory, int threads, pn_error *err); /* threads counts the caller; 1..PN_MAX_THREADS */
void pn_pool_free(pn_pool *pool);
int pn_pool_threads(const pn_pool *pool);
int pn_pool_set_threads(pn_pool *pool, int threads, pn_error *err);

/* Runs task over items 0..n-1, split into contiguous pieces; returns when all are done.  item_ns is the rough cost of
 * one item on one thread.  A region of less than about 20 microseconds in total (6 while every worker is awake), or one
 * that is started while the pool is busy, runs on the calling thread alone.  Any thread may compute any item, so the
 * result of a task must not depend on how the items were split.  A nested region runs inline, on the thread of its
 * task, and needs a team with its own scratch. */
void pn_pool_run(const pn_team *team, pn_region region, pn_index n, double item_ns, pn_task *task, const void *job);

/* Number of regions of one kind so far: all of them, and those in which two or more threads computed an item. */
typedef struct pn_pool_counts {
    uint64_t regions, shared;
} pn_pool_counts;
pn_pool_counts pn_pool_read_counts(const pn_pool *pool, pn_region region);
const char *pn_pool_region_name(pn_region region);

void pn_pool_before_fork(pn_pool *pool); /* workers finish and join */
void pn_pool_after_fork(pn_pool *pool);  /* in parent and child: workers restart lazily, in the next shared region */

/* Sets rounding to nearest, and flushes or keeps denormals.  Returns the previous state, for pn_float_leave. */
unsigned pn_float_enter(bool flush);
void pn_float_leave(unsigned previous);

#endif
