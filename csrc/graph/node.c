/* node.c -- creates and frees nodes. */
#include <string.h>

#include "graph/node.h"

static void link_input(pn_node_in *in, pn_tensor *x, bool wanted)
{
    in->given = true;
    in->view = x->v;
    in->view.data = NULL;
    if (!wanted)
        return;
    if (x->node)
        in->edge = (pn_edge){ .node = pn_node_ref(x->node), .output = x->output };
    else
        in->edge = (pn_edge){ .slot = pn_slot_ref(x->slot) };
}

pn_node *pn_node_new(pn_engine *engine, const pn_call *call, pn_tensor *const *inputs, pn_error *err)
{
    const pn_op *op = call->op;
    const size_t in_bytes = (size_t)call->n_in * sizeof(pn_node_in);
    pn_node *node = pn_mem_get(engine->memory, sizeof *node + in_bytes + op->plan_bytes + op->param_bytes, err);
    if (!node)
        return NULL;
    memset(node, 0, sizeof *node + in_bytes);
    node->head.unref = pn_node_unref;
    atomic_init(&node->refs, 1);
    atomic_init(&node->owner, NULL);
    node->engine = engine;
    node->op = op;
    node->kernels = call->k;
    node->saved_bytes = call->saved_bytes;
    node->backward_scratch = call->backward_scratch;
    node->in = (pn_node_in *)(node + 1);
    node->plan = node->in + call->n_in;
    node->params = (char *)node->plan + op->plan_bytes;
    if (op->plan_bytes)
        memcpy(node->plan, call->plan, op->plan_bytes);
    if (op->param_bytes)
        memcpy(node->params, call->params, op->param_bytes);
    if (call->saved_bytes && !(node->saved = pn_mem_get(engine->memory, call->saved_bytes, err))) {
        pn_mem_put(node);
        return NULL;
    }
    node->n_in = call->n_in;
    node->n_out = call->n_out;
    for (int i = 0; i < node->n_in; i++)
        if (inputs[i])
            link_input(&node->in[i], inputs[i], call->wants[i]);
    node->sequence = atomic_fetch_add(&engine->sequence, 1);
    return node;
}

static void keep(pn_kept *kept, pn_view *view, const pn_tensor *tensor)
{
    kept->storage = pn_storage_ref(tensor->storage);
    kept->version = atomic_load(&tensor->storage->version);
    view->data = tensor->v.data;
}

void pn_node_keep(pn_node *node, const pn_call *call, pn_tensor *const *inputs, pn_tensor *const *outputs)
{
    for (int i = 0; i < node->n_in; i++)
        if (inputs[i] && call->keep_x >> i & 1)
            keep(&node->in[i].kept, &node->in[i].view, inputs[i]);
    for (int i = 0; i < node->n_out; i++) {
        node->out[i].view = outputs[i]->v;
        node->out[i].view.data = NULL;
        if (call->keep_y >> i & 1)
            keep(&node->out[i].kept, &node->out[i].view, outputs[i]);
    }
}

static void drop(pn_kept *kept, pn_view *view)
{
    pn_storage_unref(kept->storage);
    kept->storage = NULL;
    view->data = NULL;
}

void pn_node_forget(pn_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        drop(&node->in[i].kept, &node->in[i].view);
    for (int i = 0; i < node->n_out; i++)
        drop(&node->out[i].kept, &node->out[i].view);
    pn_mem_put(node->saved);
    node->saved = NULL;
}

/* Whether this was the last reference. */
static bool released(pn_node *node) { return atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) == 1; }

/* Iterative: nodes without references wait in a list, so that a chain of a million nodes needs no deep stack. */
void pn_node_unref(pn_node *node)
{
    if (!released(node))
        return;
    node->next = NULL;
    while (node) {
        pn_node *waiting = node->next;
        for (int i = 0; i < node->n_in; i++) {
            pn_edge *edge = &node->in[i].edge;
            pn_slot_unref(edge->slot);
            if (edge->node && released(edge->node)) {
                edge->node->next = waiting;
                waiting = edge->node;
            }
        }
        pn_node_forget(node);
        for (int i = 0; i < node->n_out; i++)
            pn_slot_unref(node->out[i].slot);
        pn_mem_put(node);
        node = waiting;
    }
}
