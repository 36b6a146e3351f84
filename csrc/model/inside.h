/* inside.h -- what a model is made of, for the files of this floor. */
#ifndef PN_MODEL_INSIDE_H
#define PN_MODEL_INSIDE_H

#include "model/model.h"
#include "model/network.h"
#include "model/safetensors.h"

typedef enum { PN_LOSS_AUTO, PN_LOSS_MSE, PN_LOSS_MAE, PN_LOSS_HUBER } pn_model_loss;

/* The preprocessing of inputs: (x - mean) / deviation by channel, or by the moments of each image. */
typedef struct pn_preprocessing {
    pn_preprocess kind;
    bool takes_pixels;
    int channels;
    double *mean, *deviation;           /* (channels) */
    pn_tensor *subtract[2], *factor[2]; /* the same as tensors, by the dtype in which inputs are prepared */
} pn_preprocessing;

struct pn_model {
    pn_engine *engine;
    pn_arena arena; /* everything but tensors and blocks */
    const char *name;
    const char *card;
    pn_network network;
    pn_plan plan; /* of predictions */
    pn_index n_tensors;
    pn_layer_tensor **tensors;    /* in the order of Python's blocks */
    pn_block *parameters, *state; /* NULL where there are none */
    pn_index n_parameters;
    pn_preprocessing prepared;
    bool *written;  /* by head: its answers are the outputs as they are, else softmax or sigmoid of logits */
    pn_head *heads; /* NULL: by hand, the outputs are the answers */
    pn_tensor **deviations, **means; /* by head: values are outputs * deviation + mean; NULL: they are the outputs */
    bool has_embedding, flip, by_hand;
    const char *prepare;
    int64_t epochs;              /* of training so far */
    bool learnt_pixels, trained; /* what the card does not say yet */
    uint64_t seed;               /* of that training */
    double loss, accuracy;       /* means of its last epoch */
    pn_index widest;             /* numbers in the largest input of a layer, for one example */
    pn_model_facts facts;
};

/* What the card says of inputs and outputs; the network is built. */
int pn_card_read(pn_model *model, pn_error *err);

/* The card as it is now, a block for pn_mem_put. */
char *pn_card_write(const pn_model *model, pn_error *err);

/* A training begins: the loss is cross-entropy, and a temperature that was chosen for other weights goes. */
int pn_card_begin_training(pn_model *model, uint64_t seed, pn_error *err);
void pn_card_count_epoch(pn_model *model, double loss, double accuracy);

/* The tensors mean and factor of the preprocessing, once it is known. */
int pn_preprocessing_ready(pn_model *model, pn_error *err);

/* The prepared batch of rows[0..n-1] (NULL: 0..n-1) of x, (count, ...) of dtype `from`: a new tensor of the model's
 * dtype. */
pn_tensor *pn_model_prepare(pn_model *model, pn_dtype from, const void *x, pn_index count, pn_tensor *rows, pn_index n,
                            pn_error *err);

/* The rows of a batch without gradients. */
pn_index pn_model_rows(const pn_model *model);

/* Fills in the facts, which follow from the rest. */
void pn_model_note_facts(pn_model *model);

/* Initial values of all parameters and state. */
int pn_model_initialise(pn_model *model, uint64_t seed, pn_error *err);

#endif
