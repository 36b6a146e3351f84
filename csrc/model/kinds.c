/* kinds.c -- the table of layers: those of pyneural/layers, one row each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/layers.h"
#include "model/setting.h"

enum { MANY = 1 << 20 };

/* ---- arguments --------------------------------------------------------------------------------------------------- */

/* A whole number of at least 1; -1 if it is missing or something else. */
static int read_count(const pn_layer *layer, const char *name, pn_index *out, pn_error *err)
{
    pn_json value;
    if (!pn_json_get(&layer->config, name, &value) || pn_setting_whole(value, out) || *out < 1)
        return pn_fail(err, PN_EVALUE, "its %s is not a whole number of at least 1", name);
    return 0;
}

static int read_dense(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    (void)pass;
    return read_count(layer, "units", &layer->units, err);
}

static int read_embedding(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    return read_count(layer, "vocabulary", &layer->words, err) || read_dense(layer, pass, err) ? -1 : 0;
}

static int read_size(pn_layer *layer, pn_error *err)
{
    pn_json value;
    if (!pn_json_get(&layer->config, "size", &value) || pn_setting_pair(value, layer->size))
        return pn_fail(err, PN_EVALUE, "its size is not one or two whole numbers of at least 1");
    return 0;
}

static int read_conv(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    (void)pass;
    return read_count(layer, "filters", &layer->units, err) || read_size(layer, err) ? -1 : 0;
}

static int read_depthwise(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    (void)pass;
    return read_count(layer, "multiplier", &layer->units, err) || read_size(layer, err) ? -1 : 0;
}

static int read_pool(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    pn_json value;
    (void)pass;
    if (!pn_json_get(&layer->config, "stride", &value)) /* then it is the size */
        memcpy(pn_op_field(layer->op, "stride", layer->params), pn_op_field(layer->op, "size", layer->params),
               2 * sizeof(pn_index));
    return pn_json_get(&layer->config, "size", &value) ? 0 : pn_fail(err, PN_EVALUE, "it has no size");
}

static int read_dropout(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    (void)pass;
    layer->number = *(double *)pn_op_field(layer->op, "rate", layer->params);
    return layer->number >= 0 && layer->number < 1 ? 0 : pn_fail(err, PN_EVALUE, "its rate is %g", layer->number);
}

static int read_reshape(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    pn_json value;
    pn_index known = 1;
    int unknown = 0;
    (void)pass;
    bool good = pn_json_get(&layer->config, "shape", &value) && pn_setting_list(value, &layer->shape) == 0 &&
                layer->shape.n < PN_MAX_DIMS;
    for (int i = 0; good && i < layer->shape.n; i++) {
        const pn_index length = layer->shape.v[i];
        unknown += length == -1;
        good = unknown <= 1 && (length == -1 || (length > 0 && !__builtin_mul_overflow(known, length, &known)));
    }
    return good ? 0 : pn_fail(err, PN_EVALUE, "its shape is not a list of lengths");
}

static int read_activated(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    (void)pass;
    return layer->activation ? 0 : pn_fail(err, PN_EVALUE, "it has no activation");
}

static int read_arithmetic(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    static const char *const names[] = { "add", "subtract", "multiply", "divide" };
    static const pn_op *const ops[] = { &pn_op_add, &pn_op_sub, &pn_op_mul, &pn_op_div };
    char word[16];
    pn_json value;
    (void)pass;
    if (pn_json_get(&layer->config, "operation", &value) && pn_json_string(&value, word, sizeof word) == 0)
        for (int i = 0; i < 4; i++)
            if (strcmp(word, names[i]) == 0)
                layer->op = ops[i];
    if (!layer->op)
        return pn_fail(err, PN_EVALUE, "its operation is unknown");
    layer->has_number = pn_json_get(&layer->config, "number", &value) && !pn_json_word(&value, "null");
    if (layer->has_number && pn_json_number(&value, &layer->number))
        return pn_fail(err, PN_EVALUE, "its number is invalid");
    if (pn_json_get(&layer->config, "reverse", &value) && pn_json_bool(&value, &layer->reverse))
        return pn_fail(err, PN_EVALUE, "its reverse is neither true nor false");
    return 0;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

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
        { "he_uniform", { PN_INIT_UNIFORM, sqrt(6 / fan_in) } },
        { "he_normal", { PN_INIT_NORMAL, sqrt(2 / fan_in) } },
        { "glorot_uniform", { PN_INIT_UNIFORM, sqrt(6 / (fan_in + fan_out)) } },
        { "glorot_normal", { PN_INIT_NORMAL, sqrt(2 / (fan_in + fan_out)) } },
        { "normal", { PN_INIT_NORMAL, 0.05 } },
        { "uniform", { PN_INIT_UNIFORM, 0.05 } },
        { "zeros", { PN_INIT_CONSTANT, 0 } },
        { "ones", { PN_INIT_CONSTANT, 1 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].init;
    return (pn_init){ PN_INIT_UNKNOWN, 0 };
}

/* The argument init of a layer, a name or a number; `usual` is what "auto" or nothing means. */
static pn_init init_of(const pn_layer *layer, const char *usual, pn_index fan_in, pn_index fan_out)
{
    char word[32];
    pn_json value = layer->init;
    pn_init found = { PN_INIT_CONSTANT, 0 };
    if (value.at && pn_json_number(&value, &found.a) == 0)
        return found;
    value = layer->init;
    if (!value.at)
        return by_name(usual, (double)fan_in, (double)fan_out);
    if (pn_json_string(&value, word, sizeof word))
        return (pn_init){ PN_INIT_UNKNOWN, 0 };
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
    const pn_layer_tensor tensor = { .group = group, .init = { PN_INIT_CONSTANT, value } };
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

static int declare_dense(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    if (x->ndim < 2)
        return pn_fail(err, PN_ESHAPE, "it needs features, (n, features)");
    const pn_index in = x->shape[x->ndim - 1];
    const pn_init init = init_of(layer, suited(layer->activation), in, layer->units);
    return declare_weights(layer, pass, 2, (pn_index[]){ in, layer->units }, init, layer->units, err);
}

static int declare_conv(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
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

static int declare_depthwise(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
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

static int declare_embedding(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    const pn_layer_tensor weight = { .group = PN_GROUP_WEIGHT,
                                     .init = init_of(layer, "normal", layer->words, layer->units) };
    (void)x;
    return declare(layer, pass, "weight", 2, (pn_index[]){ layer->words, layer->units }, weight, err);
}

static int declare_layer_norm(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    if (x->ndim < 2)
        return pn_fail(err, PN_ESHAPE, "it needs features, (n, features)");
    const pn_index C = x->shape[x->ndim - 1];
    return declare_vector(layer, pass, "gamma", C, PN_GROUP_BIAS, 1, err) ||
                   declare_vector(layer, pass, "beta", C, PN_GROUP_BIAS, 0, err)
               ? -1
               : 0;
}

static int declare_batch_norm(pn_layer *layer, pn_pass *pass, const pn_view *x, pn_error *err)
{
    return declare_layer_norm(layer, pass, x, err) ||
                   declare_vector(layer, pass, "running_mean", x->shape[x->ndim - 1], PN_GROUP_STATE, 0, err) ||
                   declare_vector(layer, pass, "running_var", x->shape[x->ndim - 1], PN_GROUP_STATE, 1, err)
               ? -1
               : 0;
}

/* ---- what is more than one op ------------------------------------------------------------------------------------ */

static pn_tensor *run_same(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    (void)layer, (void)pass, (void)n, (void)err;
    return pn_tensor_ref(x[0]); /* an activation follows */
}

static pn_tensor *run_dropout(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    (void)n;
    if (!pass->training || layer->number == 0)
        return pn_tensor_ref(x[0]);
    memcpy(params, layer->params, layer->op->param_bytes);
    *(uint64_t *)pn_op_field(layer->op, "seed", params) = pass->seed;
    *(uint64_t *)pn_op_field(layer->op, "stream", params) = pass->stream;
    *(pn_index *)pn_op_field(layer->op, "step", params) = pass->epoch;
    return pn_run_op(pass, layer->op, 2, (pn_tensor *[]){ x[0], pass->samples }, params, err);
}

static pn_tensor *run_flatten(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    const pn_view *v = &x[0]->v;
    (void)layer, (void)n;
    return pn_run_reshape(pass, x[0], 2, (pn_index[]){ v->shape[0], pn_view_count(v, 1, v->ndim) }, err);
}

static pn_tensor *run_reshape(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    const pn_view *v = &x[0]->v;
    const pn_index values = pn_view_count(v, 1, v->ndim);
    pn_index shape[PN_MAX_DIMS] = { v->shape[0] }, known = 1;
    bool open = false;
    (void)n;
    for (int i = 0; i < layer->shape.n; i++) {
        open |= layer->shape.v[i] == -1;
        known *= layer->shape.v[i] == -1 ? 1 : layer->shape.v[i];
    }
    if (values % known || (values != known && !open)) {
        pn_fail(err, PN_ESHAPE, "x is %s, %td values per example, which do not fit shape %s", pn_view_text(v).s, values,
                pn_shape_text(layer->shape.n, layer->shape.v).s);
        return NULL;
    }
    for (int i = 0; i < layer->shape.n; i++)
        shape[1 + i] = layer->shape.v[i] == -1 ? values / known : layer->shape.v[i];
    return pn_run_reshape(pass, x[0], 1 + layer->shape.n, shape, err);
}

/* int64 numbers from reals, which must be whole and in 0..words-1. */
static int whole_numbers(const pn_layer *layer, const pn_view *x, int64_t *to, pn_error *err)
{
    for (pn_index i = 0; i < x->size; i++) {
        const double v = x->dtype == PN_FLOAT64 ? ((const double *)x->data)[i] : (double)((const float *)x->data)[i];
        if (!(v >= 0 && v < (double)layer->words && v == floor(v)))
            return pn_fail(err, PN_EVALUE, "x has the number %g; give whole numbers from 0 to %td", v,
                           layer->words - 1);
        to[i] = (int64_t)v;
    }
    return 0;
}

static pn_tensor *run_embedding(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    pn_view v = x[0]->v;
    pn_tensor *numbers = NULL, *y = NULL;
    (void)n;
    if (pn_view_init(&v, PN_INT64, v.ndim, v.shape, "embedding", err))
        return NULL;
    if (!x[0]->storage)
        numbers = pn_tensor_shape_only(pass->engine, &v, err);
    else if ((numbers = pn_tensor_new(pass->engine, &v, err)) && whole_numbers(layer, &x[0]->v, numbers->v.data, err)) {
        pn_tensor_unref(numbers);
        return NULL;
    }
    if (numbers)
        y = pn_run_op(pass, &pn_op_take, 2, (pn_tensor *[]){ layer->tensors[0].value, numbers }, NULL, err);
    pn_tensor_unref(numbers);
    return y;
}

/* Rejects shapes that do not match, and shapes that would broadcast over the batch axis. */
static int check_match(const pn_view *a, const pn_view *b, pn_error *err)
{
    bool match = a->ndim == b->ndim;
    for (int i = 1; match && i < a->ndim; i++)
        match = a->shape[i] == b->shape[i] || a->shape[i] == 1 || b->shape[i] == 1;
    return match ? 0
                 : pn_fail(err, PN_ESHAPE, "the inputs are %s and %s; give equal shapes, or 1 in an axis to broadcast",
                           pn_view_text(a).s, pn_view_text(b).s);
}

static pn_tensor *joined(const pn_pass *pass, const pn_op *op, int n, pn_tensor *const *x, pn_error *err)
{
    pn_tensor *y = pn_tensor_ref(x[0]);
    for (int i = 1; i < n && y; i++) {
        pn_tensor *next = check_match(&y->v, &x[i]->v, err) ? NULL : pn_run_binary(pass, op, y, x[i], err);
        pn_tensor_unref(y);
        y = next;
    }
    return y;
}

static pn_tensor *run_join(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    return joined(pass, layer->op, n, x, err);
}

static pn_tensor *run_arithmetic(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    if (n != (layer->has_number ? 1 : 2)) {
        pn_fail(err, PN_EVALUE, "it is called with %d inputs", n);
        return NULL;
    }
    return layer->has_number ? pn_run_number(pass, layer->op, x[0], layer->number, layer->reverse, err)
                             : joined(pass, layer->op, n, x, err);
}

static pn_tensor *run_concatenate(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    const pn_index axis = *(pn_index *)pn_op_field(layer->op, "axis", layer->params);
    if (axis != 0 && axis > -x[0]->v.ndim && axis < x[0]->v.ndim)
        return pn_run_op(pass, layer->op, n, x, layer->params, err);
    pn_fail(err, PN_ESHAPE, "axis is %td, but x is %s", axis, pn_view_text(&x[0]->v).s);
    return NULL;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const pn_layer_kind kinds[] = {
    /* name               op                   settings               others
       inputs        rank act     read               declare              run */
    { "Dense",           "linear",            NULL,                  "units bias init",
      1, 1,         0,   true,   read_dense,        declare_dense,       NULL },
    { "Embedding",       NULL,                NULL,                  "vocabulary units init",
      1, 1,         0,   false,  read_embedding,    declare_embedding,   run_embedding },
    { "Conv2D",          "conv2d",            "stride padding",      "filters size bias init",
      1, 1,         4,   true,   read_conv,         declare_conv,        NULL },
    { "DepthwiseConv2D", "depthwise_conv2d",  "stride padding",      "size multiplier bias init",
      1, 1,         4,   true,   read_depthwise,    declare_depthwise,   NULL },
    { "MaxPool2D",       "max_pool2d",        "size stride padding", NULL,
      1, 1,         4,   false,  read_pool,         NULL,                NULL },
    { "AvgPool2D",       "avg_pool2d",        "size stride padding", NULL,
      1, 1,         4,   false,  read_pool,         NULL,                NULL },
    { "GlobalAvgPool2D", "global_avg_pool2d", NULL,                  NULL,
      1, 1,         4,   false,  NULL,              NULL,                NULL },
    { "BatchNorm",       "batch_norm",        "momentum epsilon",    NULL,
      1, 2,         0,   true,   NULL,              declare_batch_norm,  NULL },
    { "LayerNorm",       "layer_norm",        "epsilon",             NULL,
      1, 1,         0,   false,  NULL,              declare_layer_norm,  NULL },
    { "Dropout",         "dropout",           "rate",                NULL,
      1, 1,         0,   false,  read_dropout,      NULL,                run_dropout },
    { "Flatten",         NULL,                NULL,                  NULL,
      1, 1,         0,   false,  NULL,              NULL,                run_flatten },
    { "Reshape",         NULL,                NULL,                  "shape",
      1, 1,         0,   false,  read_reshape,      NULL,                run_reshape },
    { "Activation",      NULL,                NULL,                  NULL,
      1, 1,         0,   true,   read_activated,    NULL,                run_same },
    { "Add",             "add",               NULL,                  NULL,
      2, MANY,      0,   false,  NULL,              NULL,                run_join },
    { "Multiply",        "mul",               NULL,                  NULL,
      2, MANY,      0,   false,  NULL,              NULL,                run_join },
    { "Concatenate",     "concat",            "axis",                NULL,
      2, PN_MAX_IN, 0,   false,  NULL,              NULL,                run_concatenate },
    { "Arithmetic",      NULL,                NULL,                  "operation number reverse",
      1, 2,         0,   false,  read_arithmetic,   NULL,                run_arithmetic },
};
/* clang-format on */

const pn_layer_kind *pn_layer_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
