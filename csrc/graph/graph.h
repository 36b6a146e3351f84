/* graph.h -- nodes, and the backward sweep.
 *
 * A node is owned by the tensors it computed.  It owns its edges (the nodes or slots that its inputs' gradients go to),
 * the storage that its backward reads, with the version each had, and whatever forward saved. */
#ifndef PN_GRAPH_H
#define PN_GRAPH_H

#include "ops/op.h"

/* Runs op on inputs (NULL where an optional one is absent) with its parameter struct; outputs receive new references.
 * record = false (no_grad): outputs join no graph. */
int pn_apply(pn_engine *engine, const pn_op *op, int n_in, pn_tensor *const *inputs, const void *params, bool record,
             pn_tensor **outputs, pn_error *err);

/* The same, unrecorded, for an op of one output whose values are written over those of inputs[0]: it fails where shape
 * or dtype differ.  inputs[0] must be writable, and no op's output that a graph still needs. */
int pn_apply_over(pn_engine *engine, const pn_op *op, int n_in, pn_tensor *const *inputs, const void *params,
                  pn_error *err);

typedef struct pn_backward_options {
    bool accumulate; /* add to the gradients that are there, instead of replacing them */
    bool keep_graph; /* leave the graph for another sweep */
    pn_tensor *seed; /* gradient of the loss itself; NULL: 1, and loss must be a scalar */
} pn_backward_options;

/* Leaves d loss / d leaf in every reached leaf's slot; zeros the slots of unreached parameters in any block reached.
 * After a failure the gradients are undefined and the graph may be freed: compute the loss again. */
int pn_backward(pn_tensor *loss, const pn_backward_options *options, pn_error *err);

/* The tensor's own gradient will be kept by backward, although it is not a leaf. */
int pn_keep_grad(pn_tensor *tensor, pn_error *err);

#endif
