/* optim.c -- optimizers over a block of parameters, or over single tensors, in one fused pass.
 *
 * A step iterates over runs: contiguous parameters with the same hyperparameters.  In a block, adjacent segments merge
 * (the padding between them is zero and stays zero), so that a whole model takes one or a few kernel calls. */
#include <math.h>
#include <string.h>

#include "optim/optim.h"

enum { SUMSQ_CUT = 16384, STEP = 16 }; /* elements per partial sum (of pn_sumsq); alignment of tensors in a slot */

struct pn_optimizer {
    pn_engine *engine;
    const pn_optimizer_kind *kind;
    pn_hyper hyper;
    pn_block *block; /* NULL: use the tensors */
    pn_tensor **tensors;
    pn_index n, length;
    pn_dtype dtype;
    char *slots[2];
    double *partial;
    void *scratch;         /* the caller's scratch in a team */
    _Atomic int64_t steps; /* this and last_norm may be read while a step runs */
    _Atomic double last_norm;
};

typedef struct run {
    char *p;
    const char *g;
    pn_index n, at; /* number of values, and their offset in a slot */
    bool decays;
} run;

/* ---- creating and freeing -------------------------------------------------------------------------------------- */

static pn_index padded(pn_index n) { return pn_ceil_div(n, STEP) * STEP; }

static int check_tensor(const pn_optimizer_kind *kind, pn_index i, pn_tensor *const *tensors, pn_error *err)
{
    const pn_tensor *t = tensors[i];
    if (t->node || !pn_tensor_wants_grad(t))
        return pn_fail(err, PN_ESTATE,
                       "%s: tensor %td does not require a gradient; give leaves made with requires_grad=True",
                       kind->name, i);
    if (!t->storage || t->storage->readonly)
        return pn_fail(err, PN_ESTATE, "%s: tensor %td has no writable memory of its own; give a copy: pn.tensor(...)",
                       kind->name, i);
    if (t->v.dtype != tensors[0]->v.dtype)
        return pn_fail(err, PN_EDTYPE,
                       "%s: tensor %td is %s, but tensor 0 is %s; give one dtype, or make two optimizers", kind->name,
                       i, pn_dtype_name(t->v.dtype), pn_dtype_name(tensors[0]->v.dtype));
    return 0;
}

static int refuse_twin(const pn_optimizer *o, pn_index i, pn_error *err)
{
    pn_index j = 0;
    while (o->tensors[j] != o->tensors[i])
        j++;
    return pn_fail(err, PN_EVALUE, "%s: tensors %td and %td are the same; give each once", o->kind->name, j, i);
}

static int busy(const pn_optimizer *o, pn_error *err)
{
    return pn_fail(err, PN_ESTATE,
                   "%s: another thread is running backward or a step on these parameters; use one thread, or give each "
                   "thread its own model",
                   o->kind->name);
}

/* Checks that no tensor is given twice, by marking their slots under a claim. */
static int check_twins(const pn_optimizer *o, pn_error *err)
{
    pn_claim claim = { NULL };
    pn_index marked = 0;
    int failed = 0;
    while (marked < o->n && !failed) {
        pn_slot *slot = o->tensors[marked]->slot;
        if (pn_slot_claim(slot, &claim)) {
            failed = busy(o, err);
        } else if (slot->visited) {
            failed = refuse_twin(o, marked, err);
        } else {
            slot->visited = true;
            marked++;
        }
    }
    while (marked > 0)
        ((pn_slot *)o->tensors[--marked]->slot)->visited = false;
    pn_claim_release(&claim);
    return failed;
}

static int take_tensors(pn_optimizer *o, pn_index n, pn_tensor *const *tensors, pn_error *err)
{
    if (n < 1)
        return pn_fail(err, PN_EVALUE, "%s: no parameters; give at least one tensor", o->kind->name);
    o->tensors = pn_mem_get(o->engine->memory, (size_t)n * sizeof *tensors, err);
    if (!o->tensors)
        return -1;
    for (pn_index i = 0; i < n; i++) {
        if (check_tensor(o->kind, i, tensors, err))
            return -1;
        o->tensors[o->n++] = pn_tensor_ref(tensors[i]);
        o->length += padded(tensors[i]->v.size);
    }
    o->dtype = tensors[0]->v.dtype;
    return check_twins(o, err);
}

static int take_block(pn_optimizer *o, pn_block *block, pn_error *err)
{
    if (!block->grads)
        return pn_fail(err, PN_ESTATE, "%s: this block holds state, which has no gradients", o->kind->name);
    o->block = pn_block_ref(block);
    o->length = block->length;
    o->dtype = block->dtype;
    return 0;
}

static int check_hyper(const pn_optimizer_kind *kind, const pn_hyper *h, pn_error *err);

pn_optimizer *pn_optimizer_new(pn_engine *engine, const pn_optimizer_kind *kind, const pn_hyper *hyper, pn_block *block,
                               pn_index n, pn_tensor *const *tensors, pn_error *err)
{
    const pn_hyper *h = hyper ? hyper : &kind->defaults;
    if (check_hyper(kind, h, err))
        return NULL;
    pn_optimizer *o = pn_mem_get_zeroed(engine->memory, sizeof *o, err);
    if (!o)
        return NULL;
    o->engine = engine;
    o->kind = kind;
    o->hyper = *h;
    if (block ? take_block(o, block, err) : take_tensors(o, n, tensors, err))
        goto fail;
    for (int s = 0; s < kind->slots; s++)
        if (!(o->slots[s] = pn_mem_get_zeroed(engine->memory, (size_t)o->length * pn_dtype_size(o->dtype), err)))
            goto fail;
    o->partial = pn_mem_get(engine->memory, (size_t)(o->length / SUMSQ_CUT + 1) * sizeof *o->partial, err);
    o->scratch = pn_mem_get(engine->memory, PN_SCRATCH_BYTES, err);
    if (o->partial && o->scratch)
        return o;
fail:
    pn_optimizer_free(o);
    return NULL;
}

/* When an optimizer is freed, training is over, and the memory of its batches is no longer needed. */
void pn_optimizer_free(pn_optimizer *o)
{
    if (!o)
        return;
    pn_memory *memory = o->engine->memory;
    for (pn_index i = 0; i < o->n; i++)
        pn_tensor_unref(o->tensors[i]);
    pn_block_unref(o->block);
    pn_mem_put(o->tensors);
    for (int s = 0; s < 2; s++)
        pn_mem_put(o->slots[s]);
    pn_mem_put(o->partial);
    pn_mem_put(o->scratch);
    pn_mem_put(o);
    pn_memory_settle(memory);
}

/* The values of the gradient, which the caller has claimed; NULL: none, or frozen. */
static const void *gradient(const pn_tensor *t)
{
    const pn_slot *slot = pn_tensor_wants_grad(t) ? t->slot : NULL;
    return slot && slot->grad ? slot->grad->v.data : NULL;
}

/* ---- checks before a step -------------------------------------------------------------------------------------- */

static int check_range(const pn_optimizer_kind *kind, const char *name, double v, double low, double below,
                       pn_error *err)
{
    if (v >= low && v < below)
        return 0;
    if (below == (double)INFINITY)
        return pn_fail(err, PN_EVALUE, "%s: %s is %g; give a finite number, at least %g", kind->name, name, v, low);
    return pn_fail(err, PN_EVALUE, "%s: %s is %g; give at least %g and less than %g", kind->name, name, v, low, below);
}

static int check_hyper(const pn_optimizer_kind *kind, const pn_hyper *h, pn_error *err)
{
    const double inf = (double)INFINITY;
    if (check_range(kind, "learning_rate", h->learning_rate, 0, inf, err) ||
        check_range(kind, "weight_decay", h->weight_decay, 0, inf, err) ||
        check_range(kind, "momentum", h->momentum, 0, 1, err) || check_range(kind, "beta1", h->beta1, 0, 1, err) ||
        check_range(kind, "beta2", h->beta2, 0, 1, err) || check_range(kind, "clip_norm", h->clip_norm, 0, inf, err))
        return -1;
    if (strstr(kind->reads, "epsilon") && !(h->epsilon > 0 && h->epsilon < inf))
        return pn_fail(err, PN_EVALUE, "%s: epsilon is %g; give a number greater than 0", kind->name, h->epsilon);
    if (h->nesterov && !(h->momentum > 0))
        return pn_fail(err, PN_EVALUE, "%s: nesterov needs a momentum greater than 0, such as 0.9", kind->name);
    return 0;
}

/* Claims all gradients, so that no sweep writes or replaces one during the step.  Frozen tensors are skipped. */
static int claim_gradients(const pn_optimizer *o, pn_claim *claim, pn_error *err)
{
    if (o->block && o->block->n_segments > 0 && pn_slot_claim(o->block->segments[0].value->slot, claim))
        return busy(o, err);
    for (pn_index i = 0; i < o->n; i++) {
        const pn_tensor *t = o->tensors[i];
        if (pn_slot_claim(t->slot, claim))
            return busy(o, err);
        if (pn_tensor_wants_grad(t) && !gradient(t))
            return pn_fail(err, PN_ESTATE,
                           "%s: tensor %td, %s, has no gradient; call backward on a loss that depends on it first",
                           o->kind->name, i, pn_view_text(&t->v).s);
    }
    return 0;
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

static bool decays(const pn_optimizer *o, pn_group group)
{
    return o->hyper.weight_decay > 0 && (o->hyper.decay_all || group == PN_GROUP_WEIGHT);
}

static bool next_in_block(const pn_optimizer *o, pn_index *i, run *r)
{
    const pn_segment *s = o->block->segments;
    const pn_index n = o->block->n_segments, item = (pn_index)pn_dtype_size(o->dtype);
    while (*i < n && !pn_segment_trains(&s[*i]))
        ++*i;
    if (*i == n)
        return false;
    const pn_segment *first = &s[*i], *last = first;
    const bool decay = decays(o, first->group);
    for (++*i; *i < n && pn_segment_trains(&s[*i]) && decays(o, s[*i].group) == decay; ++*i)
        last = &s[*i];
    *r = (run){ .p = (char *)o->block->values->data + first->offset * item,
                .g = (const char *)o->block->grads->data + first->offset * item,
                .n = last->offset + last->length - first->offset,
                .at = first->offset,
                .decays = decay };
    return true;
}

/* The next run to update; *i and *at start at 0. */
static bool next_run(const pn_optimizer *o, pn_index *i, pn_index *at, run *r)
{
    if (o->block)
        return next_in_block(o, i, r);
    while (*i < o->n) {
        pn_tensor *t = o->tensors[(*i)++];
        *r = (run){ .p = t->v.data, .g = gradient(t), .n = t->v.size, .at = *at, .decays = decays(o, PN_GROUP_WEIGHT) };
        *at += padded(t->v.size);
        if (r->g)
            return true;
    }
    return false;
}

/* ---- a step ---------------------------------------------------------------------------------------------------- */

static double global_norm(const pn_optimizer *o, const pn_team *team)
{
    const pn_kernels *k = o->engine->kernels[o->dtype];
    double total = 0;
    run r;
    for (pn_index i = 0, at = 0; next_run(o, &i, &at, &r);) {
        double sum = 0;
        k->sumsq(team, &(pn_sumsq){ .n = r.n, .x = r.g, .y = &sum, .partial = o->partial });
        total += sum;
    }
    return sqrt(total);
}

static void update(const pn_optimizer *o, const pn_team *team, double grad_scale)
{
    const pn_hyper *h = &o->hyper;
    const pn_index item = (pn_index)pn_dtype_size(o->dtype);
    const double t = (double)o->steps + 1;
    run r;
    for (pn_index i = 0, at = 0; next_run(o, &i, &at, &r);) {
        pn_update u = { .f = o->kind->f,
                        .n = r.n,
                        .p = r.p,
                        .g = r.g,
                        .rate = h->learning_rate,
                        .decay = r.decays ? h->weight_decay : 0,
                        .grad_scale = grad_scale,
                        .momentum = h->momentum,
                        .nesterov = h->nesterov,
                        .beta1 = h->beta1,
                        .beta2 = h->beta2,
                        .epsilon = h->epsilon,
                        .correction1 = 1 - pow(h->beta1, t),
                        .correction2 = 1 - pow(h->beta2, t) };
        for (int s = 0; s < o->kind->slots; s++)
            u.slot[s] = o->slots[s] + r.at * item;
        o->engine->kernels[o->dtype]->update(team, &u);
    }
}

static void touch(const pn_optimizer *o)
{
    for (pn_index i = 0; i < o->n; i++)
        if (pn_tensor_wants_grad(o->tensors[i]))
            pn_tensor_touch(o->tensors[i]);
    if (o->block && o->block->n_segments > 0)
        pn_tensor_touch(o->block->segments[0].value); /* all segments share one storage */
}

/* The factor that clips the gradient, or -1 on error. */
static double clipping(pn_optimizer *o, const pn_team *team, pn_error *err)
{
    const double most = o->hyper.clip_norm;
    if (most == 0)
        return 1;
    const double norm = global_norm(o, team);
    o->last_norm = norm;
    if (!isfinite(norm)) {
        pn_fail(err, PN_EVALUE,
                "%s: the gradient's norm is %g, so it cannot be clipped and nothing was updated; "
                "lower learning_rate, or look for infinite values in the data",
                o->kind->name, norm);
        return -1;
    }
    return norm > most ? most / norm : 1;
}

/* The caller has claimed all gradients.  Writes nothing if it fails. */
static int run_step(pn_optimizer *o, pn_error *err)
{
    const pn_team team = { .pool = o->engine->pool, .scratch = o->scratch, .flush = o->dtype == PN_FLOAT32 };
    const unsigned mode = pn_float_enter(team.flush);
    const double grad_scale = clipping(o, &team, err);
    if (grad_scale >= 0)
        update(o, &team, grad_scale);
    pn_float_leave(mode);
    if (grad_scale < 0)
        return -1;
    touch(o);
    o->steps += o->steps < INT64_MAX;
    return 0;
}

int pn_optimizer_step(pn_optimizer *o, pn_error *err)
{
    pn_claim claim = { NULL };
    if (check_hyper(o->kind, &o->hyper, err))
        return -1;
    const int failed = claim_gradients(o, &claim, err) || run_step(o, err);
    pn_claim_release(&claim);
    return failed ? -1 : 0;
}

/* ---- accessors ------------------------------------------------------------------------------------------------- */

pn_hyper *pn_optimizer_hyper(pn_optimizer *o) { return &o->hyper; }
int64_t pn_optimizer_steps(const pn_optimizer *o) { return o->steps; }
void pn_optimizer_set_steps(pn_optimizer *o, int64_t steps) { o->steps = steps; }
double pn_optimizer_last_norm(const pn_optimizer *o) { return o->last_norm; }
void *pn_optimizer_slot(pn_optimizer *o, int slot) { return o->slots[slot]; }
pn_index pn_optimizer_length(const pn_optimizer *o) { return o->length; }
pn_dtype pn_optimizer_dtype(const pn_optimizer *o) { return o->dtype; }
const pn_optimizer_kind *pn_optimizer_what(const pn_optimizer *o) { return o->kind; }
