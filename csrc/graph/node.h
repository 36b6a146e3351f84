/* node.h -- a node of the graph: one recorded call of an op. */
#ifndef PN_NODE_H
#define PN_NODE_H

#include "graph/graph.h"

typedef struct pn_edge {
    pn_node *node;
    int output;
    pn_slot *slot;
} pn_edge; /* node and slot are both NULL: no gradient wanted */
typedef struct pn_kept {
    pn_storage *storage;
    unsigned version;
} pn_kept; /* storage is NULL: backward does not read it */

typedef struct pn_node_in {
    bool given;
    pn_edge edge;
    pn_view view; /* data is NULL unless kept */
    pn_kept kept;
} pn_node_in;

typedef struct pn_node_out {
    pn_view view;
    pn_kept kept;
    pn_slot *slot;  /* where the gradient of this output is kept (keep_grad), or NULL */
    pn_storage *dy; /* during a sweep: the gradient accumulated so far */
} pn_node_out;

struct pn_node {
    pn_node_head head;
    atomic_int refs;
    _Atomic(const void *) owner; /* the sweep that has claimed it, or NULL */
    bool freed;                  /* a backward has run and freed what the node kept */
    uint64_t sequence;           /* increases with every node; the nodes of its inputs have smaller numbers */
    pn_engine *engine;
    const pn_op *op;
    const pn_kernels *kernels;
    void *plan, *params, *saved;
    size_t saved_bytes, backward_scratch;
    pn_node *next; /* in a list of nodes to visit or to free */
    int n_in, n_out;
    pn_node_in *in;
    pn_node_out out[PN_MAX_OUT];
};

/* Makes a node for a call whose rule has run: edges to the inputs, copies of plan and parameters, and memory for saved
 * bytes. */
pn_node *pn_node_new(pn_engine *engine, const pn_call *call, pn_tensor *const *inputs, pn_error *err);

/* Zeros the gradients that the sweep that claimed these slots did not write.  Changes the order of the list. */
void pn_slots_zero_rest(pn_slot **slots);

/* After forward: takes references to the storage that backward reads. */
void pn_node_keep(pn_node *node, const pn_call *call, pn_tensor *const *inputs, pn_tensor *const *outputs);

/* Releases everything that backward reads. */
void pn_node_forget(pn_node *node);

void pn_node_unref(pn_node *node);
static inline pn_node *pn_node_ref(pn_node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

#endif
