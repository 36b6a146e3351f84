/* network.h -- the layers and the graph of a model file, nested models unrolled, planned once as a list of steps. */
#ifndef PN_MODEL_NETWORK_H
#define PN_MODEL_NETWORK_H

#include "model/layers.h"

/* One call of a layer.  Values are numbered: 0 is the input, 1 + i the output of node i. */
typedef struct pn_model_node {
    pn_layer *layer;
    int n_in;
    const pn_index *in;
    pn_index instance; /* of the model it is in; calls are fused inside one only */
    pn_index readers;
    bool ends;       /* it is an output of its instance */
    pn_view output;  /* for a batch of 1 */
    uint64_t stream; /* of dropout: the hash of the path, with a number from the second call on */
} pn_model_node;

typedef struct pn_network_head {
    const char *name;
    pn_index value;
} pn_network_head;

/* A call in a plan: reads values, makes one.  Value n_nodes + 1 + i holds the logits of node i. */
typedef struct pn_model_step {
    pn_model_node *node;
    pn_layer *pool; /* fused with it, or NULL */
    pn_call_part part;
    int n_in;
    const pn_index *in;
    pn_index makes;
} pn_model_step;

typedef struct pn_plan {
    pn_index n_steps;
    pn_model_step *steps;
    pn_index *last;  /* by value: the step that reads it last; n_steps for outputs */
    pn_index *heads; /* the values of the heads */
} pn_plan;

typedef struct pn_network {
    pn_dtype dtype;
    pn_view input; /* of one example; from the architecture if it is a Model */
    bool has_input;
    pn_index n_layers;
    pn_layer **layers; /* in the order of the description, as in Python's blocks */
    pn_index n_nodes;
    pn_model_node *nodes;
    int n_heads;
    pn_network_head *heads;
} pn_network;

/* From the JSON value `architecture`.  Shapes follow from pn_network_build. */
int pn_network_read(pn_network *network, pn_pass *pass, pn_json description, pn_error *err);

/* Runs a shape-only batch through the layers, which declare their tensors. */
int pn_network_build(pn_network *network, const pn_pass *pass, pn_error *err);

/* The steps that make the outputs of the heads for which written[i], and the logits of the others. */
int pn_plan_make(pn_plan *plan, const pn_network *network, pn_arena *arena, const bool *written, pn_error *err);

/* Outputs: new tensors, one for each head. */
int pn_plan_run(const pn_plan *plan, const pn_network *network, const pn_pass *pass, pn_tensor *x, pn_tensor **outputs,
                pn_error *err);

#endif
