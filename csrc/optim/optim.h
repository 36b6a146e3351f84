/* optim.h -- optimizers: a table like that of the ops; each updates a block of parameters in one fused pass. */
#ifndef PN_OPTIM_H
#define PN_OPTIM_H

#include "kernels/update.h"
#include "tensor/block.h"

typedef struct pn_hyper { /* the hyperparameters that a row of the table may read */
    double learning_rate, weight_decay;
    double momentum;
    bool nesterov;
    double beta1, beta2, epsilon;
    double clip_norm; /* limit of the gradient's global norm; 0: no clipping */
    bool decay_all;   /* apply weight decay to biases and norms, too */
} pn_hyper;

typedef struct pn_optimizer_kind {
    const char *name; /* "adam" */
    const char *doc;  /* one sentence, formula, source */
    pn_update_f f;
    int slots;         /* state vectors per parameter */
    const char *reads; /* the hyperparameters it takes: "learning_rate beta1 beta2 epsilon weight_decay" */
    pn_hyper defaults;
} pn_optimizer_kind;

extern const pn_optimizer_kind pn_optimizers[];
extern const int pn_optimizers_count;
const pn_optimizer_kind *pn_optimizer_find(const char *name);

typedef struct pn_optimizer pn_optimizer;

/* For a block, or for single leaf tensors (which must all have a slot and the same dtype).  Slots start at zero. */
pn_optimizer *pn_optimizer_new(pn_engine *engine, const pn_optimizer_kind *kind, const pn_hyper *hyper, pn_block *block,
                               pn_index n, pn_tensor *const *tensors, pn_error *err);
void pn_optimizer_free(pn_optimizer *optimizer);

/* One update.  Fails before anything is written if a hyperparameter is out of range (PN_EVALUE), or if a tensor has no
 * gradient or another thread has claimed one (PN_ESTATE).  Claims and reads the gradients, changes the parameters and
 * increments their versions.  One thread at a time; steps and last_norm may be read while a step runs. */
int pn_optimizer_step(pn_optimizer *optimizer, pn_error *err);

pn_hyper *pn_optimizer_hyper(pn_optimizer *optimizer); /* may be changed between steps */
int64_t pn_optimizer_steps(const pn_optimizer *optimizer);
void pn_optimizer_set_steps(pn_optimizer *optimizer, int64_t steps); /* when resuming from a checkpoint */
double
pn_optimizer_last_norm(const pn_optimizer *optimizer); /* the gradient's global norm in the last step that clipped */
/* State vector number `slot`, in parameter order: one contiguous array of pn_optimizer_length elements. */
void *pn_optimizer_slot(pn_optimizer *optimizer, int slot);
pn_index pn_optimizer_length(const pn_optimizer *optimizer);
pn_dtype pn_optimizer_dtype(const pn_optimizer *optimizer);
const pn_optimizer_kind *pn_optimizer_what(const pn_optimizer *optimizer);

#endif
