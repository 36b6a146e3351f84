/* model.h -- models from files that pn.save wrote: loaded, run and trained without Python.
 *
 *     pn_engine *engine = pn_engine_new(&(pn_engine_options){ .threads = 1 }, &err);
 *     pn_model *model = pn_model_parse(engine, "digits.safetensors", bytes, size, &err);
 *     float probabilities[10];
 *     pn_model_predict(model, PN_UINT8, pixels, 1, probabilities, &err);
 *     pn_model_free(model);
 *
 * Predictions have the bits of pn.predict, and a training has those of pn.fit, on one instruction set.  Functions that
 * can fail take an error last and return 0 or -1, or NULL.  A model is used by one thread at a time.  Nothing here
 * reads or writes files. */
#ifndef PN_MODEL_H
#define PN_MODEL_H

#include "optim/optim.h"

typedef struct pn_model pn_model;

/* ---- loading and saving ------------------------------------------------------------------------------------------ */

/* The model in the bytes of a whole file, which are copied; messages start with `name`.  Any bytes may be given: a
 * damaged file, or one with layers that are not built in, fails with a sentence. */
pn_model *pn_model_parse(pn_engine *engine, const char *name, const void *bytes, size_t size, pn_error *err);
void pn_model_free(pn_model *model); /* NULL is allowed */

/* The bytes of a file that pn.load reads, in a block for pn_mem_put. */
typedef struct pn_model_bytes {
    uint8_t *data;
    size_t size;
} pn_model_bytes;
int pn_model_write(const pn_model *model, pn_model_bytes *out, pn_error *err);

/* A model that has no file yet, from its card: the JSON text that a file has under the key `pyneural`.  Its parameters
 * are initialised as pn.fit(seed=seed) does. */
pn_model *pn_model_new(pn_engine *engine, const char *card, uint64_t seed, pn_error *err);

/* The card of pn.Sequential(pn.Flatten(), pn.Dense(128, "relu"), pn.Dense(10)) for images (28, 28, 1): MNIST. */
extern const char pn_model_mlp[];

/* ---- what is known about it -------------------------------------------------------------------------------------- */

typedef enum { PN_TASK_CLASSES, PN_TASK_BINARY, PN_TASK_VALUES, PN_TASK_LABELS } pn_task_kind;

/* One output.  A model has one, whose name is "", or several heads with names. */
typedef struct pn_head {
    const char *name;
    pn_task_kind task;
    pn_index outputs;           /* numbers for an example: probabilities of classes, of class 1, of labels, or values */
    int n_classes;              /* names below */
    const char *const *classes; /* of classes, labels or values, in UTF-8; "0", "1" ... where the data had numbers */
    double threshold;           /* of two classes, the probability of class 1 from which it is the answer */
    const double *thresholds;   /* of labels, for each */
    double temperature;         /* logits are divided by it */
} pn_head;

typedef enum { PN_PREPROCESS_NONE, PN_PREPROCESS_DATASET, PN_PREPROCESS_IMAGE } pn_preprocess;

typedef struct pn_model_facts {
    pn_dtype dtype;           /* of parameters, computation and predictions: float32 or float64 */
    pn_view input;            /* the shape of one input, without the batch axis; data is NULL */
    bool takes_pixels;        /* inputs are uint8 0..255; else floats */
    pn_preprocess preprocess; /* done inside */
    const char *prepare;      /* of image files, before: "digit" (pn_digit_prepare), "12-bit", or "" */
    bool flip;                /* predictions are means over the image and its mirror image */
    int n_heads;
    const pn_head *heads;
    pn_index n_parameters; /* trainable numbers */
    const char *card;      /* the JSON text of the file */
} pn_model_facts;
const pn_model_facts *pn_model_read_facts(const pn_model *model); /* valid until the model is freed, or trained */

/* Its layers in the order in which they run first, without the models that contain them; nested ones have paths,
 * "block_1/conv2d_1".  The output shape is without the batch axis. */
typedef struct pn_layer_facts {
    const char *path, *kind; /* "conv2d_1", "Conv2D" */
    pn_view output;
} pn_layer_facts;
int pn_model_n_layers(const pn_model *model);
pn_layer_facts pn_model_read_layer(const pn_model *model, int i);

/* A parameter or state by its path, "dense_1/weight": borrowed; NULL if there is none. */
pn_tensor *pn_model_tensor(const pn_model *model, const char *path);

/* ---- predicting -------------------------------------------------------------------------------------------------- */

/* out = pn.predict(model, x), for n inputs of dtype `from`: PN_UINT8 for pixels, else PN_FLOAT32, PN_FLOAT64 or, for
 * models that start with an Embedding, PN_INT64.  Rows of tables are given as numbers, as card.table encodes them.
 * out: n * outputs numbers of the model's dtype; the heads one after another. */
int pn_model_predict(pn_model *model, pn_dtype from, const void *x, pn_index n, void *out, pn_error *err);

/* The number of the class that row `row` of a head's predictions means, as pn.classify decides; -1 for values, and for
 * labels, each of which applies from its threshold on. */
int pn_model_decide(const pn_model *model, int head, const void *row);

/* The output of one layer in a prediction, such as the feature maps (n, height, width, filters) of "conv2d_1": a new
 * tensor of the model's dtype.  Of a layer that is called several times, the first call. */
pn_tensor *pn_model_look(pn_model *model, const char *layer, pn_dtype from, const void *x, pn_index n, pn_error *err);

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* Examples in memory of the caller, read in place. */
typedef struct pn_examples {
    pn_dtype dtype;   /* of x, as in pn_model_predict */
    const void *x;    /* (n, ...) */
    const int64_t *y; /* (n): class numbers, 0 and 1 for binary */
    pn_index n;
} pn_examples;

/* Learns the preprocessing "dataset" from these pixels, as pn.fit does before it trains a new model. */
int pn_model_learn_pixels(pn_model *model, const pn_examples *data, pn_error *err);

/* Zero stands for the default of pn.fit, for each field. */
typedef struct pn_training_options {
    const char *optimizer; /* "adam" (default), "sgd", "rmsprop", "adamw" */
    double learning_rate;  /* the peak of the schedule */
    bool constant;         /* a constant rate; else the schedule "one-cycle" */
    int epochs;            /* 5 */
    pn_index batch_size;   /* 64 */
    uint64_t seed;
} pn_training_options;

/* A training of all trainable parameters of a model with one head of classes or binary; a model has at most one at a
 * time.  The data are borrowed until it is freed. */
typedef struct pn_training pn_training;
pn_training *pn_training_new(pn_model *model, const pn_examples *data, const pn_training_options *options,
                             pn_error *err);
void pn_training_free(pn_training *training); /* before its model; NULL is allowed */

/* The next step: forward, backward and update on the next batch of the shuffled data.  Returns 1 if it was made, 0 if
 * all epochs are done, and -1 on failure: also if the loss is not finite, and then nothing is updated. */
typedef struct pn_step {
    double loss;          /* of this batch */
    pn_index rows;        /* its examples */
    pn_index correct;     /* of these, how many were answered correctly before the update */
    int epoch;            /* from 0 */
    int64_t step, steps;  /* number of this step from 0, and of all */
    bool ends_epoch;      /* it was the last one of its epoch */
    double learning_rate; /* with which the update was made */
} pn_step;
int pn_training_next(pn_training *training, pn_step *out, pn_error *err);

/* The same on given rows of the data, in this order, at the rate that pn_training_hyper has: without the shuffle and
 * the schedule.  `epoch` numbers the random numbers of dropout. */
int pn_training_step(pn_training *training, const int64_t *rows, pn_index n, uint32_t epoch, pn_step *out,
                     pn_error *err);
pn_hyper *pn_training_hyper(pn_training *training);

/* All parameters and state, to return to: the epoch with the best validation, or an undo. */
size_t pn_model_snapshot_bytes(const pn_model *model);
void pn_model_snapshot(const pn_model *model, void *to);
void pn_model_restore(pn_model *model, const void *from);

/* Initialises the parameters and state again, as pn.fit(seed=seed) does with a new model. */
int pn_model_start(pn_model *model, uint64_t seed, pn_error *err);

#endif
