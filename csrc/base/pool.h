/* pool.h -- threads that share one region of work at a time. */
#ifndef PN_BASE_POOL_H
#define PN_BASE_POOL_H

#include <stdatomic.h>

#include "base/mem.h"

enum { PN_MAX_THREADS = 64, PN_SCRATCH_BYTES = 1 << 20 };

typedef struct pn_pool pn_pool;

/* Which kernel a region belongs to, for the counters. */
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
 * scratch: PN_SCRATCH_BYTES that no other task uses meanwhile, 64-byte aligned. */
typedef void pn_task(const void *job, pn_index begin, pn_index end, void *scratch);

/* How long work learns that it should end.  The thread that called asks, about every tenth of a second; once the answer
 * is yes, the rest of this region and all later ones of the call are skipped: what they were to write is worthless. */
typedef struct pn_stop {
    bool (*asked)(void *argument); /* NULL: nobody ever asks */
    void *argument;
    double unseen_ns;    /* work, as estimated, since the last look at the clock */
    int64_t answered_ns; /* when was asked, or looked at the clock first; 0: not yet */
    _Atomic bool now;
} pn_stop;

/* Who works on one call: the pool (NULL: the caller alone) and the caller's own scratch. */
typedef struct pn_team {
    pn_pool *pool;
    pn_stop *stop; /* NULL: the work is always done to its end */
    void *scratch; /* PN_SCRATCH_BYTES, aligned, the caller's for the length of the call */
    bool flush;    /* denormals become 0 (float32); float64 keeps them */
} pn_team;

pn_pool *pn_pool_new(pn_memory *memory, int threads, pn_error *err); /* threads counts the caller; 1..PN_MAX_THREADS */
void pn_pool_free(pn_pool *pool);
int pn_pool_threads(const pn_pool *pool);
int pn_pool_set_threads(pn_pool *pool, int threads, pn_error *err);

/* Runs task over items 0..n-1, cut into contiguous pieces; returns when all are done.  item_ns is a rough cost of one
 * item on one thread: regions under about 20 microseconds in all (6 while every worker is awake), or met while the pool
 * is busy, run on the caller alone.  Who computes which item is free, so a task must not let its result depend on how
 * the items were cut.  A task that runs a region itself gets it inline, on its own thread, and must give it a team with
 * its own scratch. */
void pn_pool_run(const pn_team *team, pn_region region, pn_index n, double item_ns, pn_task *task, const void *job);

/* Regions of one kind so far: all, and those in which two or more threads did at least one item. */
typedef struct pn_pool_counts {
    uint64_t regions, shared;
} pn_pool_counts;
pn_pool_counts pn_pool_read_counts(const pn_pool *pool, pn_region region);
const char *pn_pool_region_name(pn_region region);

void pn_pool_before_fork(pn_pool *pool); /* workers finish and join */
void pn_pool_after_fork(pn_pool *pool);  /* in parent and child: workers restart lazily, at the next shared region */

/* Rounds to nearest; flushes denormals or keeps them.  Returns what pn_float_leave restores. */
unsigned pn_float_enter(bool flush);
void pn_float_leave(unsigned previous);

#endif
