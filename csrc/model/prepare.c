/* prepare.c -- inputs as a model takes them: rows of what the caller has, checked and preprocessed. */
#include <math.h>
#include <string.h>

#include "model/inside.h"

static const double LEAST_DEVIATION = 1e-6; /* of an image; as in pyneural/card/preprocessing.py */

static void release_nothing(void *owner) { (void)owner; }

/* A tensor over memory of the caller. */
static pn_tensor *over(const pn_model *m, pn_dtype dtype, pn_index count, const void *x, pn_error *err)
{
    const pn_view *input = &m->network.input;
    pn_index shape[PN_MAX_DIMS] = { count };
    pn_view v;
    memcpy(shape + 1, input->shape, (size_t)input->ndim * sizeof *shape);
    if (pn_view_init(&v, dtype, 1 + input->ndim, shape, "x", err))
        return NULL;
    pn_storage *storage =
        pn_storage_borrow(m->engine, (void *)(uintptr_t)x, pn_view_bytes(&v), true, release_nothing, NULL, err);
    pn_tensor *t = storage ? pn_tensor_on(storage, 0, &v, err) : NULL;
    pn_storage_unref(storage);
    return t;
}

static pn_tensor *new_rows(pn_engine *engine, pn_index n, pn_error *err)
{
    pn_view v;
    pn_tensor *t = pn_view_init(&v, PN_INT64, 1, &n, "rows", err) ? NULL : pn_tensor_new(engine, &v, err);
    for (pn_index i = 0; t && i < n; i++)
        ((int64_t *)t->v.data)[i] = i;
    return t;
}

/* The kind of numbers that the model takes; `from` is what it is given. */
static int check_kind(const pn_model *m, pn_dtype from, pn_error *err)
{
    if (m->prepared.takes_pixels && from != PN_UINT8)
        return pn_fail(err, PN_EDTYPE, "%s: the model was trained on uint8 pixels 0..255, x is %s; give pixels",
                       m->name, pn_dtype_name(from));
    if (!m->prepared.takes_pixels && from == PN_UINT8 && !m->has_embedding)
        return pn_fail(err, PN_EDTYPE,
                       "%s: the model was trained on floats, x is uint8; prepare it like the training data", m->name);
    return 0;
}

static int check_finite(const pn_model *m, const pn_tensor *x, const char *what, pn_error *err)
{
    for (pn_index i = 0; i < x->v.size; i++) {
        const double v =
            x->v.dtype == PN_FLOAT64 ? ((const double *)x->v.data)[i] : (double)((const float *)x->v.data)[i];
        if (!isfinite(v))
            return pn_fail(err, PN_EVALUE, "%s: %s, the first at number %td of the batch", m->name, what, i);
    }
    return 0;
}

static pn_tensor *cast(const pn_pass *pass, pn_tensor *x, pn_dtype dtype, pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES] = { 0 };
    *(pn_dtype *)pn_op_field(&pn_op_cast, "dtype", params) = dtype;
    return x->v.dtype == dtype ? pn_tensor_ref(x) : pn_run_op(pass, &pn_op_cast, 1, &x, params, err);
}

/* The mean of each channel of each image, or the variance. */
static pn_tensor *moment(const pn_pass *pass, const pn_op *op, pn_tensor *x, pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES];
    pn_list axes = { .given = true, .n = x->v.ndim - 2 };
    for (int i = 0; i < axes.n; i++)
        axes.v[i] = 1 + i;
    memcpy(params, op->defaults, op->param_bytes);
    memcpy(pn_op_field(op, "axis", params), &axes, sizeof axes);
    *(bool *)pn_op_field(op, "keepdims", params) = true;
    return pn_run_op(pass, op, 1, &x, params, err);
}

/* Each image by its own mean and deviation. */
static pn_tensor *standardized(const pn_pass *pass, pn_tensor *x, pn_error *err)
{
    pn_tensor *variance = moment(pass, &pn_op_var, x, err), *deviation = NULL, *least = NULL, *mean = NULL;
    pn_tensor *centred = NULL, *y = NULL;
    if (variance && (deviation = pn_run_op(pass, &pn_op_sqrt, 1, &variance, NULL, err)) &&
        (mean = moment(pass, &pn_op_mean, x, err)) && (centred = pn_run_binary(pass, &pn_op_sub, x, mean, err)) &&
        (least = pn_run_number(pass, &pn_op_maximum, deviation, LEAST_DEVIATION, false, err)))
        y = pn_run_binary(pass, &pn_op_div, centred, least, err);
    pn_tensor_unref(variance);
    pn_tensor_unref(deviation);
    pn_tensor_unref(mean);
    pn_tensor_unref(centred);
    pn_tensor_unref(least);
    return y;
}

/* Floats as they are prepared, in a dtype: all rows of x, or a copy of the chosen ones, and then *rows changes. */
static pn_tensor *converted(const pn_model *m, const pn_pass *pass, pn_tensor *x, pn_dtype dtype, pn_tensor **rows,
                            pn_error *err)
{
    if (x->v.dtype == dtype)
        return pn_tensor_ref(x);
    pn_tensor *some = NULL, *y = NULL, *all = new_rows(m->engine, (*rows)->v.size, err);
    if (all && (some = pn_run_op(pass, &pn_op_take, 2, (pn_tensor *[]){ x, *rows }, NULL, err)))
        y = cast(pass, some, dtype, err);
    pn_tensor_unref(some);
    if (!y) {
        pn_tensor_unref(all);
        return NULL;
    }
    pn_tensor_unref(*rows);
    *rows = all;
    return y;
}

static pn_tensor *gathered(const pn_model *m, const pn_pass *pass, pn_tensor *x, pn_tensor *rows, pn_dtype dtype,
                           pn_error *err)
{
    _Alignas(16) char params[PN_MAX_PARAM_BYTES] = { 0 };
    const pn_preprocessing *p = &m->prepared;
    *(pn_dtype *)pn_op_field(&pn_op_gather, "dtype", params) = dtype;
    pn_tensor *inputs[4] = { x, rows, p->subtract[dtype], p->factor[dtype] };
    pn_tensor *y = pn_run_op(pass, &pn_op_gather, p->kind == PN_PREPROCESS_DATASET ? 4 : 2, inputs, params, err);
    if (!y || p->kind != PN_PREPROCESS_IMAGE)
        return y;
    pn_tensor *z = standardized(pass, y, err);
    pn_tensor_unref(y);
    return z;
}

/* rows: owned. */
static pn_tensor *prepare(const pn_model *m, pn_tensor *x, pn_tensor *rows, pn_error *err)
{
    const pn_pass pass = { .engine = m->engine, .dtype = m->network.dtype };
    const pn_preprocessing *p = &m->prepared;
    const bool pixels = x->v.dtype == PN_UINT8 && p->takes_pixels;
    const bool wide = x->v.dtype == PN_FLOAT64 && p->kind != PN_PREPROCESS_NONE;
    const pn_dtype within = wide ? PN_FLOAT64 : pass.dtype;
    pn_tensor *given = pixels ? pn_tensor_ref(x) : converted(m, &pass, x, within, &rows, err);
    pn_tensor *y = given ? gathered(m, &pass, given, rows, within, err) : NULL, *z = NULL;
    if (y && (pixels ||
              check_finite(m, y, "x has values that are NaN, infinite, or too far from the training data", err) == 0))
        z = cast(&pass, y, pass.dtype, err);
    pn_tensor_unref(given);
    pn_tensor_unref(rows);
    pn_tensor_unref(y);
    return z;
}

pn_tensor *pn_model_prepare(pn_model *m, pn_dtype from, const void *x, pn_index count, pn_tensor *rows, pn_index n,
                            pn_error *err)
{
    if (check_kind(m, from, err))
        return NULL;
    pn_tensor *whole = over(m, from, count, x, err), *y = NULL;
    pn_tensor *chosen = rows ? pn_tensor_ref(rows) : new_rows(m->engine, n, err);
    if (whole && chosen)
        y = prepare(m, whole, chosen, err);
    else
        pn_tensor_unref(chosen);
    pn_tensor_unref(whole);
    return y;
}
