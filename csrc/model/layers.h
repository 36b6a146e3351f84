/* layers.h -- layers: what a model file says of one, its tensors, and how it is called.
 *
 * Each kind is a row of a table (kinds.c): the op that it calls, and which of its arguments are parameters of that op.
 * Rows with more to do have functions. */
#ifndef PN_MODEL_LAYERS_H
#define PN_MODEL_LAYERS_H

#include "graph/graph.h"
#include "model/json.h"
#include "tensor/block.h"

enum { PN_LAYER_TENSORS = 4 }; /* at most, but for EmbedColumns */

/* Initial values: uniform in -a..a, normal with deviation a, or all a. */
typedef enum { PN_INIT_UNIFORM, PN_INIT_NORMAL, PN_INIT_CONSTANT, PN_INIT_UNKNOWN } pn_init_kind;
typedef struct pn_init {
    pn_init_kind kind;
    double a;
    bool zero_first; /* the first row is 0 */
} pn_init;

typedef struct pn_layer_tensor {
    const char *path; /* "dense_1/weight" */
    pn_group group;
    pn_init init;
    pn_tensor *value; /* shape-only until the model has its blocks */
} pn_layer_tensor;

typedef struct pn_layer_kind pn_layer_kind;

typedef struct pn_layer {
    const pn_layer_kind *kind;
    const char *path, *name; /* "block_1/dense_2", "dense_2" */
    pn_json config;          /* its arguments, an object */
    bool trainable, built;
    const pn_op *op;        /* what it calls; NULL: see its kind */
    void *params;           /* of op, with the fused activation */
    const char *activation; /* by name, or NULL */
    const pn_op *after;     /* the activation, where op has none fused */
    void *after_params;
    pn_index units;   /* outputs, filters, words' vectors, or the multiplier */
    pn_index words;   /* of an embedding */
    pn_index size[2]; /* of a kernel */
    pn_list shape;    /* of Reshape */
    double number;    /* of Arithmetic, where has_number */
    bool has_number, reverse, has_bias;
    pn_json init;                        /* at = NULL: the default */
    int n_columns;                       /* of EmbedColumns: those of which each number has a vector */
    pn_index *columns, *sizes, *vectors; /* their places, how many numbers each has, and the lengths of the vectors */
    int n_tensors;
    pn_layer_tensor *tensors;
    pn_index calls;  /* in a run of the model */
    pn_index widest; /* numbers in the largest input of its first call */
    pn_view output;  /* of its first call, with a batch of 1 */
} pn_layer;

/* How layers are called in a run. */
typedef struct pn_pass {
    pn_engine *engine;
    pn_dtype dtype;  /* of the model */
    pn_arena *arena; /* while layers are built, else NULL */
    bool record, training;
    uint64_t seed, stream; /* of dropout */
    pn_index epoch;
    pn_tensor *samples; /* int64 (n): numbers of the examples */
} pn_pass;

struct pn_layer_kind {
    const char *name; /* "Conv2D" */
    const char *op;
    const char *settings; /* arguments that are parameters of op, by the same names: " stride padding " */
    const char *others;   /* arguments that `read` and `declare` use */
    int least, most;      /* inputs */
    int rank;             /* axes of an input with the batch axis; 0: any */
    bool activated;       /* it ends in an activation */
    int (*read)(pn_layer *layer, pn_pass *pass, pn_error *err);
    int (*declare)(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err); /* its tensors, for this input */
    pn_tensor *(*run)(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err);
};

const pn_layer_kind *pn_layer_kind_find(const char *name); /* NULL if it is not built in */

/* Reads the arguments; kind, path and config are set.  Messages start with the path. */
int pn_layer_read(pn_layer *layer, pn_pass *pass, pn_error *err);

/* What is left away, or joined on. */
typedef enum {
    PN_CALL_WHOLE,
    PN_CALL_LOGITS, /* without a final softmax or sigmoid */
    PN_CALL_END,    /* that alone, of logits */
} pn_call_part;

/* The output for n inputs, a new tensor.  Builds the layer in its first call. */
pn_tensor *pn_layer_call(pn_layer *layer, const pn_pass *pass, pn_call_part part, int n, pn_tensor *const *x,
                         pn_error *err);

/* A convolution followed by a max pool over tiles is one call. */
bool pn_layer_fuses(const pn_layer *conv, const pn_layer *pool);
pn_tensor *pn_layer_call_fused(const pn_layer *conv, const pn_layer *pool, const pn_pass *pass, pn_tensor *x,
                               pn_error *err);

/* Whether its logits are not its output: it ends in a softmax or a sigmoid. */
bool pn_layer_has_logits(const pn_layer *layer);
bool pn_layer_is(const pn_layer *layer, const char *kind);

/* ---- ops by name, for this floor --------------------------------------------------------------------------------- */

/* The op's first output, a new tensor; params: NULL for the defaults. */
pn_tensor *pn_run_op(const pn_pass *pass, const pn_op *op, int n, pn_tensor *const *x, const void *params,
                     pn_error *err);

/* a op b for operands that broadcast by NumPy's rule; and with a number on either side. */
pn_tensor *pn_run_binary(const pn_pass *pass, const pn_op *op, pn_tensor *a, pn_tensor *b, pn_error *err);
pn_tensor *pn_run_number(const pn_pass *pass, const pn_op *op, pn_tensor *a, double b, bool reverse, pn_error *err);
pn_tensor *pn_run_reshape(const pn_pass *pass, pn_tensor *x, int ndim, const pn_index *shape, pn_error *err);

/* Whether `word` is one of the words of a list, " stride padding ". */
bool pn_word_in(const char *list, const char *word);

#endif
