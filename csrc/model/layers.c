/* layers.c -- reads the arguments of a layer, and calls it: its op, then an activation that the op has not fused. */
#include "model/layers.h"

#include <stdio.h>
#include <string.h>

#include "model/setting.h"

/* ---- ops --------------------------------------------------------------------------------------------------------- */

pn_tensor *pn_run_op(const pn_pass *pass, const pn_op *op, int n, pn_tensor *const *x, const void *params,
                     pn_error *err)
{
    pn_tensor *y = NULL;
    return pn_apply(pass->engine, op, n, x, params ? params : op->defaults, pass->record, &y, err) ? NULL : y;
}

pn_tensor *pn_run_reshape(const pn_pass *pass, pn_tensor *x, int ndim, const pn_index *shape, pn_error *err)
{
    pn_list list = { .given = true, .n = ndim };
    memcpy(list.v, shape, (size_t)ndim * sizeof *shape);
    return pn_run_op(pass, &pn_op_reshape, 1, &x, &list, err);
}

/* Whether v's axes from `from` on are the last axes of the shape. */
static bool is_suffix(const pn_view *v, int from, const pn_list *shape)
{
    const int n = v->ndim - from;
    return n <= shape->n && memcmp(v->shape + from, shape->v + shape->n - n, (size_t)n * sizeof *shape->v) == 0;
}

/* An operand as the op takes it: itself, without its leading ones, or expanded.  (As csrc/binding/broadcast.c does.) */
static pn_tensor *fitted(const pn_pass *pass, pn_tensor *x, const pn_list *shape, pn_error *err)
{
    int ones = 0;
    if (is_suffix(&x->v, 0, shape))
        return pn_tensor_ref(x);
    while (ones < x->v.ndim && x->v.shape[ones] == 1)
        ones++;
    if (is_suffix(&x->v, ones, shape))
        return pn_run_reshape(pass, x, x->v.ndim - ones, x->v.shape + ones, err);
    return pn_run_op(pass, &pn_op_expand, 1, &x, shape, err);
}

/* The shape to which operands of equal ndim broadcast. */
static int common_shape(const pn_op *op, const pn_view *a, const pn_view *b, pn_list *shape, pn_error *err)
{
    *shape = (pn_list){ .given = true, .n = a->ndim };
    bool match = a->ndim == b->ndim;
    for (int i = 0; match && i < a->ndim; i++) {
        shape->v[i] = a->shape[i] == 1 ? b->shape[i] : a->shape[i];
        match = b->shape[i] == shape->v[i] || b->shape[i] == 1;
    }
    return match ? 0
                 : pn_fail(err, PN_ESHAPE, "%s: shapes %s and %s do not broadcast", op->name, pn_view_text(a).s,
                           pn_view_text(b).s);
}

pn_tensor *pn_run_binary(const pn_pass *pass, const pn_op *op, pn_tensor *a, pn_tensor *b, pn_error *err)
{
    pn_list shape;
    if (common_shape(op, &a->v, &b->v, &shape, err))
        return NULL;
    pn_tensor *both[2] = { fitted(pass, a, &shape, err), fitted(pass, b, &shape, err) }, *y = NULL;
    if (both[0] && both[1]) { /* (1, 3) and (2, 1): neither has the whole shape yet */
        const int larger = both[1]->v.ndim > both[0]->v.ndim;
        pn_tensor *part = both[larger];
        if (part->v.ndim < shape.n) {
            both[larger] = pn_run_op(pass, &pn_op_expand, 1, &part, &shape, err);
            pn_tensor_unref(part);
        }
    }
    if (both[0] && both[1])
        y = pn_run_op(pass, op, 2, both, NULL, err);
    pn_tensor_unref(both[0]);
    pn_tensor_unref(both[1]);
    return y;
}

pn_tensor *pn_run_number(const pn_pass *pass, const pn_op *op, pn_tensor *a, double b, bool reverse, pn_error *err)
{
    pn_view v;
    if (pn_view_init(&v, a->v.dtype, 0, NULL, op->name, err))
        return NULL;
    pn_tensor *number = pn_tensor_new(pass->engine, &v, err), *y = NULL;
    if (!number)
        return NULL;
    if (v.dtype == PN_FLOAT64)
        *(double *)number->v.data = b;
    else
        *(float *)number->v.data = (float)b;
    y = pn_run_op(pass, op, 2, (pn_tensor *[]){ reverse ? number : a, reverse ? a : number }, NULL, err);
    pn_tensor_unref(number);
    return y;
}

bool pn_word_in(const char *list, const char *word)
{
    const size_t n = strlen(word);
    if (!list || n == 0 || strchr(word, ' '))
        return false;
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const char activations[] = "elu gelu gelu_tanh softplus softmax log_softmax step abs exp";
static const char last[] = "softmax sigmoid log_softmax";

bool pn_layer_has_logits(const pn_layer *layer) { return layer->activation && pn_word_in(last, layer->activation); }
bool pn_layer_is(const pn_layer *layer, const char *kind) { return strcmp(layer->kind->name, kind) == 0; }

/* The op of an activation by name, with its parameters; NULL for none or an unknown one. */
static const pn_op *activation_op(const char *name, void *params)
{
    const bool known = pn_setting_activation(name) != PN_ACT_NONE || pn_word_in(activations, name);
    const bool tanh = strcmp(name, "gelu_tanh") == 0;
    if (!known)
        return NULL;
    const pn_op *op = pn_op_find(tanh ? "gelu" : name);
    if (op->param_bytes)
        memcpy(params, op->defaults, op->param_bytes);
    if (tanh)
        *(double *)pn_op_field(op, "approximate", params) = 1;
    return op;
}

static int refuse_function(pn_json value, const char *what, pn_error *err)
{
    char name[64];
    pn_json function;
    if (!pn_json_get(&value, "function", &function))
        return 0;
    if (pn_json_string(&function, name, sizeof name))
        name[0] = '\0';
    return pn_fail(err, PN_EVALUE, "%s is the custom function %s, which only Python has", what, name);
}

static int read_activation(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    pn_json value;
    char *name;
    if (!pn_json_get(&layer->config, "activation", &value) || pn_json_word(&value, "null"))
        return 0;
    if (refuse_function(value, "its activation", err))
        return -1;
    if (pn_json_text(&value, pass->arena, &name, err))
        return pn_fail(err, PN_EVALUE, "its activation is not a name");
    layer->activation = name;
    const pn_activation fused = layer->op ? pn_setting_activation(name) : PN_ACT_NONE;
    if (fused != PN_ACT_NONE) {
        *(pn_activation *)pn_op_field(layer->op, "activation", layer->params) = fused;
        return 0;
    }
    layer->after_params = pn_arena_get(pass->arena, PN_MAX_PARAM_BYTES, err);
    if (!layer->after_params)
        return -1;
    layer->after = activation_op(name, layer->after_params);
    return layer->after ? 0 : pn_fail(err, PN_EVALUE, "its activation %s is unknown", name);
}

/* One argument: a parameter of the op, or one that the kind reads itself. */
static int read_argument(pn_layer *layer, const char *name, pn_json value, pn_error *err)
{
    const pn_layer_kind *kind = layer->kind;
    if (pn_word_in(kind->settings, name)) {
        if (pn_setting_read(layer->op, name, value, layer->params))
            return pn_fail(err, PN_EVALUE, "its %s is invalid", name);
        return 0;
    }
    if (pn_word_in(kind->others, name) || strcmp(name, "name") == 0 ||
        (kind->activated && strcmp(name, "activation") == 0))
        return 0;
    return pn_fail(err, PN_EVALUE, "%s has the unknown argument %s; the file may be newer than this program",
                   kind->name, name);
}

static int read_arguments(pn_layer *layer, pn_error *err)
{
    pn_json j = layer->config;
    bool first = true;
    if (!pn_json_open(&j, '{'))
        return pn_fail(err, PN_EVALUE, "its arguments are not an object");
    for (int more; (more = pn_json_more(&j, '}', &first)) != 0;) {
        char name[64];
        if (more < 0 || pn_json_key(&j, name, sizeof name))
            return pn_fail(err, PN_EVALUE, "its arguments are damaged");
        if (read_argument(layer, name, j, err) || pn_json_skip(&j))
            return -1;
    }
    return 0;
}

static int read_layer(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    const pn_layer_kind *kind = layer->kind;
    layer->op = kind->op ? pn_op_find(kind->op) : NULL;
    pn_assert(!kind->op || layer->op);
    layer->params = pn_arena_get(pass->arena, PN_MAX_PARAM_BYTES, err);
    if (!layer->params)
        return -1;
    if (layer->op && layer->op->param_bytes)
        memcpy(layer->params, layer->op->defaults, layer->op->param_bytes);
    if (read_arguments(layer, err) || read_activation(layer, pass, err))
        return -1;
    pn_json value;
    layer->has_bias = true;
    if (pn_json_get(&layer->config, "bias", &value) && pn_json_bool(&value, &layer->has_bias))
        return pn_fail(err, PN_EVALUE, "its bias is neither true nor false");
    if (pn_json_get(&layer->config, "init", &value))
        layer->init = value;
    return kind->read ? kind->read(layer, pass, err) : 0;
}

static int named(const pn_layer *layer, const pn_error *inner, pn_error *err)
{
    return pn_fail(err, inner->code, "%s: %s", layer->path, inner->text);
}

int pn_layer_read(pn_layer *layer, pn_pass *pass, pn_error *err)
{
    pn_error inner = { .code = PN_EVALUE, .text = "its description is damaged" };
    return read_layer(layer, pass, &inner) ? named(layer, &inner, err) : 0;
}

/* ---- calling ----------------------------------------------------------------------------------------------------- */

/* Sets what depends on the run, in a copy of the parameters. */
static void set_params(const pn_layer *layer, const pn_pass *pass, bool logits, void *params)
{
    const pn_op *op = layer->op;
    memcpy(params, layer->params, op->param_bytes);
    void *activation = pn_op_field(op, "activation", params), *training = pn_op_field(op, "training", params);
    if (activation && logits)
        *(pn_activation *)activation = PN_ACT_NONE;
    if (training)
        *(bool *)training = pass->training && layer->trainable;
}

static pn_tensor *call_op(const pn_layer *layer, const pn_pass *pass, const void *params, int n, pn_tensor *const *x,
                          pn_error *err)
{
    pn_tensor *inputs[2 + PN_LAYER_TENSORS] = { x[0] };
    int count = 1;
    for (int i = 0; i < layer->n_tensors; i++)
        inputs[count++] = layer->tensors[i].value;
    if (n > 1)
        inputs[count++] = x[1]; /* the residual of a batch norm */
    return pn_run_op(pass, layer->op, count, inputs, params, err);
}

static pn_tensor *call(const pn_layer *layer, const pn_pass *pass, pn_call_part part, int n, pn_tensor *const *x,
                       pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    const bool logits = part == PN_CALL_LOGITS && pn_layer_has_logits(layer);
    if (part == PN_CALL_END) {
        const pn_op *op = activation_op(layer->activation, params);
        return pn_run_op(pass, op, 1, x, params, err);
    }
    pn_tensor *y;
    if (layer->kind->run) {
        y = layer->kind->run(layer, pass, n, x, err);
    } else {
        set_params(layer, pass, logits, params);
        y = call_op(layer, pass, params, n, x, err);
    }
    if (!y || !layer->after || logits)
        return y;
    pn_tensor *z = pn_run_op(pass, layer->after, 1, &y, layer->after_params, err);
    pn_tensor_unref(y);
    return z;
}

static int check_inputs(const pn_layer *layer, int n, pn_tensor *const *x, pn_error *err)
{
    const pn_layer_kind *kind = layer->kind;
    if (n < kind->least || n > kind->most)
        return pn_fail(err, PN_EVALUE, "%s is called with %d inputs", kind->name, n);
    if (kind->rank && x[0]->v.ndim != kind->rank)
        return pn_fail(err, PN_ESHAPE, "%s takes (n, height, width, channels), x is %s", kind->name,
                       pn_view_text(&x[0]->v).s);
    return 0;
}

static int build(pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    pn_pass building = *pass;
    for (int i = 0; i < n; i++)
        layer->widest = pn_max(layer->widest, x[i]->v.size);
    layer->built = true;
    return layer->kind->declare ? layer->kind->declare(layer, &building, &x[0]->v, err) : 0;
}

pn_tensor *pn_layer_call(pn_layer *layer, const pn_pass *pass, pn_call_part part, int n, pn_tensor *const *x,
                         pn_error *err)
{
    pn_error inner = { .code = PN_EVALUE };
    pn_tensor *y = NULL;
    const bool first = !layer->built;
    if (pass->arena ? !check_inputs(layer, n, x, &inner) && (!first || !build(layer, pass, n, x, &inner)) : true)
        y = call(layer, pass, part, n, x, &inner);
    if (!y)
        named(layer, &inner, err);
    else if (first)
        layer->output = y->v;
    return y;
}

/* ---- a convolution and a pool ------------------------------------------------------------------------------------ */

bool pn_layer_fuses(const pn_layer *conv, const pn_layer *pool)
{
    if (!pn_layer_is(conv, "Conv2D") || conv->after || !pn_layer_is(pool, "MaxPool2D"))
        return false;
    const pn_index *size = pn_op_field(pool->op, "size", pool->params);
    const pn_index *stride = pn_op_field(pool->op, "stride", pool->params);
    const pn_padding *padding = pn_op_field(pool->op, "padding", pool->params);
    return padding->mode == PN_PAD_VALID && stride[0] == size[0] && stride[1] == size[1];
}

pn_tensor *pn_layer_call_fused(const pn_layer *conv, const pn_layer *pool, const pn_pass *pass, pn_tensor *x,
                               pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    pn_error inner;
    memcpy(params, conv->params, conv->op->param_bytes);
    memcpy(pn_op_field(conv->op, "pool", params), pn_op_field(pool->op, "size", pool->params), 2 * sizeof(pn_index));
    pn_tensor *y = call_op(conv, pass, params, 1, &x, &inner);
    if (!y)
        named(conv, &inner, err);
    return y;
}
