/* table.c -- the optimizers, one row each; kernels/families/update.inc computes their updates. */
#include "optim/optim.h"

#include <string.h>

const pn_optimizer_kind pn_optimizers[] = {
    {
        .name = "sgd",
        .f = PN_UPDATE_SGD,
        .slots = 1,
        .doc = "Gradient descent with momentum: v = momentum v + g, p -= learning_rate v; Nesterov's: p -= "
               "learning_rate (g + momentum v).\n"
               "Source: Polyak 1964; Sutskever et al. 2013.",
        .reads = "learning_rate momentum nesterov weight_decay clip_norm decay_all",
        .defaults = { .learning_rate = 0.01 },
    },
    {
        .name = "rmsprop",
        .f = PN_UPDATE_RMSPROP,
        .slots = 2,
        .doc = "Gradients divided by a running root mean square: "
               "s = beta2 s + (1 - beta2) g^2, p -= learning_rate g / (sqrt(s) + epsilon).\n"
               "Source: Hinton 2012, lecture 6e.",
        .reads = "learning_rate beta2 momentum epsilon weight_decay clip_norm decay_all",
        .defaults = { .learning_rate = 0.001, .beta2 = 0.9, .epsilon = 1e-8 },
    },
    {
        .name = "adam",
        .f = PN_UPDATE_ADAM,
        .slots = 2,
        .doc = "Running means of the gradient and of its square, with bias correction:\n"
               "m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, p -= learning_rate m' / (sqrt(v') + "
               "epsilon).\n"
               "Source: Kingma and Ba 2015.",
        .reads = "learning_rate beta1 beta2 epsilon weight_decay clip_norm decay_all",
        .defaults = { .learning_rate = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8 },
    },
    {
        .name = "adamw",
        .f = PN_UPDATE_ADAMW,
        .slots = 2,
        .doc = "Adam with decoupled weight decay: "
               "p -= learning_rate weight_decay p, in addition to Adam's step.\n"
               "Source: Loshchilov and Hutter 2019.",
        .reads = "learning_rate beta1 beta2 epsilon weight_decay clip_norm decay_all",
        .defaults = { .learning_rate = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01 },
    },
};

const int pn_optimizers_count = (int)(sizeof pn_optimizers / sizeof *pn_optimizers);

const pn_optimizer_kind *pn_optimizer_find(const char *name)
{
    for (int i = 0; i < pn_optimizers_count; i++)
        if (strcmp(pn_optimizers[i].name, name) == 0)
            return &pn_optimizers[i];
    return NULL;
}
