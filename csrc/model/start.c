/* start.c -- initial values of parameters and state, as pyneural/initializers.py computes them. */
#include <string.h>

#include "base/rng.h"
#include "kernels/random.h"
#include "model/inside.h"

static void fill(const pn_engine *engine, const pn_team *team, const pn_layer_tensor *tensor, uint64_t seed)
{
    const pn_view *v = &tensor->value->v;
    const double a = tensor->init.a;
    pn_random job = { .f = tensor->init.kind == PN_INIT_NORMAL ? PN_RANDOM_NORMAL : PN_RANDOM_UNIFORM,
                      .n = v->size,
                      .a = tensor->init.kind == PN_INIT_NORMAL ? 0 : -a,
                      .b = a,
                      .key = pn_rng_key(seed, pn_rng_stream(tensor->path)),
                      .y = v->data };
    if (tensor->init.kind != PN_INIT_CONSTANT)
        engine->kernels[v->dtype]->random(team, &job);
    if (tensor->init.zero_first)
        memset(v->data, 0, pn_view_bytes(v) / (size_t)v->shape[0]);
    for (pn_index i = 0; tensor->init.kind == PN_INIT_CONSTANT && i < v->size; i++)
        if (v->dtype == PN_FLOAT64)
            ((double *)v->data)[i] = a;
        else
            ((float *)v->data)[i] = (float)a;
    pn_tensor_touch(tensor->value);
}

int pn_model_initialise(pn_model *m, uint64_t seed, pn_error *err)
{
    for (pn_index i = 0; i < m->n_tensors; i++)
        if (m->tensors[i]->init.kind == PN_INIT_UNKNOWN)
            return pn_fail(err, PN_EVALUE, "%s: %s has a custom initializer, which only Python has", m->name,
                           m->tensors[i]->path);
    pn_team team = { .pool = m->engine->pool, .flush = m->network.dtype == PN_FLOAT32 };
    team.scratch = pn_mem_get(m->engine->memory, PN_SCRATCH_BYTES, err);
    if (!team.scratch)
        return -1;
    for (pn_index i = 0; i < m->n_tensors; i++)
        fill(m->engine, &team, m->tensors[i], seed);
    pn_mem_put(team.scratch);
    return 0;
}
