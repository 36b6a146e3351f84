/* engine.h -- pn_engine: memory + pool + kernel tables, the only world there is. */
#ifndef PN_ENGINE_H
#define PN_ENGINE_H

#include <stdatomic.h>

#include "kernels/kernels.h"

typedef struct pn_engine {
    pn_memory *memory;
    pn_pool *pool;
    const pn_kernels *kernels[PN_DTYPES];
    atomic_uint_fast64_t sequence; /* the next graph node's number */
    bool (*stop_asked)(void *);    /* whether a long call should end (pn_stop); NULL, as at first: never */
    void *stop_argument;
    bool audit; /* for tests: every op is tried as graph/audit.h says */
} pn_engine;

typedef struct pn_engine_options {
    int threads;     /* 0: what the machine allows (pn_cpu_threads) */
    const char *isa; /* NULL: the best this processor has */
} pn_engine_options;

/* NULL and err when an option is wrong or memory is short.  Everything made with an engine must be gone before it. */
pn_engine *pn_engine_new(const pn_engine_options *options, pn_error *err);
void pn_engine_free(pn_engine *engine);

/* For one call: it asks what the engine's owner gave. */
static inline pn_stop pn_engine_stop(const pn_engine *engine)
{
    return (pn_stop){ .asked = engine->stop_asked, .argument = engine->stop_argument };
}

void pn_engine_before_fork(pn_engine *engine);
void pn_engine_after_fork(pn_engine *engine);

#endif
