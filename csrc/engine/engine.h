/* engine.h -- pn_engine: memory, thread pool and kernel tables; all global state of the library lives in it. */
#ifndef PN_ENGINE_H
#define PN_ENGINE_H

#include <stdatomic.h>

#include "kernels/kernels.h"

typedef struct pn_engine {
    pn_memory *memory;
    pn_pool *pool;
    const pn_kernels *kernels[PN_DTYPES];
    atomic_uint_fast64_t sequence; /* number of the next graph node */
    bool (*stop_asked)(void *);    /* whether a long call should stop (pn_stop); NULL (the initial value): never */
    void *stop_argument;
    bool audit; /* for tests: every op is run under graph/audit.h */
} pn_engine;

typedef struct pn_engine_options {
    int threads;     /* 0: as many as the machine allows (pn_cpu_threads) */
    const char *isa; /* NULL: the best one that this processor supports */
} pn_engine_options;

/* Returns NULL and sets err if an option is invalid or memory is short.  Free everything made with an engine before
 * it. */
pn_engine *pn_engine_new(const pn_engine_options *options, pn_error *err);
void pn_engine_free(pn_engine *engine);

/* The pn_stop of one call; it polls the function that the engine's owner has set. */
static inline pn_stop pn_engine_stop(const pn_engine *engine)
{
    return (pn_stop){ .asked = engine->stop_asked, .argument = engine->stop_argument };
}

void pn_engine_before_fork(pn_engine *engine);
void pn_engine_after_fork(pn_engine *engine);

#endif
