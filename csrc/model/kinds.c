/* kinds.c -- the table of layers: those of pyneural/layers, one row each. */
#include <string.h>

#include "model/kinds.h"
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

/* A list of whole numbers of at least `least`; returns how many, or -1. */
static pn_index read_numbers(const pn_layer *layer, pn_pass *pass, const char *name, pn_index least, pn_index **out,
                             pn_error *err)
{
    pn_json list, value;
    bool first = true;
    if (!pn_json_get(&layer->config, name, &value) || !pn_setting_open(&value))
        return -1;
    list = value;
    pn_index n = 0;
    for (int more; (more = pn_json_more(&list, ']', &first)) != 0; n++)
        if (more < 0 || pn_json_skip(&list))
            return -1;
    *out = pn_arena_get(pass->arena, (size_t)n * sizeof **out, err);
    first = true;
    for (pn_index i = 0; *out && i < n; i++)
        if (pn_json_more(&value, ']', &first) != 1 || pn_json_size(&value, &(*out)[i]) || (*out)[i] < least)
            return -1;
    return *out ? n : -1;
}

static int read_embed_columns(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    const pn_index n = read_numbers(layer, pass, "columns", 0, &layer->columns, err);
    if (n < 1 || n > MANY || read_numbers(layer, pass, "sizes", 1, &layer->sizes, err) != n ||
        read_numbers(layer, pass, "units", 1, &layer->vectors, err) != n)
        return pn_fail(err, PN_EVALUE, "its columns, sizes and units are not lists of one length");
    layer->n_columns = (int)n;
    *(pn_index *)pn_op_field(layer->op, "axis", layer->params) = 1;
    return 0;
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

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const pn_layer_kind kinds[] = {
    /* name               op                   settings               others
       inputs        rank act     read                declare                   run */
    { "Dense",           "linear",            NULL,                  "units bias init",
      1, 1,         0,   true,   read_dense,         pn_declare_dense,         NULL },
    { "Embedding",       NULL,                NULL,                  "vocabulary units init",
      1, 1,         0,   false,  read_embedding,     pn_declare_embedding,     pn_compute_embedding },
    { "EmbedColumns",    "concat",            NULL,                  "columns sizes units",
      1, 1,         0,   false,  read_embed_columns, pn_declare_embed_columns, pn_compute_embed_columns },
    { "Conv2D",          "conv2d",            "stride padding",      "filters size bias init",
      1, 1,         4,   true,   read_conv,          pn_declare_conv,          NULL },
    { "DepthwiseConv2D", "depthwise_conv2d",  "stride padding",      "size multiplier bias init",
      1, 1,         4,   true,   read_depthwise,     pn_declare_depthwise,     NULL },
    { "MaxPool2D",       "max_pool2d",        "size stride padding", NULL,
      1, 1,         4,   false,  read_pool,          NULL,                     NULL },
    { "AvgPool2D",       "avg_pool2d",        "size stride padding", NULL,
      1, 1,         4,   false,  read_pool,          NULL,                     NULL },
    { "GlobalAvgPool2D", "global_avg_pool2d", NULL,                  NULL,
      1, 1,         4,   false,  NULL,               NULL,                     NULL },
    { "BatchNorm",       "batch_norm",        "momentum epsilon",    NULL,
      1, 2,         0,   true,   NULL,               pn_declare_batch_norm,    NULL },
    { "LayerNorm",       "layer_norm",        "epsilon",             NULL,
      1, 1,         0,   false,  NULL,               pn_declare_layer_norm,    NULL },
    { "Dropout",         "dropout",           "rate",                NULL,
      1, 1,         0,   false,  read_dropout,       NULL,                     pn_compute_dropout },
    { "Flatten",         NULL,                NULL,                  NULL,
      1, 1,         0,   false,  NULL,               NULL,                     pn_compute_flatten },
    { "Reshape",         NULL,                NULL,                  "shape",
      1, 1,         0,   false,  read_reshape,       NULL,                     pn_compute_reshape },
    { "Activation",      NULL,                NULL,                  NULL,
      1, 1,         0,   true,   read_activated,     NULL,                     pn_compute_same },
    { "Add",             "add",               NULL,                  NULL,
      2, MANY,      0,   false,  NULL,               NULL,                     pn_compute_join },
    { "Multiply",        "mul",               NULL,                  NULL,
      2, MANY,      0,   false,  NULL,               NULL,                     pn_compute_join },
    { "Concatenate",     "concat",            "axis",                NULL,
      2, PN_MAX_IN, 0,   false,  NULL,               NULL,                     pn_compute_concatenate },
    { "Arithmetic",      NULL,                NULL,                  "operation number reverse",
      1, 2,         0,   false,  read_arithmetic,    NULL,                     pn_compute_arithmetic },
};
/* clang-format on */

const pn_layer_kind *pn_layer_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
