/* graph.h -- nodes, and the backward sweep.
 *
 * A node is owned by the tensors that it computed.  It owns its edges (the nodes or slots that receive the gradients of
 * its inputs), the storage that its backward reads, with the version of each, and the memory that forward saved. */
#ifndef PN_GRAPH_H
#define PN_GRAPH_H

#include "ops/op.h"

/* Runs op on inputs (NULL for an omitted optional one) with its parameter struct; outputs are new references.
 * record = false (no_grad): the outputs are not part of a graph. */
int pn_apply(pn_engine *engine, const pn_op *op, int n_in, pn_tensor *const *inputs, const void *params, bool record,
             pn_tensor **outputs, pn_error *err);

/* The same, unrecorded, for an op with one output; the result overwrites inputs[0], and must have its shape and dtype.
 * inputs[0] must be writable, and must not be the output of an op that a graph still needs. */
int pn_apply_over(pn_engine *engine, const pn_op *op, int n_in, pn_tensor *const *inputs, const void *params,
                  pn_error *err);

typedef struct pn_backward_options {
    bool accumulate; /* add to existing gradients instead of replacing them */
    bool keep_graph; /* keep the graph for another backward */
    pn_tensor *seed; /* gradient of the loss itself; NULL: 1, and loss must be a scalar */
} pn_backward_options;

/* Stores d loss / d leaf in the slot of every leaf reached; zeros the gradients of unreached parameters in any block
 * reached.  After a failure the gradients are undefined and the graph may be freed: compute the loss again. */
int pn_backward(pn_tensor *loss, const pn_backward_options *options, pn_error *err);

/* Makes backward keep the gradient of this tensor, although it is not a leaf. */
int pn_keep_grad(pn_tensor *tensor, pn_error *err);

#endif
