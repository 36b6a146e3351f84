/* declare.c -- the tensors of layers: names, shapes, groups and initial values, as in `build` of pyneural/layers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/kinds.h"

/* The name that "auto" means for an activation. */
static const char *suited(const char *activation)
{
    static const char he[] = "relu leaky_relu elu softplus gelu gelu_tanh";
    return activation && pn_word_in(he, activation) ? "he_uniform" : "glorot_uniform";
}

static pn_init by_name(const char *name, double fan_in, double fan_out)
{
    const struct {
        const char *name;
        pn_init init;
    } rows[] = {
        { "he_uniform", { PN_INIT_UNIFORM, sqrt(6 / fan_in), false } },
        { "he_normal", { PN_INIT_NORMAL, sqrt(2 / fan_in), false } },
        { "glorot_uniform", { PN_INIT_UNIFORM, sqrt(6 / (fan_in + fan_out)), false } },
        { "glorot_normal", { PN_INIT_NORMAL, sqrt(2 / (fan_in + fan_out)), false } },
        { "normal", { PN_INIT_NORMAL, 0.05, false } },
        { "uniform", { PN_INIT_UNIFORM, 0.05, false } },
        { "zeros", { PN_INIT_CONSTANT, 0, false } },
        { "ones", { PN_INIT_CONSTANT, 1, false } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].init;
    return (pn_init){ .kind = PN_INIT_UNKNOWN };
}

/* The argument init of a layer, a name or a number; `usual` is what "auto" or nothing means. */
static pn_init init_of(const pn_layer *layer, const char *usual, pn_index fan_in, pn_index fan_out)
{
    char word[32];
    pn_json value = layer->init;
    pn_init found = { PN_INIT_CONSTANT, 0, false };
    if (value.at && pn_json_number(&value, &found.a) == 0)
        return found;
    value = layer->init;
    if (!value.at)
        return by_name(usual, (double)fan_in, (double)fan_out);
    if (pn_json_string(&value, word, sizeof word))
        return (pn_init){ .kind = PN_INIT_UNKNOWN };
    return by_name(strcmp(word, "auto") == 0 ? usual : word, (double)fan_in, (double)fan_out);
}

static int declare(pn_layer *layer, pn_pass *pass, const char *name, int ndim, const pn_index *shape,
                   pn_layer_tensor tensor, pn_error *err)
{
    pn_view v;
    const size_t room = strlen(layer->path) + strlen(name) + 2;
    char *path = pn_arena_get(pass->arena, room, err);
    if (!path || pn_view_init(&v, pass->dtype, ndim, shape, name, err))
        return -1;
    snprintf(path, room, "%s/%s", layer->path, name);
    if (!layer->tensors) {
        const size_t most = (size_t)pn_max(PN_LAYER_TENSORS, layer->n_columns);
        layer->tensors = pn_arena_get(pass->arena, most * sizeof *layer->tensors, err);
    }
    if (!layer->tensors)
        return -1;
    tensor.path = path;
    tensor.value = pn_tensor_shape_only(pass->engine, &v, err);
    if (!tensor.value)
        return -1;
    layer->tensors[layer->n_tensors++] = tensor;
    return 0;
}

/* A bias, a scale, or state of one number for each channel. */
static int declare_vector(pn_layer *layer, pn_pass *pass, const char *name, pn_index n, pn_group group, double value,
                          pn_error *err)
{
    const pn_layer_tensor tensor = { .group = group, .init = { PN_INIT_CONSTANT, value, false } };
    return declare(layer, pass, name, 1, &n, tensor, err);
}

static int declare_weights(pn_layer *layer, pn_pass *pass, int ndim, const pn_index *shape, pn_init init,
                           pn_index outputs, pn_error *err)
{
    const pn_layer_tensor weight = { .group = PN_GROUP_WEIGHT, .init = init };
    if (declare(layer, pass, "weight", ndim, shape, weight, err))
        return -1;
    return layer->has_bias ? declare_vector(layer, pass, "bias", outputs, PN_GROUP_BIAS, 0, err) : 0;
}

int pn_declare_dense(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    if (x->ndim < 2)
        return pn_fail(err, PN_ESHAPE, "it needs features, (n, features)");
    const pn_index in = x->shape[x->ndim - 1];
    const pn_init init = init_of(layer, suited(layer->activation), in, layer->units);
    return declare_weights(layer, pass, 2, (pn_index[]){ in, layer->units }, init, layer->units, err);
}

int pn_declare_conv(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    const pn_index shape[] = { layer->size[0], layer->size[1], x->shape[3], layer->units };
    pn_view v; /* so that products below do not overflow */
    if (pn_view_init(&v, pass->dtype, 4, shape, "weight", err))
        return -1;
    const pn_index taps = shape[0] * shape[1];
    const pn_init init =
        init_of(layer, suited(layer->activation ? layer->activation : "relu"), taps * shape[2], taps * shape[3]);
    return declare_weights(layer, pass, 4, shape, init, layer->units, err);
}

int pn_declare_depthwise(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    const pn_index shape[] = { layer->size[0], layer->size[1], x->shape[3], layer->units };
    pn_view v;
    if (pn_view_init(&v, pass->dtype, 4, shape, "weight", err))
        return -1;
    const pn_index taps = shape[0] * shape[1];
    const pn_init init =
        init_of(layer, suited(layer->activation ? layer->activation : "relu"), taps, taps * layer->units);
    return declare_weights(layer, pass, 4, shape, init, x->shape[3] * layer->units, err);
}

int pn_declare_embedding(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    const pn_layer_tensor weight = { .group = PN_GROUP_WEIGHT,
                                     .init = init_of(layer, "normal", layer->words, layer->units) };
    (void)x;
    return declare(layer, pass, "weight", 2, (pn_index[]){ layer->words, layer->units }, weight, err);
}

int pn_declare_embed_columns(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    const pn_layer_tensor weight = { .group = PN_GROUP_WEIGHT, .init = { PN_INIT_NORMAL, 0.01, true } };
    if (x->ndim != 2)
        return pn_fail(err, PN_ESHAPE, "it takes the rows of a table, (n, columns)");
    for (int i = 0; i < layer->n_columns; i++) {
        char name[32];
        const pn_index column = layer->columns[i];
        snprintf(name, sizeof name, "weight_%td", column);
        for (int k = 0; k < i; k++)
            if (layer->columns[k] == column)
                return pn_fail(err, PN_EVALUE, "it has column %td twice", column);
        if (column >= x->shape[1])
            return pn_fail(err, PN_ESHAPE, "it has column %td, but x has %td columns", column, x->shape[1]);
        if (declare(layer, pass, name, 2, (pn_index[]){ layer->sizes[i], layer->vectors[i] }, weight, err))
            return -1;
    }
    return 0;
}

int pn_declare_layer_norm(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    if (x->ndim < 2)
        return pn_fail(err, PN_ESHAPE, "it needs features, (n, features)");
    const pn_index C = x->shape[x->ndim - 1];
    return declare_vector(layer, pass, "gamma", C, PN_GROUP_BIAS, 1, err) ||
                   declare_vector(layer, pass, "beta", C, PN_GROUP_BIAS, 0, err)
               ? -1
               : 0;
}

int pn_declare_batch_norm(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    return pn_declare_layer_norm(layer, pass, x, err) ||
                   declare_vector(layer, pass, "running_mean", x->shape[x->ndim - 1], PN_GROUP_STATE, 0, err) ||
                   declare_vector(layer, pass, "running_var", x->shape[x->ndim - 1], PN_GROUP_STATE, 1, err)
               ? -1
               : 0;
}
