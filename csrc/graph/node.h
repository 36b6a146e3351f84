/* node.h -- a node of the graph: one recorded call of an op. */
#ifndef PN_NODE_H
#define PN_NODE_H

#include "graph/graph.h"

typedef struct pn_edge {
    pn_node *node;
    int output;
    pn_slot *slot;
} pn_edge; /* both NULL: no gradient wanted */
typedef struct pn_kept {
    pn_storage *storage;
    unsigned version;
} pn_kept; /* NULL: backward does not read it */

typedef struct pn_node_in {
    bool given;
    pn_edge edge;
    pn_view view; /* data only where kept */
    pn_kept kept;
} pn_node_in;

typedef struct pn_node_out {
    pn_view view;
    pn_kept kept;
    pn_slot *slot;  /* where this output's own gradient is kept on request, or NULL */
    pn_storage *dy; /* during a sweep: the gradient so far */
} pn_node_out;

struct pn_node {
    pn_node_head head;
    atomic_int refs;
    _Atomic(const void *) owner; /* the sweep that is walking over it, or NULL */
    bool freed;                  /* a backward has been: what it kept is gone */
    uint64_t sequence;           /* rises with every node; inputs' nodes have smaller ones */
    pn_engine *engine;
    const pn_op *op;
    const pn_kernels *kernels;
    void *plan, *params, *saved;
    size_t backward_scratch;
    pn_node *next; /* in a list of nodes to visit, or to free */
    int n_in, n_out;
    pn_node_in *in;
    pn_node_out out[PN_MAX_OUT];
};

/* A node for a call whose rule has run: holds edges to the inputs, copies of plan and parameters, and room for saved
 * bytes. */
pn_node *pn_node_new(pn_engine *engine, const pn_call *call, pn_tensor *const *inputs, pn_error *err);

/* Puts to 0 what a sweep that claimed these slots did not write: the list's order changes. */
void pn_slots_zero_rest(pn_slot **slots);

/* After forward: keeps what backward reads. */
void pn_node_keep(pn_node *node, const pn_call *call, pn_tensor *const *inputs, pn_tensor *const *outputs);

/* Lets go of everything that backward reads. */
void pn_node_forget(pn_node *node);

void pn_node_unref(pn_node *node);
static inline pn_node *pn_node_ref(pn_node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

#endif
