/* compute.c -- layers that are more than one op, or another one for each batch. */
#include <math.h>
#include <string.h>

#include "model/kinds.h"

pn_tensor *pn_compute_same(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    (void)layer, (void)pass, (void)n, (void)err;
    return pn_tensor_ref(x[0]); /* an activation follows */
}

pn_tensor *pn_compute_dropout(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
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

pn_tensor *pn_compute_flatten(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    const pn_view *v = &x[0]->v;
    (void)layer, (void)n;
    return pn_run_reshape(pass, x[0], 2, (pn_index[]){ v->shape[0], pn_view_count(v, 1, v->ndim) }, err);
}

pn_tensor *pn_compute_reshape(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
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
static int whole_numbers(pn_index words, const pn_view *x, int64_t *to, pn_error *err)
{
    for (pn_index i = 0; i < x->size; i++) {
        const double v = x->dtype == PN_FLOAT64 ? ((const double *)x->data)[i] : (double)((const float *)x->data)[i];
        if (!(v >= 0 && v < (double)words && v == floor(v)))
            return pn_fail(err, PN_EVALUE, "x has the number %g; give whole numbers from 0 to %td", v, words - 1);
        to[i] = (int64_t)v;
    }
    return 0;
}

/* The rows of a weight that the numbers in x choose. */
static pn_tensor *taken(const pn_pass *pass, pn_tensor *weight, pn_tensor *x, pn_error *err)
{
    pn_view v = x->v;
    pn_tensor *numbers = NULL, *y = NULL;
    if (pn_view_init(&v, PN_INT64, v.ndim, v.shape, "embedding", err))
        return NULL;
    numbers = x->storage ? pn_tensor_new(pass->engine, &v, err) : pn_tensor_shape_only(pass->engine, &v, err);
    if (numbers && (!x->storage || whole_numbers(weight->v.shape[0], &x->v, numbers->v.data, err) == 0))
        y = pn_run_op(pass, &pn_op_take, 2, (pn_tensor *[]){ weight, numbers }, NULL, err);
    pn_tensor_unref(numbers);
    return y;
}

pn_tensor *pn_compute_embedding(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    (void)n;
    return taken(pass, layer->tensors[0].value, x[0], err);
}

/* Columns low..high - 1 of x (n, F). */
static pn_tensor *columns(const pn_pass *pass, pn_tensor *x, pn_index low, pn_index high, pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES] = { 0 };
    const pn_slices part = { .n = 2, .start = { 0, low }, .stop = { PTRDIFF_MAX, high }, .step = { 1, 1 } };
    memcpy(pn_op_field(&pn_op_slice, "slices", params), &part, sizeof part);
    return pn_run_op(pass, &pn_op_slice, 1, &x, params, err);
}

/* Adds a part to those that are joined in the end. */
static int add_part(pn_tensor **parts, int *n, pn_tensor *part, pn_error *err)
{
    if (part && *n == PN_MAX_IN) {
        pn_tensor_unref(part);
        return pn_fail(err, PN_EVALUE, "it joins more than %d parts", PN_MAX_IN);
    }
    if (part)
        parts[(*n)++] = part;
    return part ? 0 : -1;
}

/* The runs of columns between the given ones, in order. */
static int other_columns(const pn_layer *layer, const pn_pass *pass, pn_tensor *x, pn_tensor **parts, int *n,
                         pn_error *err)
{
    for (pn_index low = 0; low < x->v.shape[1];) {
        pn_index high = x->v.shape[1];
        for (int i = 0; i < layer->n_columns; i++)
            if (layer->columns[i] >= low)
                high = pn_min(high, layer->columns[i]);
        if (low < high && add_part(parts, n, columns(pass, x, low, high, err), err))
            return -1;
        low = high + 1;
    }
    return 0;
}

pn_tensor *pn_compute_embed_columns(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x,
                                    pn_error *err)
{
    pn_tensor *parts[PN_MAX_IN], *y = NULL;
    int count = 0, failed = other_columns(layer, pass, x[0], parts, &count, err);
    (void)n;
    for (int i = 0; i < layer->n_columns && !failed; i++) {
        pn_tensor *column = columns(pass, x[0], layer->columns[i], layer->columns[i] + 1, err), *row = NULL;
        if (column && (row = pn_run_reshape(pass, column, 1, &column->v.shape[0], err)))
            failed = add_part(parts, &count, taken(pass, layer->tensors[i].value, row, err), err);
        failed |= !row;
        pn_tensor_unref(column);
        pn_tensor_unref(row);
    }
    if (!failed)
        y = count == 1 ? pn_tensor_ref(parts[0]) : pn_run_op(pass, &pn_op_concat, count, parts, layer->params, err);
    for (int i = 0; i < count; i++)
        pn_tensor_unref(parts[i]);
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

pn_tensor *pn_compute_join(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    return joined(pass, layer->op, n, x, err);
}

pn_tensor *pn_compute_arithmetic(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    if (n != (layer->has_number ? 1 : 2)) {
        pn_fail(err, PN_EVALUE, "it is called with %d inputs", n);
        return NULL;
    }
    return layer->has_number ? pn_run_number(pass, layer->op, x[0], layer->number, layer->reverse, err)
                             : joined(pass, layer->op, n, x, err);
}

pn_tensor *pn_compute_concatenate(const pn_layer *layer, const pn_pass *pass, int n, pn_tensor *const *x, pn_error *err)
{
    const pn_index axis = *(pn_index *)pn_op_field(layer->op, "axis", layer->params);
    if (axis != 0 && axis > -x[0]->v.ndim && axis < x[0]->v.ndim)
        return pn_run_op(pass, layer->op, n, x, layer->params, err);
    pn_fail(err, PN_ESHAPE, "axis is %td, but x is %s", axis, pn_view_text(&x[0]->v).s);
    return NULL;
}
