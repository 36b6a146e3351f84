/* engine.c -- creates and frees engines. */
#include "engine/engine.h"

static int choose_isa(const char *name, pn_isa *isa, pn_error *err)
{
    const pn_isa best = pn_cpu_best_isa();
    *isa = best;
    if (!name)
        return 0;
    const int wanted = pn_cpu_isa_from_name(name);
    if (wanted < 0)
        return pn_fail(err, PN_EVALUE, "engine: unknown instruction set '%s'; give naive, baseline, avx2 or avx512",
                       name);
    if (wanted > (int)best)
        return pn_fail(err, PN_EVALUE,
                       "engine: instruction set '%s' was requested, but this processor supports at most '%s'", name,
                       pn_cpu_isa_name(best));
    *isa = (pn_isa)wanted;
    return 0;
}

pn_engine *pn_engine_new(const pn_engine_options *options, pn_error *err)
{
    pn_isa isa;
    if (choose_isa(options->isa, &isa, err))
        return NULL;
    pn_memory *memory = pn_memory_new(err);
    if (!memory)
        return NULL;
    const int threads = options->threads ? options->threads : (int)pn_min(pn_cpu_threads(), PN_MAX_THREADS);
    pn_engine *engine = pn_mem_get_zeroed(memory, sizeof *engine, err);
    if (!engine)
        goto fail;
    engine->memory = memory;
    engine->pool = pn_pool_new(memory, threads, err);
    if (!engine->pool)
        goto fail;
    for (pn_dtype dtype = PN_FLOAT32; dtype < PN_DTYPES; dtype++)
        engine->kernels[dtype] = pn_kernels_for(isa, dtype);
    atomic_init(&engine->sequence, 1);
    return engine;
fail:
    pn_mem_put(engine);
    pn_memory_free(memory);
    return NULL;
}

void pn_engine_free(pn_engine *engine)
{
    if (!engine)
        return;
    pn_memory *memory = engine->memory;
    pn_pool_free(engine->pool);
    pn_mem_put(engine);
    pn_memory_free(memory);
}

/* The pool's workers use the memory, so the memory's lock is taken last and released first. */
void pn_engine_before_fork(pn_engine *engine)
{
    pn_pool_before_fork(engine->pool);
    pn_memory_before_fork(engine->memory);
}

void pn_engine_after_fork(pn_engine *engine)
{
    pn_memory_after_fork(engine->memory);
    pn_pool_after_fork(engine->pool);
}
