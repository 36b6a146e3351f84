/* mlp.h -- the network 784-128-10 with relu, in C: parameters in a block, one batch, its file. */
#ifndef PN_EXAMPLES_MLP_H
#define PN_EXAMPLES_MLP_H

#include "optim/optim.h"

enum { MLP_PIXELS = 784, MLP_HIDDEN = 128, MLP_CLASSES = 10 };

typedef struct mlp {
    pn_engine *engine;
    pn_block *block;         /* dense_1/weight, dense_1/bias, dense_2/weight, dense_2/bias */
    pn_tensor *mean, *scale; /* (1,): normalisation of pixels */
} mlp;

typedef struct mlp_digits {
    pn_tensor *images, *labels;
} mlp_digits; /* uint8 (n, 784), int64 (n,) */
typedef struct mlp_sums {
    double loss, accuracy;
} mlp_sums; /* over the examples */

int mlp_make(pn_engine *engine, mlp *net, pn_error *err); /* all zeros; free it even if this fails */
void mlp_free(mlp *net);
int mlp_start(const mlp *net, const mlp_digits *train, uint64_t seed, pn_error *err); /* initialises the parameters */

/* One batch of the examples in rows (int64): adds to the sums; with an optimizer, also makes a step. */
int mlp_batch(const mlp *net, const mlp_digits *d, pn_tensor *rows, pn_optimizer *optimizer, mlp_sums *sums,
              pn_error *err);

/* The file that pn.save writes and pn.load reads. */
int mlp_save(const mlp *net, const char *path, int epochs, uint64_t seed, const mlp_sums *last, pn_error *err);
int mlp_load(const mlp *net, const char *path, pn_error *err);

#endif
