/* backward.c -- the backward sweep: collects the nodes that the loss depends on, and visits them from newest to oldest.
 *
 * Nothing recurses.  Nodes and slots are claimed by writing the address of the sweep's claim into their owner field
 * (see the rule in tensor.h), so a second thread that finds one claimed raises an error instead of racing.  An op's
 * backward is told for each gradient whether to write it (the target is fresh) or to add to it, so nothing is zeroed
 * beforehand. */
#include <string.h>

#include "graph/audit.h"
#include "graph/node.h"

typedef struct sweep {
    pn_engine *engine;
    pn_team team; /* its scratch lives for the whole sweep */
    pn_stop stop;
    bool accumulate;
    pn_claim claim; /* on slots; its address is also the owner of nodes */
    pn_node *nodes; /* claimed; after sorting, newest first */
    pn_slot *slots; /* claimed and reached */
    pn_error *err;
} sweep;

/* ---- claiming ------------------------------------------------------------------------------------------------- */

static int busy(pn_error *err)
{
    return pn_fail(err, PN_ESTATE,
                   "backward: another thread is running backward on this graph or its parameters, or an optimizer step "
                   "on these parameters; use one thread, or give each thread its own model");
}

static int claim_slot(sweep *s, pn_slot *slot)
{
    if (pn_slot_claim(slot, &s->claim))
        return busy(s->err);
    if (slot->visited)
        return 0;
    slot->visited = true;
    slot->fresh = !(s->accumulate && slot->grad);
    slot->next = s->slots;
    s->slots = slot;
    return 0;
}

static int claim_node(sweep *s, pn_node *node, pn_node **stack)
{
    const pn_claimed got = pn_owner_claim(&node->owner, &s->claim);
    if (got != PN_CLAIM_NEW)
        return got == PN_CLAIM_BUSY ? busy(s->err) : 0;
    node->next = *stack;
    *stack = node;
    if (node->freed)
        return pn_fail(s->err, PN_ESTATE,
                       "backward: this graph was freed by an earlier backward (through %s); "
                       "compute the loss again, or give the first one keep_graph=True",
                       node->op->name);
    return 0;
}

/* Claims every node and slot that root depends on.  s->nodes and s->slots hold all that was claimed, also on
 * failure. */
static int collect(sweep *s, pn_node *root)
{
    pn_node *stack = NULL;
    int failed = claim_node(s, root, &stack);
    while (stack) {
        pn_node *node = stack;
        stack = node->next;
        node->next = s->nodes;
        s->nodes = node;
        for (int i = 0; i < node->n_in && !failed; i++) {
            const pn_edge *edge = &node->in[i].edge;
            if (edge->node)
                failed = claim_node(s, edge->node, &stack);
            else if (edge->slot)
                failed = claim_slot(s, edge->slot);
        }
        for (int i = 0; i < node->n_out && !failed; i++)
            if (node->out[i].slot)
                failed = claim_slot(s, node->out[i].slot);
    }
    return failed;
}

static void release_claims(sweep *s)
{
    for (pn_slot *slot = s->slots; slot; slot = slot->next)
        slot->visited = false;
    pn_claim_release(&s->claim);
    while (s->nodes) {
        pn_node *node = s->nodes;
        s->nodes = node->next;
        for (int i = 0; i < node->n_out; i++) {
            pn_storage_unref(node->out[i].dy);
            node->out[i].dy = NULL;
        }
        pn_owner_release(&node->owner);
    }
}

/* ---- sorting: merge sort on the list with bins of 2^i nodes; needs no extra memory ------------------------------- */

static pn_node *merge(pn_node *a, pn_node *b)
{
    pn_node *head = NULL, **tail = &head;
    while (a && b) {
        pn_node **newer = a->sequence > b->sequence ? &a : &b;
        *tail = *newer;
        tail = &(*newer)->next;
        *newer = (*newer)->next;
    }
    *tail = a ? a : b;
    return head;
}

static pn_node *newest_first(pn_node *list)
{
    pn_node *bins[48] = { NULL };
    while (list) {
        pn_node *run = list;
        list = list->next;
        run->next = NULL;
        int i = 0;
        for (; bins[i]; i++) {
            run = merge(bins[i], run);
            bins[i] = NULL;
        }
        bins[i] = run;
    }
    for (int i = 0; i < 48; i++)
        list = bins[i] ? merge(bins[i], list) : list;
    return list;
}

/* ---- targets: where an input's gradient goes --------------------------------------------------------------------- */

/* y (+)= x, both of this view's shape and dtype. */
static void axpy(const sweep *s, const pn_view *view, const void *x, void *y, bool add)
{
    s->engine->kernels[view->dtype]->axpy(&s->team, &(pn_axpy){ .n = view->size, .a = 1, .x = x, .y = y, .add = add });
}

/* The gradient buffer of a slot.  Allocates one if there is none, or if the old one is still referenced elsewhere. */
static void *slot_target(sweep *s, pn_slot *slot, const pn_view *shape, bool *add)
{
    *add = !slot->fresh;
    if (!slot->grad || (slot->fresh && !slot->bound && atomic_load(&slot->grad->refs) > 1)) {
        pn_tensor *grad = pn_tensor_new(s->engine, shape, s->err);
        if (!grad)
            return NULL;
        pn_tensor_unref(slot->grad);
        slot->grad = grad;
    }
    slot->fresh = false;
    pn_tensor_touch(slot->grad);
    return slot->grad->v.data;
}

/* The gradient buffer of a node's output.  A shared buffer (passed on) is copied before anything is added to it. */
static void *node_target(sweep *s, pn_node_out *out, bool *add)
{
    *add = out->dy;
    if (out->dy && atomic_load(&out->dy->refs) == 1)
        return out->dy->data;
    pn_storage *own = pn_storage_new(s->engine, pn_view_bytes(&out->view), s->err);
    if (!own)
        return NULL;
    if (out->dy) {
        axpy(s, &out->view, out->dy->data, own->data, false);
        pn_storage_unref(out->dy);
    }
    out->dy = own;
    return own->data;
}

static void *target(sweep *s, pn_node *node, int i, bool *add)
{
    const pn_node_in *in = &node->in[i];
    return in->edge.slot ? slot_target(s, in->edge.slot, &in->view, add)
                         : node_target(s, &in->edge.node->out[in->edge.output], add);
}

/* ---- one node ---------------------------------------------------------------------------------------------------- */

static int check_versions(const pn_node *node, pn_error *err)
{
    for (int i = 0; i < node->n_in + node->n_out; i++) {
        const pn_kept *kept = i < node->n_in ? &node->in[i].kept : &node->out[i - node->n_in].kept;
        if (kept->storage && atomic_load(&kept->storage->version) != kept->version)
            return pn_fail(err, PN_ESTATE,
                           "backward: %s needs its %s number %d (%s), but that was changed in place after the forward "
                           "pass; run forward again, or change it after backward",
                           node->op->name, i < node->n_in ? "input" : "output", i < node->n_in ? i : i - node->n_in,
                           pn_view_text(i < node->n_in ? &node->in[i].view : &node->out[i - node->n_in].view).s);
    }
    return 0;
}

/* For an input whose gradient is dy itself: passes on the buffer, or copies or adds it if that is not possible. */
static int pass_on(sweep *s, pn_node *node, int i)
{
    const pn_edge *edge = &node->in[i].edge;
    pn_storage *dy = node->out[0].dy;
    if (edge->node && !edge->node->out[edge->output].dy) {
        edge->node->out[edge->output].dy = pn_storage_ref(dy);
        return 0;
    }
    bool add;
    void *dx = target(s, node, i, &add);
    if (!dx)
        return -1;
    axpy(s, &node->in[i].view, dy->data, dx, add);
    return 0;
}

static bool passes(const pn_node *node, int i)
{
    return i < 32 && node->op->passes >> i & 1 && node->in[i].view.size == node->out[0].view.size;
}

static bool wanted(const pn_node *node, int i) { return node->in[i].edge.node || node->in[i].edge.slot; }

/* Whether an earlier input of this call has the same target.  Ops never see aliased gradients, so this input then gets
 * a separate buffer. */
static bool repeats(const pn_node *node, int i)
{
    const pn_edge *e = &node->in[i].edge;
    for (int j = 0; j < i; j++) {
        const pn_edge *f = &node->in[j].edge;
        if (e->slot ? f->slot == e->slot : f->node == e->node && f->output == e->output)
            return true;
    }
    return false;
}

typedef struct spare {
    pn_storage *storage;
    int input;
} spare; /* the separate buffer of an aliased input */

/* Whether the gradient of input 0 may overwrite dy: nothing else reads dy, and the target has no contribution yet. */
static bool overwrites(const pn_node *node, const pn_call *call)
{
    const pn_edge *e = &node->in[0].edge;
    return node->op->overwrites && call->owns_dy && e->node && !e->node->out[e->output].dy &&
           node->in[0].view.size == node->out[0].view.size;
}

/* Chooses a buffer for each wanted gradient.  Returns how many non-empty ones op->backward must compute, or -1. */
static int choose_targets(sweep *s, pn_node *node, pn_call *call, spare *spares, int *n_spares)
{
    int computed = 0;
    for (int i = 0; i < node->n_in; i++) {
        if (!wanted(node, i) || passes(node, i))
            continue;
        if (repeats(node, i)) {
            pn_storage *own = pn_storage_new(s->engine, pn_view_bytes(&node->in[i].view), s->err);
            if (!own)
                return -1;
            spares[(*n_spares)++] = (spare){ own, i };
            call->dx[i] = own->data;
        } else if (i == 0 && overwrites(node, call)) {
            node->in[0].edge.node->out[node->in[0].edge.output].dy = pn_storage_ref(node->out[0].dy);
            call->dx[0] = node->out[0].dy->data;
        } else if (!(call->dx[i] = target(s, node, i, &call->add[i]))) {
            return -1;
        }
        computed += node->in[i].view.size > 0;
    }
    return computed;
}

static bool owns_dy(const pn_node *node)
{
    return node->n_out == 1 && atomic_load(&node->out[0].dy->refs) == 1 && !node->op->passes;
}

static void fill_call(pn_call *call, const sweep *s, pn_node *node)
{
    pn_call_clear(call, node->n_in);
    call->op = node->op;
    call->k = node->kernels;
    call->team = &s->team;
    call->params = node->params;
    call->plan = node->plan;
    call->saved = node->saved;
    call->backward_scratch = node->backward_scratch;
    call->recording = true;
    call->n_out = node->n_out;
    for (int i = 0; i < node->n_in; i++) {
        call->x[i] = node->in[i].given ? &node->in[i].view : NULL;
        call->wants[i] = wanted(node, i);
    }
    for (int i = 0; i < node->n_out; i++) {
        call->y[i] = node->out[i].view;
        call->dy[i] = node->out[i].dy ? node->out[i].dy->data : NULL;
    }
    call->owns_dy = owns_dy(node);
}

static void no_gradient(const pn_call *call)
{
    for (int i = 0; i < call->n_in; i++)
        if (call->dx[i] && !call->add[i])
            memset(call->dx[i], 0, pn_view_bytes(call->x[i]));
}

static int run_backward(sweep *s, pn_node *node, pn_call *call)
{
    if (!pn_call_has_values(call)) {
        no_gradient(call);
        return 0;
    }
    if (node->backward_scratch && !(call->scratch = pn_mem_get(s->engine->memory, node->backward_scratch, s->err)))
        return -1;
    const int failed = s->engine->audit ? pn_audit_backward(s->engine, call, s->err) : (node->op->backward(call), 0);
    pn_mem_put(call->scratch);
    return failed;
}

/* Computes the gradients of all inputs of one node from those of its outputs. */
static int step_back(sweep *s, pn_node *node)
{
    pn_call call;
    spare spares[PN_MAX_IN];
    int n_spares = 0, failed = -1;
    if (check_versions(node, s->err))
        return -1;
    fill_call(&call, s, node);
    const int computed = choose_targets(s, node, &call, spares, &n_spares);
    if (computed < 0 || (computed > 0 && run_backward(s, node, &call)))
        goto done;
    for (int j = 0; j < n_spares; j++) {
        bool add;
        void *dx = target(s, node, spares[j].input, &add);
        if (!dx)
            goto done;
        axpy(s, &node->in[spares[j].input].view, spares[j].storage->data, dx, add);
    }
    for (int i = 0; i < node->n_in; i++)
        if (wanted(node, i) && passes(node, i) && pass_on(s, node, i))
            goto done;
    failed = 0;
done:
    for (int j = 0; j < n_spares; j++)
        pn_storage_unref(spares[j].storage);
    return failed;
}

/* Stores the gradient of an output that keeps it (keep_grad). */
static int keep_own(sweep *s, const pn_node_out *out)
{
    if (!out->slot || !out->dy)
        return 0;
    bool add;
    void *grad = slot_target(s, out->slot, &out->view, &add);
    if (!grad)
        return -1;
    axpy(s, &out->view, out->dy->data, grad, add);
    return 0;
}

static int walk(sweep *s, bool keep_graph)
{
    s->nodes = newest_first(s->nodes);
    for (pn_node *node = s->nodes; node; node = node->next) {
        bool reached = false;
        for (int i = 0; i < node->n_out; i++) {
            reached = reached || node->out[i].dy;
            if (keep_own(s, &node->out[i]))
                return -1;
        }
        if (reached && step_back(s, node))
            return -1;
        if (s->stop.now)
            return pn_fail(s->err, PN_ESTOP, "backward: interrupted");
        for (int i = 0; i < node->n_out; i++) {
            pn_storage_unref(node->out[i].dy);
            node->out[i].dy = NULL;
        }
        if (!keep_graph) {
            pn_node_forget(node);
            node->freed = true;
        }
    }
    return 0;
}

/* ---- entry points ------------------------------------------------------------------------------------------------ */

static int check_loss(const pn_tensor *loss, const pn_tensor *seed, pn_error *err)
{
    if (!pn_tensor_wants_grad(loss))
        return pn_fail(err, PN_ESTATE,
                       "backward: this tensor %s does not depend on any tensor that requires a gradient; make a leaf "
                       "with pn.tensor(..., requires_grad=True), and compute outside no_grad",
                       pn_view_text(&loss->v).s);
    if (!loss->node)
        return pn_fail(err, PN_ESTATE, "backward: this tensor is a leaf; call backward on a result computed from it");
    if (seed && (!pn_view_same_shape(&seed->v, &loss->v) || seed->v.dtype != loss->v.dtype || !seed->storage))
        return pn_fail(err, PN_ESHAPE,
                       "backward: gradient is %s %s, the tensor is %s %s; give one of the same shape and dtype",
                       pn_dtype_name(seed->v.dtype), pn_view_text(&seed->v).s, pn_dtype_name(loss->v.dtype),
                       pn_view_text(&loss->v).s);
    if (!seed && loss->v.size != 1)
        return pn_fail(err, PN_ESHAPE,
                       "backward: the loss must be one number, this tensor is %s; reduce it with .mean() or .sum(), or "
                       "pass gradient=",
                       pn_view_text(&loss->v).s);
    return 0;
}

/* Whether a view overlaps a gradient that the sweep writes. */
static bool is_target(const sweep *s, const pn_view *view)
{
    const uintptr_t begin = (uintptr_t)view->data, end = begin + pn_view_bytes(view);
    for (const pn_slot *slot = s->slots; slot; slot = slot->next) {
        const uintptr_t grad = slot->grad ? (uintptr_t)slot->grad->v.data : 0;
        if (grad && grad < end && begin < grad + pn_view_bytes(&slot->grad->v))
            return true;
    }
    return false;
}

static int plant_seed(sweep *s, const pn_tensor *loss, const pn_tensor *seed)
{
    pn_node_out *out = &loss->node->out[loss->output];
    if (seed && seed->v.data == seed->storage->data && !is_target(s, &seed->v)) {
        out->dy = pn_storage_ref(seed->storage); /* read in place; shared buffers are never written */
        return 0;
    }
    out->dy = pn_storage_new(s->engine, pn_view_bytes(&loss->v), s->err);
    if (!out->dy)
        return -1;
    if (seed)
        memcpy(out->dy->data, seed->v.data, pn_view_bytes(&seed->v));
    else
        s->engine->kernels[loss->v.dtype]->fill(&s->team, &(pn_fill){ .n = 1, .value = 1, .y = out->dy->data });
    return 0;
}

int pn_backward(pn_tensor *loss, const pn_backward_options *options, pn_error *err)
{
    static const pn_backward_options plain = { .accumulate = false };
    const pn_backward_options *o = options ? options : &plain;
    if (check_loss(loss, o->seed, err))
        return -1;
    sweep s = { .engine = loss->engine, .stop = pn_engine_stop(loss->engine), .accumulate = o->accumulate, .err = err };
    s.team = (pn_team){ .pool = loss->engine->pool,
                        .stop = &s.stop,
                        .flush = loss->v.dtype == PN_FLOAT32,
                        .scratch = pn_mem_get(loss->engine->memory, PN_SCRATCH_BYTES, err) };
    if (!s.team.scratch)
        return -1;
    const unsigned mode = pn_float_enter(s.team.flush);
    int failed = collect(&s, loss->node) || plant_seed(&s, loss, o->seed) || walk(&s, o->keep_graph);
    if (!failed && !o->accumulate)
        pn_slots_zero_rest(&s.slots);
    pn_float_leave(mode);
    release_claims(&s);
    pn_mem_put(s.team.scratch);
    return failed ? -1 : 0;
}

/* Claims the node for a few instructions, since sweeps read its slots. */
int pn_keep_grad(pn_tensor *tensor, pn_error *err)
{
    pn_node *node = tensor->node;
    if (!pn_tensor_wants_grad(tensor))
        return pn_fail(err, PN_ESTATE, "keep_grad: this tensor does not depend on any tensor that requires a gradient");
    if (!node || tensor->slot) /* a leaf always keeps its gradient */
        return 0;
    pn_slot *slot = pn_slot_new(tensor->engine, NULL, err);
    if (!slot)
        return -1;
    if (!pn_owner_look(&node->owner)) {
        pn_slot_unref(slot);
        return pn_fail(err, PN_ESTATE,
                       "keep_grad: another thread is running backward on this graph; call keep_grad before backward");
    }
    if (pn_slot_set(tensor, slot))
        node->out[tensor->output].slot = pn_slot_ref(slot);
    else
        pn_slot_unref(slot);
    pn_owner_release(&node->owner);
    return 0;
}
